package infrastructure

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// object is one of namespace shop that asks for the module queue.
func object(name string, modify ...func(*v1alpha1.Infrastructure)) v1alpha1.Infrastructure {
	infra := newInfra(modify...)
	infra.Name = name
	return *infra
}

// dependsOn makes the object need others.
func dependsOn(names ...string) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) {
		for _, name := range names {
			infra.Spec.DependsOn = append(infra.Spec.DependsOn, v1alpha1.NameReference{Name: name})
		}
	}
}

// takes makes a variable of the object another's output.
func takes(variable, name, output string) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) {
		infra.Spec.VariablesFrom = append(infra.Spec.VariablesFrom, v1alpha1.VariablesSource{
			Variable: variable, OutputRef: &v1alpha1.OutputReference{Name: name, Output: output},
		})
	}
}

func TestNeeds(t *testing.T) {
	for _, tc := range []struct {
		name   string
		modify []func(*v1alpha1.Infrastructure)
		want   []need
	}{
		{"Nothing.", nil, nil},
		{"What it depends on, in this order.", []func(*v1alpha1.Infrastructure){dependsOn("b", "a")},
			[]need{{"b", "spec.dependsOn[0].name"}, {"a", "spec.dependsOn[1].name"}}},
		{"What it takes outputs of, each once.", []func(*v1alpha1.Infrastructure){takes("x", "a", "url"), takes("y", "a", "port")},
			[]need{{"a", "spec.variablesFrom[0].outputRef.name"}}},
		{"Both, each once.", []func(*v1alpha1.Infrastructure){takes("x", "a", "url"), takes("y", "b", "port"), dependsOn("a")},
			[]need{{"a", "spec.dependsOn[0].name"}, {"b", "spec.variablesFrom[1].outputRef.name"}}},
		{"No Secret.", []func(*v1alpha1.Infrastructure){func(i *v1alpha1.Infrastructure) {
			i.Spec.VariablesFrom = []v1alpha1.VariablesSource{{SecretRef: &v1alpha1.NameReference{Name: "a"}}}
		}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			infra := object("c", tc.modify...)
			if diff := cmp.Diff(tc.want, needs(&infra.Spec), cmp.AllowUnexported(need{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestGraph_path(t *testing.T) {
	g := newGraph([]v1alpha1.Infrastructure{
		object("app", dependsOn("cache", "db")), object("cache", dependsOn("db")), object("db", dependsOn("sg")), object("sg"),
		object("x", dependsOn("y")), object("y", dependsOn("x")),
	})
	for _, tc := range []struct {
		name, from, to string
		want           []string
	}{
		{"An object that is needed.", "db", "sg", []string{"db", "sg"}},
		{"One that others need, the shortest way.", "app", "sg", []string{"app", "db", "sg"}},
		{"Not the other way.", "sg", "db", nil},
		{"Itself.", "sg", "sg", []string{"sg"}},
		{"In a cycle, nothing outside is found, in time.", "x", "sg", nil},
		{"What does not exist needs nothing.", "none", "sg", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, g.path(tc.from, tc.to)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// says sets the object's Ready condition, of its current generation.
func says(ready metav1.ConditionStatus, reason, message string) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) {
		infra.Status.ObservedGeneration = infra.Generation
		infra.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: ready, Reason: reason, Message: message}}
	}
}

// isApplied makes the object Ready.
func isApplied(infra *v1alpha1.Infrastructure) {
	says(metav1.ConditionTrue, v1alpha1.ReasonInSync, "Applied queue 1.2.0")(infra)
	infra.Status.Module = &v1alpha1.AppliedModule{ModuleReference: v1alpha1.ModuleReference{Name: "queue"}}
}
