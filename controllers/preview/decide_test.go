package preview

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
)

// testNow is when the tests happen.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func held(p *v1alpha1.Preview) { p.Finalizers = []string{v1alpha1.FinalizerPreview} }

func deleting(p *v1alpha1.Preview) { p.DeletionTimestamp = &metav1.Time{Time: testNow} }

func started(p *v1alpha1.Preview) { p.Status.Run = &v1alpha1.CurrentRun{Name: "run"} }

// ended makes the Preview one that has ended some time ago.
func ended(ago time.Duration) func(*v1alpha1.Preview) {
	return func(p *v1alpha1.Preview) { p.Status.FinishedAt = &metav1.Time{Time: testNow.Add(-ago)} }
}

func TestDecide(t *testing.T) {
	run := func(phase v1alpha1.RunPhase) *v1alpha1.Run {
		return &v1alpha1.Run{Status: v1alpha1.RunStatus{Phase: phase}}
	}
	type modify = []func(*v1alpha1.Preview)
	for _, tc := range []struct {
		name   string
		modify modify
		run    *v1alpha1.Run
		want   decision
	}{
		{"A new one starts its run.", nil, nil, decision{action: start}},
		{"One that was interrupted before its run starts it.", modify{held}, nil, decision{action: start}},
		{"A run that waits is followed.", modify{held}, run(v1alpha1.RunPending), decision{action: follow}},
		{"A run under way is followed.", modify{held, started}, run(v1alpha1.RunPlanning), decision{action: follow}},
		{"A plan is brought over.", modify{held, started}, run(v1alpha1.RunPlanned), decision{action: conclude}},
		{"So is a failure.", modify{held, started}, run(v1alpha1.RunFailed), decision{action: conclude}},
		{"A run that is gone is not started again.", modify{held, started}, nil, decision{action: lament}},
		{"What is over is cleared away.", modify{held, ended(0)}, run(v1alpha1.RunPlanned), decision{action: release}},
		{"Also when only the finalizer is left.", modify{held, ended(0)}, nil, decision{action: release}},
		{"A result stays for its time.", modify{ended(20 * time.Minute)}, nil, decision{action: keep, after: 40 * time.Minute}},
		{"And goes then.", modify{ended(time.Hour)}, nil, decision{action: expire}},
		{"A deletion takes the run along.", modify{held, started, deleting}, run(v1alpha1.RunPlanning), decision{action: release}},
		{"A deletion of one that has nothing is no work.", modify{deleting}, nil, decision{action: keep}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &v1alpha1.Preview{Spec: v1alpha1.PreviewSpec{TTL: metav1.Duration{Duration: time.Hour}}}
			for _, m := range tc.modify {
				m(p)
			}
			got := decide(&observed{now: testNow, preview: p, run: tc.run})
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(decision{})); diff != "" {
				t.Errorf("decision, -want +got:\n%s", diff)
			}
		})
	}
}

func TestOutcomeOf(t *testing.T) {
	for _, tc := range []struct {
		reason  v1alpha1.RunReason
		message string
		want    status.Outcome
	}{
		{v1alpha1.RunReasonPlanned, "Plan: 1 to create", status.Planned(v1alpha1.ReasonPlanned, "Plan: 1 to create")},
		{v1alpha1.RunReasonSucceeded, "No changes", status.Planned(v1alpha1.ReasonNoChanges, "No changes")},
		{v1alpha1.RunReasonPolicyDenied, "policy x", status.Stalled(v1alpha1.ReasonPolicyDenied, 0, "policy x").Outcome},
		{v1alpha1.RunReasonPodLost, "gone", status.Stalled(v1alpha1.ReasonPlanFailed, 0, "PodLost: gone").Outcome},
	} {
		var s v1alpha1.RunStatus
		s.Finish(tc.reason, tc.message, metav1.NewTime(testNow))
		if diff := cmp.Diff(tc.want, outcomeOf(&s), cmp.AllowUnexported(status.Outcome{})); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tc.reason, diff)
		}
	}
}
