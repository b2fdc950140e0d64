package infrastructure

import (
	"fmt"
	"hash/fnv"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/state"
)

const (
	// firstRetry and maxRetry bound the time between a failed run and the next: it
	// grows fourfold from one to the other.
	firstRetry = 15 * time.Second
	maxRetry   = 15 * time.Minute
	// maxFailures is the number of failed runs in a row after which the object is
	// Stalled, and tried only every slowRetry.
	maxFailures = 5
	slowRetry   = time.Hour
	// lockRetry is the time between two looks at a lock that someone else holds.
	lockRetry = 30 * time.Second
	// missingRetry is the time between two looks for a state that is gone.
	missingRetry = 5 * time.Minute
)

// action is what a reconcile does; there is a function in act.go for each.
type action int

const (
	// keep: nothing is to be run; the output Secret is kept as it should be.
	keep action = iota
	// await: a run is under way.
	await
	// discard: a run that no pod has taken is no longer what is wanted.
	discard
	// startApply, startUpgrade, startDestroy and, for drift, startPlan and startCorrection: a
	// new run is needed.
	startApply
	startUpgrade
	startPlan
	startCorrection
	startDestroy
	// cancel: the run under way is to end.
	cancel
	// orphan: the object goes, and its resources stay.
	orphan
	// forget: nothing is left to destroy; remove what was kept for it.
	forget
)

// decision is an action and the outcome to report if it succeeds.
type decision struct {
	action  action
	outcome status.Outcome
}

// decide says what is to be done. It reads nothing but what was observed.
func decide(o *observed) decision {
	if run := o.underWay(); run != nil {
		return decideUnderWay(o, run)
	}
	if !o.infra.DeletionTimestamp.IsZero() {
		return decideDestroy(o)
	}
	return decideApply(o)
}

// decideUnderWay lets a run go on, unless no pod has taken it and something else
// is wanted by now.
func decideUnderWay(o *observed, run *v1alpha1.Run) decision {
	if run.Status.PodUID == "" && (!wanted(o, run) || outranked(o, run)) {
		return decision{discard, o.progressing("Starting over: something else is wanted by now", time.Second)}
	}
	message := run.Status.Message
	if message == "" {
		message = fmt.Sprintf("%s: %s", run.Spec.Operation, run.Status.Phase)
	}
	d := decision{await, o.progressing(message+usually(o, run), 0)}
	switch {
	case o.infra.Annotations[v1alpha1.AnnotationCancel] == run.Name && !run.Status.CancelRequested:
		d.action = cancel
	case looks(run) && asksFor(o, run) && o.infra.DeletionTimestamp.IsZero():
		d.outcome = status.InSync(fmt.Sprintf("Applied %s %s; looking for drift", run.Spec.Module.Name, run.Spec.Module.Version), 0)
	}
	return d
}

// usually says how long a run that makes or destroys everything may be expected to
// take; empty for any other, and for what takes no time to speak of.
func usually(o *observed, run *v1alpha1.Run) string {
	takes := time.Duration(0)
	switch d := o.module.Durations; {
	case d == nil:
	case run.Spec.Operation == v1alpha1.OperationDestroy:
		takes = d.Destroy.Duration
	case o.infra.Status.Outputs == nil:
		takes = d.Create.Duration
	}
	if takes < time.Minute || run.Waits() {
		return ""
	}
	return fmt.Sprintf(" (usually takes %s, began at %s)", duration.HumanDuration(takes), run.Begin().UTC().Format(time.TimeOnly))
}

// wanted tells whether a run still does what the object asks for.
func wanted(o *observed, run *v1alpha1.Run) bool {
	if !o.infra.DeletionTimestamp.IsZero() {
		return run.Spec.Operation == v1alpha1.OperationDestroy
	}
	return run.Spec.Operation != v1alpha1.OperationDestroy &&
		(o.request == nil || run.Spec.InputsDigest == o.request.InputsDigest)
}

