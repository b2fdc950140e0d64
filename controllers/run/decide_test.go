package run

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/pod"
)

// created is when the Run of the tables was made.
var created = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newRun returns a pending Run with a timeout of 30 minutes.
func newRun(modify ...func(*v1alpha1.Run)) *v1alpha1.Run {
	run := &v1alpha1.Run{
		ObjectMeta: metav1.ObjectMeta{Namespace: "groundwork-system", Name: "shop-orders-k-1", UID: "run", CreationTimestamp: metav1.NewTime(created)},
		Spec: v1alpha1.RunSpec{
			Operation: v1alpha1.OperationApply,
			Timeout:   metav1.Duration{Duration: 30 * time.Minute},
		},
		Status: v1alpha1.RunStatus{Phase: v1alpha1.RunPending},
	}
	for _, m := range modify {
		m(run)
	}
	return run
}

func taken(run *v1alpha1.Run) { run.Status.PodUID, run.Status.Phase = "pod", v1alpha1.RunPlanning }

func admittedAfter(d time.Duration) func(*v1alpha1.Run) {
	return func(run *v1alpha1.Run) { run.Status.AdmittedAt = &metav1.Time{Time: created.Add(d)} }
}

func cancelled(run *v1alpha1.Run) { run.Status.CancelRequested = true }

func ofBundle(name string) func(*v1alpha1.Run) {
	return func(run *v1alpha1.Run) { run.Spec.Module.Bundle = name }
}

func says(message string) func(*v1alpha1.Run) {
	return func(run *v1alpha1.Run) { run.Status.Message = message }
}

func timeout(d time.Duration) func(*v1alpha1.Run) {
	return func(run *v1alpha1.Run) { run.Spec.Timeout.Duration = d }
}

// newPod returns a pod that is there and has not been scheduled yet.
func newPod(modify ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "groundwork-system", Name: "shop-orders-k-1", UID: "pod"},
		Spec:       corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "sidecar"}, {Name: "runner"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}
	for _, m := range modify {
		m(pod)
	}
	return pod
}

// container gives the pod's container a state.
func container(name string, state corev1.ContainerState) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{Name: name, State: state})
	}
}

// exited ends the pod's container of that name.
func exited(name string, code int32, reason, message string) func(*corev1.Pod) {
	return container(name, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}})
}

func waiting(reason, message string) func(*corev1.Pod) {
	return container("runner", corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}})
}

func runs(pod *corev1.Pod) {
	pod.Status.Phase = corev1.PodRunning
	container("runner", corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})(pod)
}

func terminating(pod *corev1.Pod) { pod.DeletionTimestamp = &metav1.Time{Time: created} }

func unschedulable(pod *corev1.Pod) {
	pod.Status.Conditions = []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available",
	}}
}

func evicted(pod *corev1.Pod) {
	pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, "Evicted", "The node was low on memory"
}

