package infrastructure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

const (
	// keptRuns is the number of finished Runs that are kept for an object, besides
	// those that have only looked for drift.
	keptRuns = 10
	// keptFailures is the number of those that failed which are kept, if need be for longer.
	keptFailures = 10
	// keptLooks is the number of those that have only looked for drift: as many as may
	// fail in a row before that makes no more difference.
	keptLooks = maxFailures
)

// startRun starts a Run for the request, unless the state is locked or an earlier
// pod is still there.
func (r *Reconciler) startRun(ctx context.Context, o *observed, req *runner.Request, trigger v1alpha1.RunTrigger) error {
	for _, check := range []func(context.Context, *observed) error{
		r.checkCurrent, r.clearEarlierPods, r.checkLock,
	} {
		if err := check(ctx, o); err != nil {
			return err
		}
	}
	current, err := r.checkState(ctx, o, req)
	if err != nil {
		return err
	}
	if current != nil {
		r.keepStateAsRead(ctx, o, current)
	}
	run := r.newRun(o, req, trigger)
	if err := r.CreateRun(ctx, run, req); err != nil {
		return err
	}
	if err := r.deletePlans(ctx, o, run.Spec.Approved); err != nil {
		return err
	}
	return r.pruneRuns(ctx, o)
}

// CreateRun makes a Run and its request, if the Run is not there yet. First the Secret
// with the request is made, then the Run: a Run is never without its request, and a
// request without a Run is replaced.
func (r *Reconciler) CreateRun(ctx context.Context, run *v1alpha1.Run, req *runner.Request) error {
	if err := r.writeRequest(ctx, run, req); err != nil {
		return err
	}
	if err := r.client.Create(ctx, run); client.IgnoreAlreadyExists(err) != nil {
		return fmt.Errorf("create Run %s: %w", run.Name, err)
	}
	log.FromContext(ctx).Info("Started a run", "run", run.Name, "operation", run.Spec.Operation)
	return nil
}

func (r *Reconciler) newRun(o *observed, req *runner.Request, trigger v1alpha1.RunTrigger) *v1alpha1.Run {
	timeout := o.infra.Spec.Timeout
	if timeout.Duration == 0 {
		timeout.Duration = o.module.Timeout()
	}
	run := &v1alpha1.Run{
		ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: runName(o.key, o.next()), Labels: labelsOf(o.key)},
		Spec: v1alpha1.RunSpec{
			Infrastructure: v1alpha1.InfrastructureReference{
				Namespace: o.infra.Namespace, Name: o.infra.Name, UID: o.infra.UID, Generation: o.infra.Generation,
			},
			Operation:        req.Operation,
			Module:           req.Module,
			InputsDigest:     req.InputsDigest,
			ProviderConfig:   req.ProviderConfig,
			Credentials:      req.Credentials,
			Trigger:          trigger,
			UpgradeFrom:      upgradeFrom(o, req.Operation, trigger),
			Timeout:          timeout,
			ReconcileRequest: o.reconcileRequest(),
		},
	}
	if req.Operation == v1alpha1.OperationApply {
		run.Spec.Approval, run.Spec.Approved = o.infra.Spec.Approval, o.approved()
	}
	return run
}

// deletePlans deletes the plans that were saved for the object, but for the one that
// the new Run is to apply.
func (r *Reconciler) deletePlans(ctx context.Context, o *observed, approved *v1alpha1.ApprovedPlan) error {
	for i := range o.runs {
		run := &o.runs[i]
		if run.Status.Phase != v1alpha1.RunPlanned || approved != nil && approved.Run == run.Name {
			continue
		}
		plan := client.MatchingLabels{v1alpha1.LabelPlan: run.Name}
		if err := r.client.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace(r.namespace), plan); err != nil {
			return fmt.Errorf("delete the plan of Run %s: %w", run.Name, err)
		}
	}
	return nil
}