// outranked tells whether a run waits for a place behind what people have asked for, and
// somebody has now asked for one of this object, too.
func outranked(o *observed, run *v1alpha1.Run) bool {
	return run.Waits() && run.Spec.Trigger != v1alpha1.TriggerChange && run.Spec.Trigger != "" &&
		o.infra.DeletionTimestamp.IsZero() && o.request != nil && o.reconcileRequest() != ""
}

func decideApply(o *observed) decision {
	switch {
	case o.infra.Spec.Suspend:
		return decision{keep, status.Suspended("Suspended: no run is started until spec.suspend is removed")}
	case staysReady(o):
		return stillReady(o)
	case o.fault != nil:
		return decision{keep, o.fault.Outcome}
	case inSync(o):
		return decideDrift(o)
	}
	if d, wait := awaitsApproval(o); wait {
		return d
	}
	if d, hold := holdOff(o, failedApplies(o)); hold {
		return d
	}
	if o.turn != nil {
		return decideUpgrade(o)
	}
	return decision{startApply, o.progressing("Starting a run to apply "+o.request.Module.Name, 0)}
}

// inSync tells whether the last run applied just what is wanted, and no other was
// asked for. What has only looked for drift since makes no difference; an object
// that was created anew looks at what it takes up.
func inSync(o *observed) bool {
	last := o.lastChange()
	return last != nil && o.reconcileRequest() == "" &&
		last.Spec.Infrastructure.UID == o.infra.UID &&
		last.Spec.Operation == v1alpha1.OperationApply &&
		last.Status.Phase == v1alpha1.RunSucceeded &&
		last.Spec.InputsDigest == o.request.InputsDigest
}

func decideDestroy(o *observed) decision {
	empty := o.state == nil || o.state.Resources == 0
	if empty && destroyed(o) {
		return decision{forget, o.progressing("Destroyed", 0)}
	}
	if empty && o.snapshot == nil && o.applied() == nil {
		return decision{forget, o.progressing("Nothing was ever applied", 0)}
	}
	if o.infra.Spec.DeletionPolicy == v1alpha1.DeletionPolicyOrphan {
		return decision{orphan, o.progressing("Leaving the resources", 0)}
	}
	if why := whyNotDestroy(o); why != nil {
		return decision{keep, why.Outcome}
	}
	if d, hold := holdOff(o, failedDestroys(o)); hold {
		return d
	}
	return decision{startDestroy, o.progressing("Starting a run to destroy the resources", 0)}
}

// whyNotDestroy says why what is applied cannot be destroyed, or not yet; nil when
// it can.
func whyNotDestroy(o *observed) *status.Error {
	switch {
	case o.infra.Spec.DeletionPolicy == v1alpha1.DeletionPolicyProtect:
		return status.Waiting(v1alpha1.ReasonProtected, 0,
			"Protected: the resources are not destroyed while spec.deletionPolicy is Protect; set it to Delete to go on")
	case o.infra.Spec.Suspend:
		// Ready=True would say nothing of why the object does not go.
		return status.Waiting(v1alpha1.ReasonSuspended, 0, "Suspended: the resources are not destroyed until spec.suspend is removed")
	case awaitDependants(o) != nil:
		return awaitDependants(o)
	case o.snapshot == nil:
		return status.Stalled(v1alpha1.ReasonStateMissing, missingRetry,
			"cannot destroy: Secret %s, which holds what was applied, is gone; restore it from a backup, or destroy the resources by hand, delete the state Secret %s and then remove the finalizer %s",
			state.SnapshotName(o.key), state.SecretName(o.key), v1alpha1.Finalizer)
	case o.state == nil:
		return status.Stalled(v1alpha1.ReasonStateMissing, missingRetry,
			"cannot destroy: the state Secret %s is gone although resources were applied; restore it from a backup or with `%s`, or destroy the resources by hand and then remove the finalizer %s",
			state.SecretName(o.key), commandLine("state restore", o.infra), v1alpha1.Finalizer)
	}
	return nil
}

// destroyed tells whether the last Run destroyed everything.
func destroyed(o *observed) bool {
	last := o.last()
	return last != nil && last.Spec.Operation == v1alpha1.OperationDestroy && last.Status.Phase == v1alpha1.RunSucceeded
}

