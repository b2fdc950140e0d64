package infrastructure

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func TestDecide_drift(t *testing.T) {
	const inSync = v1alpha1.ReasonInSync
	long := ended(v1alpha1.RunReasonSucceeded, 2*time.Hour)
	report, correct, ignore := everyHour(v1alpha1.DriftReport), everyHour(v1alpha1.DriftCorrect), everyHour(v1alpha1.DriftIgnore)
	recently := ended(v1alpha1.RunReasonSucceeded, time.Minute)
	for _, tc := range []decideCase{
		{"It is not time yet.", newObserved(newInfra(report), newRun(1, recently)), keep, inSync, "Applied queue 1.0.0"},
		{"It is time.", newObserved(newInfra(report), newRun(1, long)), startPlan, inSync, "looking for drift"},
		{"It is time, and drift is to be put back.", newObserved(newInfra(correct), newRun(1, long)), startCorrection, inSync, "looking for drift"},
		{"Nobody cares.", newObserved(newInfra(ignore), newRun(1, long)), keep, inSync, ""},
		{"A restart looks at nothing that was looked at.", newObserved(newInfra(report), newRun(2, looking, recently), newRun(1, long)), keep, inSync, ""},
		{"The object is Ready while a look is under way.", newObserved(newInfra(report), newRun(2, looking, taken), newRun(1, long)), await, inSync, "looking for drift"},
		{"But not for a spec that is newer than the look.",
			newObserved(newInfra(report, func(i *v1alpha1.Infrastructure) { i.Generation = 2 }), newRun(2, looking, taken), newRun(1, long)), await, progress, ""},
		{"It is not Ready while drift is put back.", newObserved(newInfra(correct), newRun(2, correcting, applying), newRun(1, long)), await, progress, ""},
		{"Drift is reported, and the object stays Ready.", newObserved(newInfra(report), newRun(2, looking, planned("plan-a")), newRun(1, long)), keep, inSync, ""},
		{"Drift that may not be put back without approval leaves the object Ready.", newObserved(newInfra(correct), newRun(2, correcting, planned("plan-a")), newRun(1, long)), keep, inSync, ""},
		{"An approved report is put back.", newObserved(newInfra(report, approves("plan-a")), newRun(2, looking, planned("plan-a")), newRun(1, long)), startApply, progress, "put back"},
		{"A failed look leaves the object Ready, and is tried again in time.",
			newObserved(newInfra(report), newRun(2, looking, ended(v1alpha1.RunReasonPlanFailed, time.Second)), newRun(1, long)), keep, inSync, ""},
		{"A failed look is tried again.", newObserved(newInfra(report), newRun(2, looking, ended(v1alpha1.RunReasonPlanFailed, time.Minute)), newRun(1, long)), startPlan, inSync, ""},
		{"What failed to be put back is not in sync.", newObserved(newInfra(correct), newRun(2, correcting, applying, ended(v1alpha1.RunReasonApplyFailed, time.Second)), newRun(1, long)),
			keep, v1alpha1.ReasonRunFailed, ""},
		{"Other inputs come first.", newObserved(newInfra(report), newRun(2, looking, planned("plan-a")), newRun(1, otherInputs, long)), startApply, progress, ""},
		{"An object of the same name that was created anew looks at what it takes up.",
			newObserved(newInfra(report, func(i *v1alpha1.Infrastructure) { i.UID = "new" }), newRun(1, recently)), startApply, progress, ""},
	} {
		tc.run(t)
	}
}

// Many objects that were made at once are spread evenly over the interval, and then
// come once in each.
func TestNextLook(t *testing.T) {
	const n, buckets = 1000, 10
	var count [buckets]int
	for i := range n {
		uid := types.UID(fmt.Sprint("uid-", i))
		first := nextLook(testNow, time.Hour, uid)
		if after := first.Sub(testNow); after < 30*time.Minute || after >= 90*time.Minute {
			t.Fatalf("the first look comes after %s, want it within an interval, half of one from now", after)
		}
		if again := nextLook(first.Add(10*time.Second), time.Hour, uid); again != first.Add(time.Hour) {
			t.Fatalf("the second look comes %s after the first, want an hour", again.Sub(first))
		}
		count[int(first.Sub(testNow)/(6*time.Minute))%buckets]++
	}
	for i, c := range count {
		if c < n/buckets*6/10 || c > n/buckets*14/10 {
			t.Errorf("%d of %d looks are in part %d of %d of the interval: %v", c, n, i, buckets, count)
		}
	}
}

func TestSetDrifted(t *testing.T) {
	before := []metav1.Condition{{Type: v1alpha1.ConditionDrifted, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonDriftDetected, Message: "before"}}
	for _, tc := range []struct {
		name    string
		runs    []v1alpha1.Run
		status  metav1.ConditionStatus
		message string
	}{
		{"Drift was found.", []v1alpha1.Run{newRun(2, looking, planned("plan-a"))}, metav1.ConditionTrue, "approve=plan-a"},
		{"Drift was found that may not be put back without approval.", []v1alpha1.Run{newRun(2, correcting, planned("plan-a"))}, metav1.ConditionTrue, "approve=plan-a"},
		{"None was found.", []v1alpha1.Run{newRun(2, looking, succeeded)}, "", ""},
		{"It was put back.", []v1alpha1.Run{newRun(2, succeeded)}, "", ""},
		{"The look has failed.", []v1alpha1.Run{newRun(2, looking, ended(v1alpha1.RunReasonPlanFailed, 0))}, metav1.ConditionUnknown, "PlanFailed"},
		{"A look is under way.", []v1alpha1.Run{newRun(2, looking, taken)}, metav1.ConditionTrue, "before"},
		{"It is being put back.", []v1alpha1.Run{newRun(2, applying)}, metav1.ConditionTrue, "before"},
		{"The look was cancelled.", []v1alpha1.Run{newRun(2, looking, ended(v1alpha1.RunReasonCancelled, 0))}, metav1.ConditionTrue, "before"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := newObserved(newInfra(), tc.runs...)
			o.infra.Status.Conditions = slices.Clone(before)
			setDrifted(o)
			got := meta.FindStatusCondition(o.infra.Status.Conditions, v1alpha1.ConditionDrifted)
			if got == nil {
				got = &metav1.Condition{}
			}
			if got.Status != tc.status || !strings.Contains(got.Message, tc.message) {
				t.Errorf("Drifted is %+v, want %q with %q", got, tc.status, tc.message)
			}
		})
	}
}
