//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
	"github.com/groundwork-dev/groundwork/state"
)

// These two are not parallel: they take away what the other tests need.

func TestController_killedDuringApply(t *testing.T) {
	controller := leader(t)
	ns := newNamespace(t)
	infra := create(t, ns, "slow", "slow", map[string]any{"seconds": 15})
	run := waitApplying(t, infra)
	pod := runnerPod(t, run.Name)
	kill(t, controller)

	waitReady(t, infra, 2*time.Minute)
	if all := runs(t, infra); len(all) != 1 || all[0].Status.PodUID != pod.UID {
		t.Errorf("want the one run of pod %s, got %+v", pod.UID, all)
	}
	remove(t, infra, time.Minute)
}

func TestAPIServer_awayDuringApply(t *testing.T) {
	needsOwnCluster(t, "it takes the API server away")
	ns := newNamespace(t)
	infra := create(t, ns, "slow", "slow", map[string]any{"seconds": 20})
	waitApplying(t, infra)
	if err := stage.RestartComponent(t.Context(), "kube-apiserver", "60s"); err != nil {
		t.Fatal(err)
	}
	waitReady(t, infra, 4*time.Minute)
	// Whatever way it came to be Ready, every step exists once: the state has them all.
	if infra.Status.Resources != 3 {
		t.Errorf("resources in the state: got %d, want 3", infra.Status.Resources)
	}
	remove(t, infra, 2*time.Minute)
}

func TestPod_forceDeletedDuringApply(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	infra := create(t, ns, "slow", "slow", map[string]any{"seconds": 30})
	run := waitApplying(t, infra)
	store := state.NewStore(stage.Client, devenv.Namespace)
	eventually(t, time.Minute, "Terraform holds the lock and makes the first step", func(ctx context.Context) (bool, string) {
		get(t, run)
		lock, err := store.Lock(ctx, state.Key(ns, infra.Name))
		return err == nil && lock != nil && strings.Contains(run.Status.Message, "step_"), fmt.Sprintf("%+v, %v, %s", lock, err, run.Status.Message)
	})
	killRunner(t, run.Name)
	err := stage.Client.Delete(t.Context(), runnerPod(t, run.Name), client.GracePeriodSeconds(0))
	if err != nil {
		t.Fatal(err)
	}
	waitReady(t, infra, 3*time.Minute)
	lost := &v1alpha1.Run{ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: run.Name}}
	get(t, lost)
	if lost.Status.Phase != v1alpha1.RunFailed || lost.Status.Reason != v1alpha1.RunReasonPodLost {
		t.Errorf("the lost run: got %s (%s), want Failed (PodLost)", lost.Status.Phase, lost.Status.Reason)
	}
	eventually(t, 10*time.Second, "an event tells that the lock was broken", func(ctx context.Context) (bool, string) {
		events, err := stage.Kubectl(ctx, "-n", ns, "get", "events")
		return err == nil && strings.Contains(events, "LockBroken"), events
	})
	remove(t, infra, time.Minute)
}

func TestLock_heldBySomeoneElse(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	infra := create(t, ns, "locked", "slow", map[string]any{"seconds": 0})
	waitReady(t, infra, 2*time.Minute)

	release := lockByHand(t, infra)
	update(t, infra, func(infra *v1alpha1.Infrastructure) {
		infra.Spec.Variables = values(t, map[string]any{"seconds": 0, "revision": "2"})
	})
	waitCondition(t, infra, 30*time.Second, v1alpha1.ConditionReconciling, v1alpha1.ReasonLocked)
	message := infra.Status.Conditions[0].Message
	for _, want := range []string{"ada@workstation", "2026-01-02T03:04:05Z"} {
		if !strings.Contains(message, want) {
			t.Errorf("message: want %q in %q", want, message)
		}
	}
	release()
	waitReady(t, infra, 2*time.Minute)
	remove(t, infra, time.Minute)
}