func TestDecide(t *testing.T) {
	success := string(runner.Result{Reason: v1alpha1.RunReasonSucceeded, Message: "done"}.TerminationMessage())
	const start = 10 * time.Minute
	for _, tc := range []struct {
		name   string
		run    *v1alpha1.Run
		pod    *corev1.Pod
		age    time.Duration
		action action
		// reason is that of a finish, message part of its or of an explain's.
		reason  v1alpha1.RunReason
		message string
		after   time.Duration
	}{
		{"A new run waits for a place.", newRun(), nil, 0, wait, "", "", 0},
		{"However long.", newRun(), nil, time.Hour, wait, "", "", 0},
		{"An admitted run needs a pod.", newRun(admitted), nil, 0, create, "", "", createRetry},
		{"Its time counts from its admission.", newRun(admittedAfter(time.Hour)), nil, time.Hour, create, "", "", createRetry},
		{"So does the time for its pod to start.", newRun(admittedAfter(time.Hour)), newPod(waiting("ContainerCreating", "")), 61 * time.Minute, wait, "", "", 9 * time.Minute},
		{"And the time that the runner has.", newRun(admittedAfter(time.Hour), taken), newPod(runs), 91 * time.Minute, wait, "", "", time.Minute},
		{"A pod that was made without an admission, by an earlier version, goes on.", newRun(), newPod(waiting("ContainerCreating", "")), time.Minute, wait, "", "", 9 * time.Minute},
		{"A run whose bundle is gone makes way for another.", newRun(ofBundle("gone")), nil, 0, finish, v1alpha1.RunReasonSuperseded, "bundle gone", 0},
		{"Its pod, once it is there, goes on.", newRun(taken, ofBundle("gone")), newPod(runs), time.Minute, wait, "", "", 31 * time.Minute},
		{"A pod that is starting is waited for.", newRun(), newPod(waiting("ContainerCreating", "")), time.Minute, wait, "", "", 9 * time.Minute},
		{"A pod that no node takes is told.", newRun(), newPod(unschedulable), 0, explain, "", "0/3 nodes are available", start},
		{"It is told once.", newRun(says("no node takes the runner pod (Unschedulable): 0/3 nodes are available")), newPod(unschedulable), 0, wait, "", "", start},
		{"What hindered a pod is told no more when it is over.", newRun(says("no node takes the runner pod")), newPod(), 0, explain, "", "", start},
		{"A pod that no node takes for long is given up.", newRun(), newPod(unschedulable), start, finish, v1alpha1.RunReasonPodUnschedulable, "within 10m0s: no node", 0},
		{"An image that cannot be pulled for long is given up.", newRun(), newPod(waiting("ImagePullBackOff", "not found")), start, finish, v1alpha1.RunReasonImagePullFailed, "not found", 0},
		{"A pod that hangs without a reason is given up, with where to look.", newRun(), newPod(), start, finish, v1alpha1.RunReasonPodNotStarted, "kubectl describe", 0},
		{"A pod that the API server refuses for long is given up.", newRun(admitted, says("exceeded quota")), nil, start, finish, v1alpha1.RunReasonPodRejected, "exceeded quota", 0},
		{"A short timeout bounds the start too.", newRun(timeout(time.Minute)), newPod(), time.Minute, finish, v1alpha1.RunReasonPodNotStarted, "within 1m0s", 0},
		{"A run under way is left alone.", newRun(taken), newPod(runs), time.Minute, wait, "", "", 31 * time.Minute},
		{"A runner gets time to stop by itself.", newRun(taken), newPod(runs), 30 * time.Minute, wait, "", "", reportMargin},
		{"A runner that outlives its timeout is stopped.", newRun(taken), newPod(runs), 32 * time.Minute, stop, "", "", 0},
		{"It is stopped once, and may take its grace period.", newRun(taken), newPod(runs, terminating), 33 * time.Minute, wait, "", "", 0},
		{"A run is over when its pod is gone.", newRun(taken), nil, time.Minute, finish, v1alpha1.RunReasonPodLost, "shop-orders-k-1", 0},
		{"It has timed out when it was its time.", newRun(taken), nil, 33 * time.Minute, finish, v1alpha1.RunReasonTimedOut, "30m0s", 0},
		{"Another pod of the name is not the one that took it.", newRun(taken), newPod(runs, func(p *corev1.Pod) { p.UID = "other" }), time.Minute, finish, v1alpha1.RunReasonPodLost, "", 0},
		{"A pod that ended has a result.", newRun(taken), newPod(exited("runner", 0, "Completed", success)), time.Minute, finish, v1alpha1.RunReasonSucceeded, "done", 0},
		{"A pod that ended before it took the run has one too.", newRun(), newPod(exited("runner", 2, "Error", "")), time.Minute, finish, v1alpha1.RunReasonRunnerFailed, "exit code 2", 0},
		{"A pod that was evicted has ended.", newRun(taken), newPod(evicted), time.Minute, finish, v1alpha1.RunReasonEvicted, "node-1", 0},
		{"The end of another container is not the runner's.", newRun(taken), newPod(exited("sidecar", 0, "Completed", ""), runs), time.Minute, wait, "", "", 31 * time.Minute},
		{"A run that is cancelled is stopped.", newRun(taken, cancelled), newPod(runs), time.Minute, stop, "", "", 0},
		{"It is stopped once, and may finish what is in flight.", newRun(taken, cancelled), newPod(runs, terminating), time.Minute, wait, "", "", 31 * time.Minute},
		{"A pod that has not taken a cancelled run is not to take it.", newRun(cancelled), newPod(), time.Minute, stop, "", "", 0},
		{"A cancelled run without a pod gets none.", newRun(cancelled), nil, 0, finish, v1alpha1.RunReasonCancelled, "before its pod had started", 0},
		{"A cancelled run whose pod is lost is lost.", newRun(taken, cancelled), nil, time.Minute, finish, v1alpha1.RunReasonPodLost, "", 0},
		{"A finished run is tidied up.", newRun(taken, finished), nil, time.Minute, tidy, "", "", 0},
		{"A finished run is not finished again.", newRun(taken, finished), newPod(exited("runner", 1, "Error", "")), time.Hour, tidy, "", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			images := pod.Config{Image: "bundle"}
			got := decide(&observed{
				now: created.Add(tc.age), run: tc.run, pod: tc.pod, startTimeout: start, image: images.ImageOf(tc.run.Spec.Module.Bundle),
			})
			if got.action != tc.action || got.after != tc.after || got.result.Reason != tc.reason ||
				!strings.Contains(got.message+got.result.Message, tc.message) {
				t.Errorf("got %+v, want action %d after %s with %s %q", got, tc.action, tc.after, tc.reason, tc.message)
			}
		})
	}
}