// clearEarlierPods removes the pods of finished runs and waits for them to be gone:
// only then can a lock that one of them has left be broken.
func (r *Reconciler) clearEarlierPods(ctx context.Context, o *observed) error {
	left, err := r.deletePods(ctx, o)
	if err == nil && left > 0 {
		err = &status.Error{Outcome: o.progressing("Waiting for the pod of an earlier run to be gone", time.Second)}
	}
	return err
}

// deletePods deletes the pods of finished runs, which are kept until now for their
// logs, and returns how many are still there. No other pods are there once
// checkCurrent has passed.
func (r *Reconciler) deletePods(ctx context.Context, o *observed) (left int, err error) {
	var pods corev1.PodList
	if err := r.live.List(ctx, &pods, client.InNamespace(r.namespace), client.MatchingLabels(labelsOf(o.key))); err != nil {
		return 0, fmt.Errorf("list the runner pods: %w", err)
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if !pod.DeletionTimestamp.IsZero() {
			continue
		}
		if err := r.client.Delete(ctx, pod, client.Preconditions{UID: &pod.UID}); client.IgnoreNotFound(err) != nil {
			return 0, fmt.Errorf("delete the finished pod %s: %w", pod.Name, err)
		}
	}
	return len(pods.Items), nil
}

// checkLock breaks a lock whose holder is proven to be gone, and waits for any
// other.
func (r *Reconciler) checkLock(ctx context.Context, o *observed) error {
	lock, err := r.state.Lock(ctx, o.key)
	if err != nil || lock == nil {
		return err
	}
	abandoned, err := r.state.Abandoned(ctx, o.key, lock)
	if err != nil {
		return err
	}
	if !abandoned {
		return status.Waiting(v1alpha1.ReasonLocked, lockRetry,
			"the state is locked by %s since %s (%s, lock %s); waiting for it to be released: Groundwork breaks no lock but one of its own pods that are gone",
			lock.Who, lock.Created.UTC().Format(time.RFC3339), lock.Operation, lock.ID)
	}
	if err := r.state.Unlock(ctx, o.key, lock); err != nil {
		return err
	}
	r.metrics.LockBroken()
	r.lockBroken(ctx, o.infra, lock)
	return nil
}

// checkState refuses to apply when resources were applied before and their state
// is gone, as an apply would make them a second time, or when they are those of
// another module or another account, as it would destroy or lose them. The Runs
// have told that already (request), unless someone has deleted them. It returns the
// state; nil when nothing was applied before.
func (r *Reconciler) checkState(ctx context.Context, o *observed, req *runner.Request) (*state.State, error) {
	snapshot, err := r.snapshot(ctx, o.key)
	if err != nil {
		return nil, err
	}
	if snapshot == nil && o.applied() == nil {
		return nil, nil
	}
	current, err := r.state.Read(ctx, o.key)
	switch {
	case errors.Is(err, state.ErrAbsent):
		return nil, stateMissing(r.namespace, o.infra)
	case err != nil:
		return nil, err
	case snapshot == nil || current.Resources == 0:
		return current, nil
	case snapshot.Module.Name != req.Module.Name:
		return nil, stalled(moduleChanged(req.Module.Name, snapshot.Module.Name))
	case snapshot.ProviderConfig != "" && snapshot.ProviderConfig != req.ProviderConfig:
		return nil, stalled(providerConfigChanged(req.ProviderConfig, snapshot.ProviderConfig))
	}
	return current, nil
}