// lockByHand locks the object's state as Terraform's backend does when somebody works
// on it by hand. The function that it returns releases the lock, which must be there.
func lockByHand(t *testing.T, infra *v1alpha1.Infrastructure) (release func()) {
	t.Helper()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Namespace: devenv.Namespace, Name: state.LeaseName(state.Key(infra.Namespace, infra.Name)),
	}}
	get(t, lease)
	lease.Spec.HolderIdentity = ptr.To("11111111-2222-3333-4444-555555555555")
	lease.Annotations = map[string]string{"app.terraform.io/lock-info": `{"ID":"11111111-2222-3333-4444-555555555555","Operation":"OperationTypeApply","Who":"ada@workstation","Version":"1.11.4","Created":"2026-01-02T03:04:05Z"}`}
	if err := stage.Client.Update(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		get(t, lease)
		if ptr.Deref(lease.Spec.HolderIdentity, "") == "" {
			t.Fatal("the foreign lock was broken")
		}
		lease.Spec.HolderIdentity, lease.Annotations = nil, nil
		if err := stage.Client.Update(t.Context(), lease); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunner_terminatedDuringApply(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	infra := create(t, ns, "slow", "slow", map[string]any{"seconds": 30})
	run := waitApplying(t, infra)
	eventually(t, time.Minute, "the first step is made", func(context.Context) (bool, string) {
		get(t, run)
		return strings.Contains(run.Status.Message, "step_2"), run.Status.Message
	})
	// A graceful delete sends SIGTERM to the runner.
	if err := stage.Client.Delete(t.Context(), runnerPod(t, run.Name)); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the run is over", func(context.Context) (bool, string) {
		get(t, run)
		return run.Status.Phase.Finished(), string(run.Status.Phase)
	})
	if run.Status.Reason != v1alpha1.RunReasonInterrupted {
		t.Errorf("reason: got %s, want Interrupted", run.Status.Reason)
	}
	key := state.Key(ns, infra.Name)
	store := state.NewStore(stage.Client, devenv.Namespace)
	if lock, err := store.Lock(t.Context(), key); err != nil || lock != nil {
		t.Errorf("the lock must be released, got %+v, %v", lock, err)
	}
	if saved, err := store.Read(t.Context(), key); err != nil || saved.Resources == 0 {
		t.Errorf("the state must hold the first step, got %+v, %v", saved, err)
	}
	waitReady(t, infra, 2*time.Minute)
	remove(t, infra, time.Minute)
}

func runnerPod(t *testing.T, name string) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: name}}
	get(t, pod)
	return pod
}

// leader returns the controller's pod that works.
func leader(t *testing.T) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{}
	eventually(t, time.Minute, "one of the controller's pods leads", func(ctx context.Context) (bool, string) {
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: "groundwork-controller"}}
		if err := stage.Client.Get(ctx, client.ObjectKeyFromObject(lease), lease); err != nil {
			return false, err.Error()
		}
		// The holder is the pod's name, an underscore and a UUID.
		name, _, _ := strings.Cut(ptr.Deref(lease.Spec.HolderIdentity, ""), "_")
		err := stage.Client.Get(ctx, client.ObjectKey{Namespace: devenv.Namespace, Name: name}, pod)
		return err == nil && pod.DeletionTimestamp.IsZero(), fmt.Sprintf("holder %q, %v", name, err)
	})
	return pod
}

// killRunner ends the runner and its Terraform with SIGKILL.
func killRunner(t *testing.T, run string) {
	t.Helper()
	kill(t, runnerPod(t, run))
}

// kill ends the processes of a pod's containers with SIGKILL. On a cluster that is
// not on this machine, deleting the pod by force comes nearest.
func kill(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	pids := podProcesses(t, pod)
	if len(pids) == 0 && os.Getenv("CLUSTER") == "existing" {
		if err := stage.Client.Delete(t.Context(), pod.DeepCopy(), client.GracePeriodSeconds(0)); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(pids) == 0 {
		t.Fatalf("found no process of pod %s on this machine", pod.Name)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
}

// podProcesses finds the processes in a pod's control groups, but for the sandbox.
func podProcesses(t *testing.T, pod *corev1.Pod) []int {
	t.Helper()
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, group := range groups {
		content, err := os.ReadFile(group)
		if err != nil || !strings.Contains(string(content), string(pod.UID)) {
			continue
		}
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(group), "cmdline")) // It may have ended.
		var pid int
		if _, err := fmt.Sscanf(group, "/proc/%d/cgroup", &pid); err == nil && strings.Contains(string(command), "/groundwork/") {
			pids = append(pids, pid)
		}
	}
	return pids
}
