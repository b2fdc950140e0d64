package infrastructure

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
)

func TestCheckDependencies(t *testing.T) {
	for _, tc := range []struct {
		name   string
		infra  v1alpha1.Infrastructure
		others []v1alpha1.Infrastructure
		want   []string
		reason string
	}{
		{"It needs nothing.", object("a"), []v1alpha1.Infrastructure{object("b", dependsOn("a"))}, nil, ""},
		{"It needs what does not exist yet.", object("a", dependsOn("b"), takes("name", "c", "none")), nil, nil, ""},
		{"It needs what needs another.", object("a", dependsOn("b")), []v1alpha1.Infrastructure{object("b", dependsOn("c")), object("c")}, nil, ""},
		{"It needs itself.", object("a", dependsOn("a")), nil,
			[]string{"spec.dependsOn[0].name: Invalid value: a → a is a cycle, in which each waits for the next; remove one of these dependencies"}, v1alpha1.ReasonDependencyCycle},
		{"It needs what needs it.", object("a", dependsOn("x", "b")), []v1alpha1.Infrastructure{object("b", takes("name", "a", "url"))},
			[]string{"spec.dependsOn[1].name: Invalid value: a → b → a is a cycle, in which each waits for the next; remove one of these dependencies"}, v1alpha1.ReasonDependencyCycle},
		{"The cycle goes through others, and an output.", object("a", takes("name", "b", "url")),
			[]v1alpha1.Infrastructure{object("b", dependsOn("d", "c")), object("c", dependsOn("a")), object("d")},
			[]string{"spec.variablesFrom[0].outputRef.name: Invalid value: a → b → c → a is a cycle, in which each waits for the next; remove one of these dependencies"}, v1alpha1.ReasonDependencyCycle},
		{"Two cycles.", object("a", dependsOn("b", "c")), []v1alpha1.Infrastructure{object("b", dependsOn("a")), object("c", dependsOn("a"))}, []string{
			"spec.dependsOn[0].name: Invalid value: a → b → a is a cycle, in which each waits for the next; remove one of these dependencies",
			"spec.dependsOn[1].name: Invalid value: a → c → a is a cycle, in which each waits for the next; remove one of these dependencies"}, v1alpha1.ReasonDependencyCycle},
		{"A cycle of others is theirs.", object("a", dependsOn("b")), []v1alpha1.Infrastructure{object("b", dependsOn("c")), object("c", dependsOn("b"))}, nil, ""},
		{"What it was before does not count.", object("a"), []v1alpha1.Infrastructure{object("a", dependsOn("b")), object("b", dependsOn("a"))}, nil, ""},
		{"It takes an output that there is.", object("a", takes("name", "b", "url")), []v1alpha1.Infrastructure{object("b")}, nil, ""},
		{"It takes an output that there is not.", object("a", takes("size", "b", "port"), takes("name", "b", "ur")), []v1alpha1.Infrastructure{object("b")},
			[]string{`spec.variablesFrom[1].outputRef.output: Invalid value: Infrastructure b: module queue has no output "ur"; did you mean "url"? its outputs are port, replica, url`}, v1alpha1.ReasonOutputNotFound},
		{"It takes an output of a module that nobody knows.", object("a", takes("name", "b", "ur")), []v1alpha1.Infrastructure{
			object("b", func(i *v1alpha1.Infrastructure) { i.Spec.Module = "gone" })}, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, fault := range checkDependencies(&tc.infra, tc.others, library(t)) {
				got = append(got, fault.Error())
				if fault.Origin != tc.reason || !ofSurroundings(fault) {
					t.Errorf("the reason is %q, want %q; of the surroundings: %t", fault.Origin, tc.reason, ofSurroundings(fault))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("faults, -want +got:\n%s", diff)
			}
		})
	}
}