// failedApplies are the newest runs that failed to apply what is wanted.
func failedApplies(o *observed) []v1alpha1.Run {
	return failures(o, func(run *v1alpha1.Run) bool {
		return run.Spec.Operation == v1alpha1.OperationApply && run.Spec.InputsDigest == o.request.InputsDigest
	})
}

// failedDestroys are the newest runs that failed to destroy.
func failedDestroys(o *observed) []v1alpha1.Run {
	return failures(o, func(run *v1alpha1.Run) bool { return run.Spec.Operation == v1alpha1.OperationDestroy })
}

// failures are the newest runs that failed in a row doing the same for the same
// generation; a new generation or a reconcile request starts afresh.
func failures(o *observed, same func(*v1alpha1.Run) bool) []v1alpha1.Run {
	if o.reconcileRequest() != "" {
		return nil
	}
	var failed []v1alpha1.Run
	for i := range o.runs {
		run := &o.runs[i]
		if run.Status.Phase != v1alpha1.RunFailed || !asksFor(o, run) || !same(run) {
			break
		}
		failed = append(failed, *run)
		if run.Spec.ReconcileRequest != "" {
			break
		}
	}
	return failed
}

// asksFor tells whether the Run was started for the object as it is now.
func asksFor(o *observed, run *v1alpha1.Run) bool {
	ref := run.Spec.Infrastructure
	return ref.UID == o.infra.UID && ref.Generation == o.infra.Generation
}

// holdOff says to wait after failed runs, newest first, until the next is due.
func holdOff(o *observed, failed []v1alpha1.Run) (decision, bool) {
	if len(failed) == 0 || failed[0].Status.FinishedAt == nil {
		return decision{}, false
	}
	last := &failed[0]
	next := last.Status.FinishedAt.Add(retryAfter(len(failed), last))
	wait := next.Sub(o.now)
	hold := func(outcome *status.Error) (decision, bool) { return decision{keep, outcome.Outcome}, true }
	what := fmt.Sprintf("Run %s failed (%s): %s. Its log: %s, or kubectl -n %s logs %s", last.Name, last.Status.Reason, last.Status.Message,
		commandLine("logs", o.infra, last.Name), last.Namespace, last.Name)
	switch {
	case last.Status.Reason == v1alpha1.RunReasonCancelled:
		return hold(status.Stalled(v1alpha1.ReasonCancelled, 0,
			"Run %s was cancelled; change the spec, or set the annotation %s to a new value, to start another", last.Name, v1alpha1.AnnotationReconcile))
	case wait <= 0:
		return decision{}, false
	case last.Status.Reason == v1alpha1.RunReasonPolicyDenied:
		return hold(status.Stalled(v1alpha1.ReasonPolicyDenied, wait, "%s", last.Status.Message))
	case last.Status.Reason == v1alpha1.RunReasonLocked:
		return hold(status.Waiting(v1alpha1.ReasonLocked, wait, "%s", last.Status.Message))
	case len(failed) >= maxFailures:
		return hold(status.Stalled(v1alpha1.ReasonRetriesExhausted, wait,
			"%s. It failed %d times in a row; change the spec, or set the annotation %s to a new value, to try again at once",
			what, len(failed), v1alpha1.AnnotationReconcile))
	}
	return hold(status.Waiting(v1alpha1.ReasonRunFailed, wait, "%s. Next try after %s", what, next.UTC().Format(time.RFC3339)))
}

// retryAfter is the time from the n-th failed run in a row to the next: up to a
// fifth more than its share, so that many objects that failed at once do not come back
// at once. The run's name decides how much, so that the time does not change from one
// look to the next. What a policy denied is denied until somebody changes it or the
// object, so that it is tried slowly from the beginning.
func retryAfter(n int, run *v1alpha1.Run) time.Duration {
	d := slowRetry
	if n < maxFailures && run.Status.Reason != v1alpha1.RunReasonPolicyDenied {
		d = min(firstRetry<<(2*(n-1)), maxRetry)
	}
	h := fnv.New32a()
	h.Write([]byte(run.Name))
	return d + time.Duration(float64(d)/5*float64(h.Sum32()%1000)/1000)
}
