package infrastructure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	ctyjson "github.com/zclconf/go-cty/cty/json"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
)

// checkDependencies reports what can be seen to be wrong with the objects that one
// needs. One that does not exist is no fault: a chart creates them in any order.
func checkDependencies(infra *v1alpha1.Infrastructure, others []v1alpha1.Infrastructure, catalogue Catalogue) field.ErrorList {
	var faults field.ErrorList
	needed := needs(&infra.Spec)
	if len(needed) == 0 {
		return nil
	}
	g := newGraph(others)
	g.set(infra)
	for _, n := range needed {
		if back := g.path(n.name, infra.Name); back != nil {
			faults = append(faults, newFault(field.ErrorTypeInvalid, n.field, v1alpha1.ReasonDependencyCycle,
				"%s → %s is a cycle, in which each waits for the next; remove one of these dependencies",
				infra.Name, strings.Join(back, " → ")))
		}
	}
	for i, from := range infra.Spec.VariablesFrom {
		if from.OutputRef == nil {
			continue
		}
		other := named(others, from.OutputRef.Name)
		if other == nil || other.Name == infra.Name {
			continue
		}
		module, err := catalogue.Get(other.Spec.Module, other.Spec.ModuleVersion)
		if err != nil {
			// That is the other's fault, and what it is waited for.
			continue
		}
		if problem := module.CheckOutput(from.OutputRef.Output); problem != "" {
			faults = append(faults, newFault(field.ErrorTypeInvalid, fmt.Sprintf("spec.variablesFrom[%d].outputRef.output", i), v1alpha1.ReasonOutputNotFound,
				"Infrastructure %s: %s", other.Name, problem))
		}
	}
	return faults
}

// named is the object of a name; nil when there is none.
func named(objects []v1alpha1.Infrastructure, name string) *v1alpha1.Infrastructure {
	i := slices.IndexFunc(objects, func(infra v1alpha1.Infrastructure) bool { return infra.Name == name })
	if i < 0 {
		return nil
	}
	return &objects[i]
}

// awaitDependencies waits until all that the object needs are Ready. Nobody has to look
// again: their events bring the object back.
func awaitDependencies(infra *v1alpha1.Infrastructure, others []v1alpha1.Infrastructure) error {
	var waits []string
	for _, n := range needs(&infra.Spec) {
		if why := notReady(named(others, n.name)); why != "" {
			waits = append(waits, fmt.Sprintf("%s: waiting for Infrastructure %q: %s", n.field, n.name, why))
		}
	}
	if len(waits) == 0 {
		return nil
	}
	return status.Waiting(v1alpha1.ReasonDependencyNotReady, 0, "%s", strings.Join(waits, "; "))
}

// notReady says why another object is not one to build on, nil being one that does not
// exist; empty when it is Ready for its current generation. It says nothing that
// signalOf does not have, so that it is never out of date.
func notReady(other *v1alpha1.Infrastructure) string {
	if other == nil {
		return "there is none of that name yet"
	}
	ready := meta.FindStatusCondition(other.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case !other.DeletionTimestamp.IsZero():
		return "it is being deleted"
	case ready == nil, other.Status.ObservedGeneration != other.Generation:
		return "it is new or has changed, and was not looked at since"
	case ready.Status == metav1.ConditionUnknown:
		return fmt.Sprintf("it is not Ready yet (%s)", ready.Reason)
	case ready.Status == metav1.ConditionFalse:
		return fmt.Sprintf("it is not Ready (%s): %s", ready.Reason, ready.Message)
	case other.Status.Module == nil:
		return "nothing was applied for it yet"
	}
	return ""
}

// staysReady tells whether the object only waits for what it needs, and is applied as its
// spec asks for: then it starts nothing, and is Ready all the while.
func staysReady(o *observed) bool {
	last := o.lastChange()
	if o.fault == nil || o.fault.Outcome.Reason() != v1alpha1.ReasonDependencyNotReady ||
		last == nil || last.Spec.Operation != v1alpha1.OperationApply || last.Status.Phase != v1alpha1.RunSucceeded {
		return false
	}
	// A change of the spec that needs no run leaves the Run behind, but not the status.
	was := o.stored.Status
	return asksFor(o, last) ||
		was.ObservedGeneration == o.infra.Generation && meta.IsStatusConditionTrue(was.Conditions, v1alpha1.ConditionReady)
}

// stillReady is the decision for an object that staysReady.
func stillReady(o *observed) decision {
	module := o.lastChange().Spec.Module
	return decision{keep, status.InSync(fmt.Sprintf("Applied %s %s; for now no run is started: %s",
		module.Name, module.Version, o.fault.Outcome.Message()), 0)}
}

// outputReader reads outputs of other Infrastructures of a namespace, which are Ready.
type outputReader struct {
	r         *Reconciler
	namespace string
	others    []v1alpha1.Infrastructure
	// states are those that were read, by the object's name.
	states map[string]*state.State
}

// input is what an entry of spec.variablesFrom, at the given field, gives for its
// variable. It comes from Terraform's state, as others may write to the output Secret.
func (or *outputReader) input(ctx context.Context, field string, ref *v1alpha1.OutputReference) (modules.Input, error) {
	current, err := or.state(ctx, field, ref.Name)
	if err != nil {
		return modules.Input{}, err
	}
	output, found := current.Outputs[ref.Output]
	if !found {
		return or.absent(field, ref, current)
	}
	input, err := inputOf(output, sourceOf(field, ref))
	return input, wrap(err, "%s: read output %q of Infrastructure %q", field, ref.Output, ref.Name)
}

func (or *outputReader) state(ctx context.Context, field, name string) (*state.State, error) {
	if current, ok := or.states[name]; ok {
		return current, nil
	}
	key := state.Key(or.namespace, name)
	current, err := or.r.state.Read(ctx, key)
	if errors.Is(err, state.ErrAbsent) {
		return nil, status.Waiting(v1alpha1.ReasonDependencyNotReady, missingRetry,
			"%s: waiting for Infrastructure %q: its state Secret %s/%s is gone; restore it from a backup", field, name, or.r.namespace, state.SecretName(key))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: read the outputs of Infrastructure %q: %w", field, name, err)
	}
	or.states[name] = current
	return current, nil
}

// absent is the input of an output that is not in the state, where Terraform keeps none
// that is null.
func (or *outputReader) absent(field string, ref *v1alpha1.OutputReference, current *state.State) (modules.Input, error) {
	other := named(or.others, ref.Name)
	if _, err := or.r.catalogue.Get(other.Spec.Module, other.Spec.ModuleVersion); err != nil {
		// Nobody knows whether it is null or there is no such output.
		return modules.Input{}, status.Stalled(v1alpha1.ReasonOutputNotFound, 0, "%s.outputRef.output: Infrastructure %s has no output %q; it has %q",
			field, ref.Name, ref.Output, slices.Sorted(maps.Keys(current.Outputs)))
	}
	return modules.Input{JSON: []byte("null"), Output: true, Source: sourceOf(field, ref)}, nil
}

func sourceOf(field string, ref *v1alpha1.OutputReference) string {
	return fmt.Sprintf("%s (output %q of Infrastructure %q)", field, ref.Output, ref.Name)
}

// inputOf is an output as an input. Its error does not quote the value.
func inputOf(output state.Output, source string) (modules.Input, error) {
	b, err := ctyjson.Marshal(output.Value, output.Value.Type())
	if err != nil {
		return modules.Input{}, fmt.Errorf("encode as JSON: %w", err)
	}
	return modules.Input{JSON: b, Output: true, Secret: output.Sensitive, Source: source}, nil
}
