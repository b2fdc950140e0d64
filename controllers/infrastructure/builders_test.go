package infrastructure

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// testNow is when the tests happen.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// digestA and digestB identify two different inputs.
const (
	digestA = "sha256:a"
	digestB = "sha256:b"
)

// newInfra returns an object of generation 1 that asks for the module queue.
func newInfra(modify ...func(*v1alpha1.Infrastructure)) *v1alpha1.Infrastructure {
	infra := &v1alpha1.Infrastructure{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders", UID: "uid", Generation: 1},
		Spec:       v1alpha1.InfrastructureSpec{Module: "queue"},
	}
	for _, m := range modify {
		m(infra)
	}
	return infra
}

func deleting(infra *v1alpha1.Infrastructure) {
	infra.DeletionTimestamp = &metav1.Time{Time: testNow}
}

func protected(infra *v1alpha1.Infrastructure) {
	infra.Spec.DeletionPolicy = v1alpha1.DeletionPolicyProtect
}

func suspended(infra *v1alpha1.Infrastructure) { infra.Spec.Suspend = true }

// requested asks for a reconcile.
func requested(value string) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) {
		infra.Annotations = map[string]string{v1alpha1.AnnotationReconcile: value}
	}
}

// newRun returns the n-th Run of an object from newInfra: a pending apply of digestA.
func newRun(n int, modify ...func(*v1alpha1.Run)) v1alpha1.Run {
	run := v1alpha1.Run{
		ObjectMeta: metav1.ObjectMeta{Namespace: "groundwork-system", Name: runName("shop-orders-k", n)},
		Spec: v1alpha1.RunSpec{
			Infrastructure: v1alpha1.InfrastructureReference{Namespace: "shop", Name: "orders", UID: "uid", Generation: 1},
			Operation:      v1alpha1.OperationApply,
			Module:         v1alpha1.ModuleReference{Name: "queue", Version: "1.0.0", Digest: "sha256:0"},
			InputsDigest:   digestA,
		},
		Status: v1alpha1.RunStatus{Phase: v1alpha1.RunPending},
	}
	for _, m := range modify {
		m(&run)
	}
	return run
}

func destroy(run *v1alpha1.Run) { run.Spec.Operation = v1alpha1.OperationDestroy }

// otherInputs makes the Run one of digestB.
func otherInputs(run *v1alpha1.Run) { run.Spec.InputsDigest = digestB }

// taken makes the Run one that a pod has taken.
func taken(run *v1alpha1.Run) {
	run.Status.PodUID, run.Status.Phase = "pod", v1alpha1.RunPlanning
}

// applying makes the Run one that changes resources.
func applying(run *v1alpha1.Run) {
	run.Status.PodUID, run.Status.Phase = "pod", v1alpha1.RunApplying
	run.Status.ApplyStartedAt = &metav1.Time{Time: testNow}
}

// ended finishes the Run, some time ago.
func ended(reason v1alpha1.RunReason, ago time.Duration) func(*v1alpha1.Run) {
	return func(run *v1alpha1.Run) {
		run.Status.Finish(reason, fmt.Sprintf("the message of %s", reason), metav1.NewTime(testNow.Add(-ago)))
	}
}

func succeeded(run *v1alpha1.Run) { ended(v1alpha1.RunReasonSucceeded, time.Hour)(run) }

// newObserved returns what is known of an object that has no Runs and wants
// digestA, or that is being deleted and has left nothing behind.
func newObserved(infra *v1alpha1.Infrastructure, runs ...v1alpha1.Run) *observed {
	o := &observed{now: testNow, infra: infra, stored: infra, key: "shop-orders-k", runs: runs}
	if infra.DeletionTimestamp.IsZero() {
		o.request = &runner.Request{
			InputsDigest: digestA,
			Module:       v1alpha1.ModuleReference{Name: "queue", Version: "1.0.0", Digest: "sha256:0"},
		}
	}
	return o
}

// leaves is an object that is being deleted, with what an apply has left behind.
func leaves(o *observed, snapshot bool, current *state.State) *observed {
	if snapshot {
		o.snapshot = &runner.Request{InputsDigest: digestA}
	}
	o.state = current
	return o
}

// planned ends the Run with a plan that is kept.
func planned(id string) func(*v1alpha1.Run) {
	return func(run *v1alpha1.Run) {
		ended(v1alpha1.RunReasonPlanned, time.Minute)(run)
		run.Status.Plan = &v1alpha1.PlanSummary{ID: id, Replace: 1}
		run.Spec.Approval = v1alpha1.ApprovalOnDestructive
	}
}

// looking makes the Run one that looks for drift.
func looking(run *v1alpha1.Run) {
	run.Spec.Operation, run.Spec.Trigger = v1alpha1.OperationPlan, v1alpha1.TriggerDrift
}

// correcting makes the Run one that looks for drift to put it back.
func correcting(run *v1alpha1.Run) { run.Spec.Trigger = v1alpha1.TriggerDrift }

// approves annotates the object with a plan's id.
func approves(id string) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) {
		infra.Annotations = map[string]string{v1alpha1.AnnotationApprove: id, v1alpha1.AnnotationApprovedBy: "plan-a ann"}
	}
}

// onDestructive and everyHour are the API server's defaults.
func onDestructive(infra *v1alpha1.Infrastructure) {
	infra.Spec.Approval = v1alpha1.ApprovalOnDestructive
}

func everyHour(mode v1alpha1.DriftMode) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) {
		onDestructive(infra)
		infra.Spec.Drift = v1alpha1.DriftSpec{Mode: mode, Interval: metav1.Duration{Duration: time.Hour}}
	}
}
