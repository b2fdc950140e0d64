package infrastructure

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/state"
)

func TestDecide_approval(t *testing.T) {
	const waits = v1alpha1.ReasonApprovalRequired
	approvedRun := func(r *v1alpha1.Run) { r.Spec.Approved = &v1alpha1.ApprovedPlan{ID: "plan-a", Run: "shop-orders-k-1"} }
	for _, tc := range []decideCase{
		{"A plan that was kept waits, and it is said how to approve it.", newObserved(newInfra(onDestructive), newRun(1, planned("plan-a"))),
			keep, waits, "kubectl -n shop annotate infra orders infra.groundwork.dev/approve=plan-a --overwrite"},
		{"Once approved it is applied.", newObserved(newInfra(onDestructive, approves("plan-a")), newRun(1, planned("plan-a"))), startApply, progress, ""},
		{"The approval of another plan approves nothing.", newObserved(newInfra(onDestructive, approves("plan-b")), newRun(1, planned("plan-a"))),
			keep, waits, "the annotation approves plan-b, which is another plan"},
		{"A plan for other inputs is made anew, approved or not.", newObserved(newInfra(onDestructive, approves("plan-a")), newRun(1, otherInputs, planned("plan-a"))), startApply, progress, ""},
		{"Another plan is made when more or less has to be approved by now.", newObserved(newInfra(func(i *v1alpha1.Infrastructure) { i.Spec.Approval = v1alpha1.ApprovalAuto }), newRun(1, planned("plan-a"))),
			startApply, progress, ""},
		{"A request plans anew.", newObserved(newInfra(onDestructive, requested("1")), newRun(1, planned("plan-a"))), startApply, progress, ""},
		{"What was applied before does not matter to a plan that waits.", newObserved(newInfra(onDestructive), newRun(2, planned("plan-a")), newRun(1, otherInputs, succeeded)), keep, waits, ""},
		{"The plan is no longer wanted.", newObserved(newInfra(onDestructive), newRun(2, otherInputs, planned("plan-a")), newRun(1, succeeded)), startApply, progress, ""},
		{"The run that was approved has failed, and is tried again in time.",
			newObserved(newInfra(onDestructive, approves("plan-a")), newRun(2, approvedRun, ended(v1alpha1.RunReasonApplyFailed, time.Second)), newRun(1, planned("plan-a"))),
			keep, v1alpha1.ReasonRunFailed, ""},
		{"The run that was approved has found other changes.",
			newObserved(newInfra(onDestructive, approves("plan-a")), newRun(2, approvedRun, planned("plan-b")), newRun(1, planned("plan-a"))), keep, waits, "plan-b"},
		{"Suspended, an approval starts nothing.", newObserved(newInfra(onDestructive, suspended, approves("plan-a")), newRun(1, planned("plan-a"))), keep, v1alpha1.ReasonSuspended, ""},
		{"A deletion does not wait for an approval.", leaves(newObserved(newInfra(onDestructive, deleting), newRun(2, planned("plan-a")), newRun(1, otherInputs, succeeded)), true, &state.State{Resources: 1}),
			startDestroy, destroying, ""},
		{"A plan that waits is nothing to destroy.", newObserved(newInfra(onDestructive, deleting), newRun(1, planned("plan-a"))), forget, destroying, "Nothing was ever applied"},
	} {
		tc.run(t)
	}
}

func TestObserved_approved(t *testing.T) {
	want := &v1alpha1.ApprovedPlan{ID: "plan-a", Run: "shop-orders-k-2", By: "ann"}
	for _, tc := range []struct {
		name string
		o    *observed
		want *v1alpha1.ApprovedPlan
	}{
		{"Nothing is approved.", newObserved(newInfra(), newRun(2, planned("plan-a"))), nil},
		{"The newest plan.", newObserved(newInfra(approves("plan-a")), newRun(2, planned("plan-a")), newRun(1, planned("plan-b"))), want},
		{"An earlier plan.", newObserved(newInfra(approves("plan-b")), newRun(2, planned("plan-a")), newRun(1, planned("plan-b"))), nil},
		{"A plan whose run has failed since.", newObserved(newInfra(approves("plan-a")), newRun(3, ended(v1alpha1.RunReasonPodLost, time.Second)), newRun(2, planned("plan-a"))), want},
		{"A plan that was applied.", newObserved(newInfra(approves("plan-a")), newRun(3, succeeded), newRun(2, planned("plan-a"))), nil},
		{"Drift that was gone at the next look.", newObserved(newInfra(approves("plan-a")), newRun(3, looking, succeeded), newRun(2, looking, planned("plan-a"))), nil},
		{"Who approved another plan is not who approved this.", newObserved(newInfra(approves("plan-c")), newRun(2, planned("plan-c"))), &v1alpha1.ApprovedPlan{ID: "plan-c", Run: "shop-orders-k-2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.o.approved()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
