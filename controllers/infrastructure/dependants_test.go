package infrastructure

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/state"
)

func TestDependants(t *testing.T) {
	stopped := says(metav1.ConditionFalse, v1alpha1.ReasonSuspended, "Suspended")
	for _, tc := range []struct {
		name   string
		infra  v1alpha1.Infrastructure
		others []v1alpha1.Infrastructure
		want   []string
	}{
		{"Nobody.", object("a"), []v1alpha1.Infrastructure{object("a"), object("b", dependsOn("c")), object("c")}, nil},
		{"Those that name it, sorted.", object("a"), []v1alpha1.Infrastructure{object("c", takes("name", "a", "url")), object("b", dependsOn("x", "a"))}, []string{"b", "c"}},
		{"Not those that need them.", object("a"), []v1alpha1.Infrastructure{object("b", dependsOn("a")), object("c", dependsOn("b"))}, []string{"b"}},
		{"One that was never applied, or is suspended, counts.", object("a"), []v1alpha1.Infrastructure{object("b", dependsOn("a"), suspended)}, []string{"b"}},
		{"One that is being deleted counts.", object("a"), []v1alpha1.Infrastructure{object("b", dependsOn("a"), deleting)}, []string{"b (being deleted)"}},
		{"It says how far it is.", object("a"), []v1alpha1.Infrastructure{object("b", dependsOn("a"), deleting, stopped)}, []string{"b (being deleted: Suspended)"}},
		{"Itself does not count.", object("a", dependsOn("a")), []v1alpha1.Infrastructure{object("a", dependsOn("a"))}, nil},
		{"One that it needs as well does not count.", object("a", dependsOn("b")), []v1alpha1.Infrastructure{object("b", dependsOn("a")), object("c", dependsOn("a"))}, []string{"c"}},
		{"Nor one that it needs through others.", object("a", dependsOn("b")), []v1alpha1.Infrastructure{object("b", dependsOn("c")), object("c", dependsOn("a"))}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, dependants(&tc.infra, tc.others)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDecide_dependants(t *testing.T) {
	needed := func(o *observed, by ...string) *observed {
		o.dependants = by
		return o
	}
	full := &state.State{Resources: 2}
	gone, applied := newInfra(deleting), newRun(1, applying, succeeded)
	failed := newRun(2, destroy, ended(v1alpha1.RunReasonApplyFailed, time.Hour))
	for _, tc := range []decideCase{
		{"One other is waited for.", needed(leaves(newObserved(gone, applied), true, full), "b"), keep, v1alpha1.ReasonDependants, "Still needed by Infrastructure b: "},
		{"Two are.", needed(leaves(newObserved(gone, applied), true, full), "b", "c"), keep, v1alpha1.ReasonDependants, "Still needed by Infrastructures b and c: "},
		{"Three are.", needed(leaves(newObserved(gone, applied), true, full), "b", "c", "d"), keep, v1alpha1.ReasonDependants, "Infrastructures b, c and d: "},
		{"Nobody is.", needed(leaves(newObserved(gone, applied), true, full)), startDestroy, destroying, ""},
		{"What has nothing is forgotten all the same.", needed(newObserved(gone), "b"), forget, destroying, "Nothing"},
		{"What is destroyed is forgotten all the same.", needed(leaves(newObserved(gone, newRun(2, destroy, succeeded), applied), true, &state.State{}), "b"), forget, destroying, "Destroyed"},
		{"A destroy that has begun is tried again.", needed(leaves(newObserved(gone, failed, applied), true, full), "b"), startDestroy, destroying, ""},
		{"A protection is told first.", needed(leaves(newObserved(newInfra(deleting, protected), applied), true, full), "b"), keep, v1alpha1.ReasonProtected, ""},
	} {
		tc.run(t)
	}
}

func TestSignals(t *testing.T) {
	progressing := func(message string) func(*v1alpha1.Infrastructure) {
		return func(i *v1alpha1.Infrastructure) {
			says(metav1.ConditionUnknown, v1alpha1.ReasonProgressing, message)(i)
			i.Status.Run = &v1alpha1.CurrentRun{Message: message}
		}
	}
	failed := func(message string) func(*v1alpha1.Infrastructure) {
		return says(metav1.ConditionFalse, v1alpha1.ReasonRunFailed, message)
	}
	ran := func(run string) func(*v1alpha1.Infrastructure) {
		return func(i *v1alpha1.Infrastructure) {
			i.Status.History = append([]v1alpha1.RunSummary{{Run: run}}, i.Status.History...)
		}
	}
	type modify = func(*v1alpha1.Infrastructure)
	for _, tc := range []struct {
		name          string
		before, after []modify
		want          bool
	}{
		{"Nothing.", []modify{isApplied}, []modify{isApplied}, false},
		{"A label.", []modify{isApplied}, []modify{isApplied, func(i *v1alpha1.Infrastructure) { i.Labels = map[string]string{"a": "b"} }}, false},
		{"A run's progress.", []modify{isApplied, progressing("Planning")}, []modify{isApplied, progressing("Applying 1 of 2")}, false},
		{"A run begins.", []modify{isApplied}, []modify{isApplied, progressing("Planning")}, true},
		{"It is Ready again.", []modify{isApplied, progressing("Planning")}, []modify{isApplied}, true},
		{"A run has ended between two looks.", []modify{isApplied, ran("b-1")}, []modify{isApplied, ran("b-1"), ran("b-2")}, true},
		{"It fails otherwise.", []modify{isApplied, failed("a")}, []modify{isApplied, failed("b")}, true},
		{"The spec.", []modify{isApplied}, []modify{isApplied, func(i *v1alpha1.Infrastructure) { i.Generation++ }}, true},
		{"The new spec is looked at.", []modify{func(i *v1alpha1.Infrastructure) { i.Generation++ }, isApplied, func(i *v1alpha1.Infrastructure) { i.Status.ObservedGeneration-- }},
			[]modify{func(i *v1alpha1.Infrastructure) { i.Generation++ }, isApplied}, true},
		{"A deletion.", []modify{isApplied}, []modify{isApplied, deleting}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := event.UpdateEvent{ObjectOld: new(object("b", tc.before...)), ObjectNew: new(object("b", tc.after...))}
			if got := signals().Update(e); got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
	if b := new(object("b")); !signals().Delete(event.DeleteEvent{Object: b}) || signals().Create(event.CreateEvent{Object: b}) {
		t.Error("want that an object that goes is told, and a new one is not")
	}
}