// snapshot reads what the last apply left for the destroy; nil when it is proven
// to be absent.
func (r *Reconciler) snapshot(ctx context.Context, key string) (*runner.Request, error) {
	data, err := r.state.Snapshot(ctx, key)
	if errors.Is(err, state.ErrAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	snapshot, err := runner.ParseRequest(data)
	return snapshot, wrap(err, "snapshot %s/%s", r.namespace, state.SnapshotName(key))
}

func stateMissing(namespace string, infra *v1alpha1.Infrastructure) error {
	return status.Stalled(v1alpha1.ReasonStateMissing, missingRetry,
		"the state Secret %s/%s is gone although resources were applied; restore it from a backup or with `%s`: without it the next apply would make them a second time",
		namespace, state.SecretName(state.Key(infra.Namespace, infra.Name)), commandLine("state restore", infra))
}

// commandLine is the command line that does something with an object.
func commandLine(verb string, infra *v1alpha1.Infrastructure, args ...string) string {
	return strings.Join(append([]string{"groundwork", verb, infra.Name}, append(args, "-n", infra.Namespace)...), " ")
}

// writeRequest writes the Run's Secret, in place of one that was left by a start
// that did not come to its Run.
func (r *Reconciler) writeRequest(ctx context.Context, run *v1alpha1.Run, req *runner.Request) error {
	data, err := req.SecretData()
	if err != nil {
		return err
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: run.Namespace, Name: run.Name, Labels: run.Labels},
		Data:       data,
		Immutable:  ptr.To(true),
	}
	err = r.client.Create(ctx, secret)
	if apierrors.IsAlreadyExists(err) {
		if err := r.deleteRequest(ctx, run); err != nil {
			return err
		}
		err = r.client.Create(ctx, secret)
	}
	return wrap(err, "create the request Secret %s", run.Name)
}

// discardRun ends a Run that no pod has taken. The optimistic lock fails when a pod
// takes it at the same moment; a pod that comes later finds the Run finished. The
// Run stays until the next one is there, so that its name is not used again.
func (r *Reconciler) discardRun(ctx context.Context, o *observed, run *v1alpha1.Run) error {
	base := run.DeepCopy()
	run.Status.Finish(v1alpha1.RunReasonSuperseded, "Something else is wanted by now", metav1.NewTime(o.now))
	err := r.client.Status().Patch(ctx, run, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsConflict(err) {
		return status.ErrBehind
	}
	return wrap(client.IgnoreNotFound(err), "discard Run %s", run.Name)
}

// cancelRun notes in the Run under way that it is to end.
func (r *Reconciler) cancelRun(ctx context.Context, run *v1alpha1.Run) error {
	patch := client.RawPatch(types.MergePatchType, []byte(`{"status":{"cancelRequested":true}}`))
	return wrap(client.IgnoreNotFound(r.client.Status().Patch(ctx, run.DeepCopy(), patch)), "cancel Run %s", run.Name)
}

func (r *Reconciler) deleteRequest(ctx context.Context, run *v1alpha1.Run) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: run.Namespace, Name: run.Name}}
	if err := r.client.Delete(ctx, secret); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the request Secret %s: %w", run.Name, err)
	}
	return nil
}

// pruneRuns deletes the Runs that are not kept, each with its request; its log goes with
// it, as it is owned by it.
func (r *Reconciler) pruneRuns(ctx context.Context, o *observed) error {
	for _, run := range prunable(o) {
		if err := r.deleteRequest(ctx, &run); err != nil {
			return err
		}
		if err := r.client.Delete(ctx, &run); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete old Run %s: %w", run.Name, err)
		}
	}
	return nil
}

// prunable are the superseded Runs and the oldest of the others, but never the one that
// says what is applied.
func prunable(o *observed) []v1alpha1.Run {
	prune := slices.Clone(o.superseded)
	changes, failed, looked := 0, 0, 0
	for i := range o.runs {
		run := &o.runs[i]
		kept := run == o.applied()
		if looks(run) {
			looked++
			kept = kept || looked <= keptLooks
		} else {
			changes++
			kept = kept || changes <= keptRuns
			if run.Status.Phase == v1alpha1.RunFailed {
				failed++
				kept = kept || failed <= keptFailures
			}
		}
		if !kept {
			prune = append(prune, *run)
		}
	}
	return prune
}

func labelsOf(key string) map[string]string {
	return map[string]string{v1alpha1.LabelKey: key, v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
}

// wrap adds what was tried to an error, if there is one.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
