package run

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

func TestResultOf(t *testing.T) {
	left := runner.Result{Reason: v1alpha1.RunReasonApplyFailed, Message: "no", Plan: &v1alpha1.PlanSummary{Create: 1}, ApplyStarted: true}
	message := string(left.TerminationMessage())
	limited := func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
		p.Spec.Containers[1].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")}
	}
	for _, tc := range []struct {
		name   string
		pod    *corev1.Pod
		reason v1alpha1.RunReason
		parts  []string
	}{
		{"What the runner left counts.", newPod(exited("runner", 1, "Error", message)), v1alpha1.RunReasonApplyFailed, []string{"no"}},
		{"It counts more than how the container ended.", newPod(exited("runner", 137, "OOMKilled", message)), v1alpha1.RunReasonApplyFailed, []string{"no"}},
		{"It counts more than an eviction.", newPod(evicted, exited("runner", 1, "Error", message)), v1alpha1.RunReasonApplyFailed, []string{"no"}},
		{"A container that was killed for memory says so, with the runner's limit.", newPod(limited, exited("runner", 137, "OOMKilled", "")), v1alpha1.RunReasonOutOfMemory, []string{"2Gi", "raise the memory limit"}},
		{"Without a limit it was the node's memory.", newPod(exited("runner", 137, "OOMKilled", "")), v1alpha1.RunReasonOutOfMemory, []string{"the node's memory"}},
		{"An evicted pod says where and why.", newPod(evicted), v1alpha1.RunReasonEvicted, []string{"node-1", "low on memory"}},
		{"An evicted pod whose container was killed was evicted.", newPod(evicted, exited("runner", 137, "Error", "")), v1alpha1.RunReasonEvicted, []string{"node-1"}},
		{"A pod that failed before it ran says what it can.", newPod(func(p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "UnexpectedAdmissionError", "no device"
		}), v1alpha1.RunReasonRunnerFailed, []string{"UnexpectedAdmissionError", "no device"}},
		{"A container that was killed otherwise is lost.", newPod(exited("runner", 137, "Error", "")), v1alpha1.RunReasonPodLost, []string{"SIGKILL"}},
		{"Any other end says where to look.", newPod(exited("runner", 2, "Error", "panic: x")), v1alpha1.RunReasonRunnerFailed,
			[]string{"exit code 2", "kubectl logs", "shop-orders-k-1", "groundwork-system"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := resultOf(tc.pod, terminated(tc.pod))
			if got.Reason != tc.reason {
				t.Errorf("reason is %s (%s), want %s", got.Reason, got.Message, tc.reason)
			}
			for _, part := range tc.parts {
				if !strings.Contains(got.Message, part) {
					t.Errorf("message is %q, want it to contain %q", got.Message, part)
				}
			}
			if tc.reason == left.Reason {
				if diff := cmp.Diff(left, got); diff != "" {
					t.Errorf("result, -want +got:\n%s", diff)
				}
			}
		})
	}
}

func TestHindrance(t *testing.T) {
	initWaits := func(p *corev1.Pod) {
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "mesh", State: corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "exit 1"}}}}
	}
	for _, tc := range []struct {
		name   string
		pod    *corev1.Pod
		reason v1alpha1.RunReason
		why    string
	}{
		{"Nothing is wrong with a new pod.", newPod(), v1alpha1.RunReasonPodNotStarted, ""},
		{"Nothing is wrong while the container is created.", newPod(waiting("ContainerCreating", "")), v1alpha1.RunReasonPodNotStarted, ""},
		{"Nothing is wrong while others are initialised.", newPod(waiting("PodInitializing", "")), v1alpha1.RunReasonPodNotStarted, ""},
		{"Nothing is wrong with a container that runs.", newPod(runs), v1alpha1.RunReasonPodNotStarted, ""},
		{"An image that is not there.", newPod(waiting("ErrImagePull", "manifest unknown")), v1alpha1.RunReasonImagePullFailed, "manifest unknown"},
		{"An image that is tried again.", newPod(waiting("ImagePullBackOff", "back-off")), v1alpha1.RunReasonImagePullFailed, "back-off"},
		{"An image's name that is none.", newPod(waiting("InvalidImageName", "x")), v1alpha1.RunReasonImagePullFailed, "InvalidImageName"},
		{"Credentials that are not there.", newPod(waiting("CreateContainerConfigError", `secret "aws" not found`)), v1alpha1.RunReasonPodNotStarted, `secret "aws" not found`},
		{"A container before the runner's that fails.", newPod(initWaits, waiting("PodInitializing", "")), v1alpha1.RunReasonPodNotStarted, "container mesh does not start (CrashLoopBackOff): exit 1"},
		{"No node.", newPod(unschedulable), v1alpha1.RunReasonPodUnschedulable, "0/3 nodes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			reason, why := hindrance(tc.pod)
			if reason != tc.reason || !strings.Contains(why, tc.why) || (why == "") != (tc.why == "") {
				t.Errorf("got %s %q, want %s %q", reason, why, tc.reason, tc.why)
			}
		})
	}
}