func TestAwaitDependencies(t *testing.T) {
	progress := says(metav1.ConditionUnknown, v1alpha1.ReasonProgressing, "Applying 3 of 5")
	changed := func(infra *v1alpha1.Infrastructure) { infra.Generation++ }
	for _, tc := range []struct {
		name string
		// b is what a needs; nil for nothing.
		b    *v1alpha1.Infrastructure
		want string
	}{
		{"There is none.", nil, "there is none of that name yet"},
		{"It is Ready.", new(object("b", isApplied)), ""},
		{"It was never looked at.", new(object("b")), "it is new or has changed, and was not looked at since"},
		{"It has changed since.", new(object("b", isApplied, changed)), "it is new or has changed, and was not looked at since"},
		{"A run is under way.", new(object("b", isApplied, progress)), "it is not Ready yet (Progressing)"},
		{"It has failed.", new(object("b", isApplied, says(metav1.ConditionFalse, v1alpha1.ReasonRunFailed, "Run b-1 failed"))), "it is not Ready (RunFailed): Run b-1 failed"},
		{"It is being deleted.", new(object("b", isApplied, deleting)), "it is being deleted"},
		{"Nothing is applied.", new(object("b", says(metav1.ConditionTrue, v1alpha1.ReasonInSync, ""))), "nothing was applied for it yet"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, others := object("a", dependsOn("b", "c")), []v1alpha1.Infrastructure{object("c", isApplied)}
			if tc.b != nil {
				others = append(others, *tc.b)
			}
			err := awaitDependencies(&a, others)
			if tc.want == "" {
				if err != nil {
					t.Errorf("got %v, want no wait", err)
				}
				return
			}
			wait := (*status.Error)(nil)
			if !errors.As(err, &wait) || wait.Outcome.Reason() != v1alpha1.ReasonDependencyNotReady {
				t.Fatalf("got %v, want a wait", err)
			}
			if diff := cmp.Diff(`spec.dependsOn[0].name: waiting for Infrastructure "b": `+tc.want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A dependency that is busy holds back what would start a run, and nothing else.
func TestDecide_dependency(t *testing.T) {
	wait := status.Waiting(v1alpha1.ReasonDependencyNotReady, 0, "waiting for b")
	waits := func(infra *v1alpha1.Infrastructure, runs ...v1alpha1.Run) *observed {
		o := newObserved(infra, runs...)
		o.request, o.fault, o.stored = nil, wait, infra.DeepCopy()
		return o
	}
	changed := func(infra *v1alpha1.Infrastructure) { infra.Generation++ }
	broken := waits(newInfra(), newRun(1, succeeded))
	broken.fault = status.Stalled(v1alpha1.ReasonInvalidVariables, 0, "bad")
	for _, tc := range []decideCase{
		{"A new object waits.", waits(newInfra()), keep, v1alpha1.ReasonDependencyNotReady, "waiting for b"},
		{"One that is applied as it is stays Ready.", waits(newInfra(), newRun(1, succeeded)), keep, v1alpha1.ReasonInSync,
			"Applied queue 1.0.0; for now no run is started: waiting for b"},
		{"One that has changed since waits.", waits(newInfra(changed), newRun(1, succeeded)), keep, v1alpha1.ReasonDependencyNotReady, ""},
		{"One that has changed in what needs no run stays Ready.", waits(newInfra(changed, isApplied), newRun(1, succeeded)), keep, v1alpha1.ReasonInSync, ""},
		{"One that was Ready before it changed waits.", waits(newInfra(isApplied, changed), newRun(1, succeeded)), keep, v1alpha1.ReasonDependencyNotReady, ""},
		{"A request starts nothing.", waits(newInfra(requested("1")), newRun(1, succeeded)), keep, v1alpha1.ReasonInSync, ""},
		{"One whose last run failed waits.", waits(newInfra(isApplied), newRun(2, ended(v1alpha1.RunReasonApplyFailed, time.Hour)), newRun(1, succeeded)),
			keep, v1alpha1.ReasonDependencyNotReady, ""},
		{"One of the same name as an earlier one waits.", waits(newInfra(func(i *v1alpha1.Infrastructure) { i.UID = "other" }), newRun(1, succeeded)),
			keep, v1alpha1.ReasonDependencyNotReady, ""},
		{"One that was destroyed waits.", waits(newInfra(isApplied), newRun(2, destroy, succeeded)), keep, v1alpha1.ReasonDependencyNotReady, ""},
		{"A run goes on.", waits(newInfra(), newRun(1, taken)), await, progress, ""},
		{"A run that no pod has taken goes on too.", waits(newInfra(), newRun(1)), await, progress, ""},
		{"Suspended is told first.", waits(newInfra(suspended)), keep, v1alpha1.ReasonSuspended, ""},
		{"A fault of its own is told.", broken, keep, v1alpha1.ReasonInvalidVariables, "bad"},
	} {
		tc.run(t)
	}
}

func TestInputOf(t *testing.T) {
	for _, tc := range []struct {
		name   string
		output state.Output
		want   modules.Input
	}{
		{"A string.", state.Output{Value: cty.StringVal("sg-1")}, modules.Input{JSON: []byte(`"sg-1"`), Output: true, Source: "s"}},
		{"A number keeps every digit.", state.Output{Value: cty.MustParseNumberVal("12345678901234567890")}, modules.Input{JSON: []byte(`12345678901234567890`), Output: true, Source: "s"}},
		{"A set.", state.Output{Value: cty.SetVal([]cty.Value{cty.StringVal("a")})}, modules.Input{JSON: []byte(`["a"]`), Output: true, Source: "s"}},
		{"A sensitive one is secret.", state.Output{Value: cty.True, Sensitive: true}, modules.Input{JSON: []byte(`true`), Output: true, Secret: true, Source: "s"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := inputOf(tc.output, "s")
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("%v, -want +got:\n%s", err, diff)
			}
		})
	}
}
