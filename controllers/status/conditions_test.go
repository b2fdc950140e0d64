package status

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// condition is a condition of generation 3, without its time.
func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: 3}
}

func TestSet(t *testing.T) {
	const (
		ready, reconciling, stalled = v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled
		yes, no, unknown            = metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown
	)
	wasReady := metav1.Condition{Type: ready, Status: yes, Reason: "InSync", Message: "applied", ObservedGeneration: 2}
	for _, tc := range []struct {
		name    string
		before  []metav1.Condition
		outcome Outcome
		want    []metav1.Condition
	}{
		{"In sync is Ready and nothing else.", nil, InSync("applied", 0),
			[]metav1.Condition{condition(ready, yes, "InSync", "applied")}},
		{"A run under way is Reconciling, and Ready is not known.", nil, Progressing("Progressing", "applying", 0),
			[]metav1.Condition{condition(ready, unknown, "Progressing", "applying"), condition(reconciling, yes, "Progressing", "applying")}},
		{"Waiting is Reconciling, never Stalled: Helm fails at once on Stalled.", nil, Waiting("Locked", time.Second, "by %s", "ann").Outcome,
			[]metav1.Condition{condition(ready, no, "Locked", "by ann"), condition(reconciling, yes, "Locked", "by ann")}},
		{"An error that is tried again is Reconciling.", nil, FromError(errors.New("no answer")),
			[]metav1.Condition{condition(ready, no, "Retrying", "no answer"), condition(reconciling, yes, "Retrying", "no answer")}},
		{"What needs a person is Stalled.", nil, Stalled("InvalidVariables", 0, "got %d", 1).Outcome,
			[]metav1.Condition{condition(ready, no, "InvalidVariables", "got 1"), condition(stalled, yes, "InvalidVariables", "got 1")}},
		{"Suspended leaves an object Ready that was.", []metav1.Condition{wasReady}, Suspended("suspended"),
			[]metav1.Condition{condition(ready, yes, "InSync", "applied")}},
		{"Suspended makes an object False that never was Ready.", nil, Suspended("suspended"),
			[]metav1.Condition{condition(ready, no, "Suspended", "suspended")}},
		{"Suspended makes an object False that was being worked on.",
			[]metav1.Condition{condition(ready, unknown, "Progressing", "x"), condition(reconciling, yes, "Progressing", "x")}, Suspended("suspended"),
			[]metav1.Condition{condition(ready, no, "Suspended", "suspended")}},
		{"Reconciling goes when a person is needed.",
			[]metav1.Condition{condition(reconciling, yes, "Progressing", "x")}, Stalled("InvalidVariables", 0, "bad").Outcome,
			[]metav1.Condition{condition(ready, no, "InvalidVariables", "bad"), condition(stalled, yes, "InvalidVariables", "bad")}},
		{"Stalled goes when the object is worked on again.",
			[]metav1.Condition{condition(stalled, yes, "InvalidVariables", "bad")}, Progressing("Progressing", "x", 0),
			[]metav1.Condition{condition(ready, unknown, "Progressing", "x"), condition(reconciling, yes, "Progressing", "x")}},
		{"Conditions of others stay.", []metav1.Condition{condition("Theirs", yes, "A", "b")}, InSync("applied", 0),
			[]metav1.Condition{condition("Theirs", yes, "A", "b"), condition(ready, yes, "InSync", "applied")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			infra := &v1alpha1.Infrastructure{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
			infra.Status.ObservedGeneration = -1
			infra.Status.Conditions = tc.before
			Set(infra, tc.outcome)
			opts := []cmp.Option{
				cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime"),
				cmpopts.SortSlices(func(a, b metav1.Condition) bool { return a.Type < b.Type }),
			}
			if diff := cmp.Diff(tc.want, infra.Status.Conditions, opts...); diff != "" {
				t.Errorf("conditions, -want +got:\n%s", diff)
			}
			if infra.Status.ObservedGeneration != 3 {
				t.Errorf("observedGeneration is %d, want the conditions' own, 3", infra.Status.ObservedGeneration)
			}
		})
	}
}

// A condition that stays keeps its time, or every look at an object that waits
// would be a write.
func TestSet_again(t *testing.T) {
	for _, tc := range []struct {
		name    string
		outcome Outcome
	}{
		{"In sync stays as it is.", InSync("x", 0)},
		{"Progressing stays as it is.", Progressing("Progressing", "x", 0)},
		{"Waiting stays as it is.", Waiting("Locked", 0, "x").Outcome},
		{"Stalled stays as it is.", Stalled("StateMissing", 0, "x").Outcome},
		{"Suspended stays as it is.", Suspended("x")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			infra := &v1alpha1.Infrastructure{}
			Set(infra, tc.outcome)
			long := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
			for i := range infra.Status.Conditions {
				infra.Status.Conditions[i].LastTransitionTime = long
			}
			before := infra.DeepCopy()
			Set(infra, tc.outcome)
			if diff := cmp.Diff(before.Status, infra.Status); diff != "" {
				t.Errorf("-before +after:\n%s", diff)
			}
		})
	}
}

func TestSet_longMessage(t *testing.T) {
	infra := &v1alpha1.Infrastructure{}
	Set(infra, InSync(strings.Repeat("é", maxMessage), 0))
	got := infra.Status.Conditions[0].Message
	if len(got) > maxMessage || !utf8.ValidString(got) || !strings.HasSuffix(got, "é…") {
		t.Errorf("message has %d bytes (valid: %t) and ends in %q; want at most %d, cut at a rune's border and marked", len(got), utf8.ValidString(got), got[len(got)-8:], maxMessage)
	}
}

func TestOutcome_Result(t *testing.T) {
	failure := errors.New("no answer")
	waiting := Waiting("Locked", time.Minute, "locked")
	for _, tc := range []struct {
		name    string
		outcome Outcome
		want    ctrl.Result
		err     error
	}{
		{"In sync needs no other look.", InSync("", 0), ctrl.Result{}, nil},
		{"A time to look again is kept.", Progressing("", "", time.Second), ctrl.Result{RequeueAfter: time.Second}, nil},
		{"Waiting is not an error.", FromError(waiting), ctrl.Result{RequeueAfter: time.Minute}, nil},
		{"Waiting is found in a chain of errors.", FromError(fmt.Errorf("start: %w", waiting)), ctrl.Result{RequeueAfter: time.Minute}, nil},
		{"A person is waited for without an error.", FromError(Stalled("", 0, "")), ctrl.Result{}, nil},
		{"Any other error is left to the queue's backoff.", FromError(failure), ctrl.Result{}, failure},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.outcome.Result()
			if diff := cmp.Diff(tc.want, got); diff != "" || !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Errorf("error %v, want %v; result, -want +got:\n%s", err, tc.err, diff)
			}
		})
	}
}
