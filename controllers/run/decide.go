package run

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

const (
	// createRetry is the time between two tries to make a pod that the API server
	// refused.
	createRetry = 10 * time.Second
	// reportMargin is what a runner gets beyond the run's timeout to stop
	// Terraform and report before its pod is deleted.
	reportMargin = 2 * time.Minute
)

// observed is what one reconcile knows when it decides.
type observed struct {
	now          time.Time
	run          *v1alpha1.Run
	startTimeout time.Duration
	// image is that of the Run's bundle; empty when it is not configured any more.
	image string
	// pod is the pod of the Run's name; nil when there is none. For a Run that a
	// pod has taken, that is proven by a live read.
	pod *corev1.Pod
}

// action is what a reconcile does.
type action int

const (
	// wait: nothing to do before the next event or the decision's after.
	wait action = iota
	// create: make the pod.
	create
	// explain: say in the Run's message why its pod does not start.
	explain
	// stop: ask the pod to end.
	stop
	// finish: record the result in the Run.
	finish
	// tidy: the Run is finished; remove what it needed.
	tidy
)

// decision is an action with what it needs.
type decision struct {
	action action
	// after is the time of the next look; zero for none.
	after time.Duration
	// message is for explain.
	message string
	// result is for finish.
	result runner.Result
}

// decide says what is to be done for a Run.
func decide(o *observed) decision {
	switch {
	case o.run.Status.Phase.Finished():
		return decision{action: tidy}
	case o.pod == nil:
		return decideWithoutPod(o)
	case o.run.Status.PodUID != "" && o.pod.UID != o.run.Status.PodUID:
		return lost(o)
	}
	if ended := terminated(o.pod); ended != nil || o.pod.Status.Phase == corev1.PodFailed {
		return decision{action: finish, result: resultOf(o.pod, ended)}
	}
	switch {
	case o.run.Status.CancelRequested && o.pod.DeletionTimestamp.IsZero():
		return decision{action: stop}
	case o.run.Status.PodUID == "":
		return decideNotStarted(o)
	}
	return decideRunning(o)
}

// decideWithoutPod wants a pod for the Run once it is admitted. When its bundle is gone, another Run has to
// be decided on: that is not a failure of this one, which would make the next wait.
func decideWithoutPod(o *observed) decision {
	if o.run.Status.PodUID != "" {
		return lost(o)
	}
	if o.run.Status.CancelRequested {
		return failed(v1alpha1.RunReasonCancelled, "The run was cancelled before its pod had started")
	}
	if o.image == "" {
		return failed(v1alpha1.RunReasonSuperseded, "bundle %s, which has the module, is not installed any more; nothing was touched", o.run.Spec.Module.Bundle)
	}
	if o.run.Waits() {
		return decision{action: wait} // Its admission brings it back.
	}
	if left(o) <= 0 {
		return failed(v1alpha1.RunReasonPodRejected, "%s", message(o, "no pod could be made"))
	}
	return decision{action: create, after: createRetry}
}

// lost is the end of a Run whose pod is gone without a word.
func lost(o *observed) decision {
	if o.now.After(deadline(o.run)) {
		return failed(v1alpha1.RunReasonTimedOut, "the run took longer than its timeout of %s and its pod was stopped", o.run.Spec.Timeout.Duration)
	}
	return failed(v1alpha1.RunReasonPodLost, "pod %s is gone and left no result: it was deleted, or its node was lost", o.run.Name)
}

// decideNotStarted waits for a pod to take the Run, says what hinders it, and gives
// up when that lasts.
func decideNotStarted(o *observed) decision {
	reason, why := hindrance(o.pod)
	if left(o) <= 0 {
		if why == "" {
			why = "its container was still being created; kubectl describe has the reason: pod " + o.pod.Name + " in namespace " + o.pod.Namespace
		}
		return failed(reason, "the pod did not start within %s: %s", min(o.startTimeout, o.run.Spec.Timeout.Duration), why)
	}
	if why == o.run.Status.Message {
		return decision{action: wait, after: left(o)}
	}
	return decision{action: explain, message: why, after: left(o)}
}

// decideRunning leaves the runner alone until it has outlived the timeout that it
// should have kept itself.
func decideRunning(o *observed) decision {
	overdue := deadline(o.run).Add(reportMargin).Sub(o.now)
	if overdue > 0 {
		return decision{action: wait, after: overdue}
	}
	if o.pod.DeletionTimestamp.IsZero() {
		return decision{action: stop}
	}
	return decision{action: wait}
}

// deadline is when the runner has to stop.
func deadline(run *v1alpha1.Run) time.Time {
	return run.Begin().Add(run.Spec.Timeout.Duration)
}

// left is the time that the pod still has to start.
func left(o *observed) time.Duration {
	return o.run.Begin().Add(min(o.startTimeout, o.run.Spec.Timeout.Duration)).Sub(o.now)
}

// message is the Run's message, or another when it has none.
func message(o *observed, other string) string {
	if o.run.Status.Message != "" {
		return o.run.Status.Message
	}
	return other
}

func failed(reason v1alpha1.RunReason, format string, args ...any) decision {
	return decision{action: finish, result: runner.Result{Reason: reason, Message: fmt.Sprintf(format, args...)}}
}
