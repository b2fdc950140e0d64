package run

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/pod"
)

// exitKilled is the exit code of a container that was ended by SIGKILL: 128 + 9.
const exitKilled = 137

// terminated is how the runner's container ended; nil when it has not. Other
// containers, which a cluster may put into pods, tell nothing.
func terminated(p *corev1.Pod) *corev1.ContainerStateTerminated {
	for i := range p.Status.ContainerStatuses {
		if c := &p.Status.ContainerStatuses[i]; c.Name == pod.ContainerName {
			return c.State.Terminated
		}
	}
	return nil
}

// resultOf reads the result of a pod that has ended: what the runner left, or else
// what Kubernetes says.
func resultOf(p *corev1.Pod, ended *corev1.ContainerStateTerminated) runner.Result {
	if ended != nil {
		if result, err := runner.ParseResult(ended.Message); err == nil {
			return result
		}
	}
	fail := func(reason v1alpha1.RunReason, format string, args ...any) runner.Result {
		return runner.Result{Reason: reason, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case p.Status.Reason == "Evicted":
		return fail(v1alpha1.RunReasonEvicted, "node %s evicted the pod: %s", p.Spec.NodeName, p.Status.Message)
	case ended == nil:
		return fail(v1alpha1.RunReasonRunnerFailed, "the pod failed without having run: %s %s", p.Status.Reason, p.Status.Message)
	case ended.Reason == "OOMKilled":
		return fail(v1alpha1.RunReasonOutOfMemory, "the runner was killed for want of memory; its limit is %s: raise the memory limit of runner pods",
			memoryLimit(p))
	case ended.ExitCode == exitKilled:
		return fail(v1alpha1.RunReasonPodLost, "the runner was killed by SIGKILL and left no result")
	default:
		return fail(v1alpha1.RunReasonRunnerFailed, "the runner ended with exit code %d (%s) and left no result; kubectl logs has its last lines: pod %s in namespace %s",
			ended.ExitCode, ended.Reason, p.Name, p.Namespace)
	}
}

func memoryLimit(p *corev1.Pod) string {
	for _, c := range p.Spec.Containers {
		if limit, ok := c.Resources.Limits[corev1.ResourceMemory]; ok && c.Name == pod.ContainerName {
			return limit.String()
		}
	}
	return "the node's memory"
}

// imageFault tells the reasons for which kubelet does not get an image.
// Source: k8s.io/kubernetes/pkg/kubelet/images/types.go
func imageFault(reason string) bool {
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
		"RegistryUnavailable", "SignatureValidationFailed":
		return true
	}
	return false
}

// hindrance is why a pod has not started: the reason that its Run fails with if it
// lasts, and a sentence; the sentence is empty while nothing is wrong.
func hindrance(p *corev1.Pod) (v1alpha1.RunReason, string) {
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		waiting := c.State.Waiting
		switch {
		case waiting == nil || waiting.Reason == "ContainerCreating" || waiting.Reason == "PodInitializing":
		case imageFault(waiting.Reason):
			return v1alpha1.RunReasonImagePullFailed, fmt.Sprintf("the image of container %s cannot be pulled (%s): %s", c.Name, waiting.Reason, waiting.Message)
		default:
			return v1alpha1.RunReasonPodNotStarted, fmt.Sprintf("container %s does not start (%s): %s", c.Name, waiting.Reason, waiting.Message)
		}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return v1alpha1.RunReasonPodUnschedulable, fmt.Sprintf("no node takes the runner pod (%s): %s", c.Reason, c.Message)
		}
	}
	return v1alpha1.RunReasonPodNotStarted, ""
}
