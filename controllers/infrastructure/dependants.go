package infrastructure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
)

// dependants describes the objects of the namespace that still need one, sorted; not
// those that it needs as well, as in such a cycle each would wait for the other to go.
func dependants(infra *v1alpha1.Infrastructure, others []v1alpha1.Infrastructure) []string {
	g := newGraph(others)
	g.set(infra)
	var names []string
	for i := range others {
		other := &others[i]
		if other.Name != infra.Name && needsOther(other, infra.Name) && g.path(infra.Name, other.Name) == nil {
			names = append(names, describe(other))
		}
	}
	slices.Sort(names)
	return names
}

// describe is an object's name, and how far it is when it is being deleted.
func describe(infra *v1alpha1.Infrastructure) string {
	ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case infra.DeletionTimestamp.IsZero():
		return infra.Name
	case ready == nil:
		return infra.Name + " (being deleted)"
	}
	return fmt.Sprintf("%s (being deleted: %s)", infra.Name, ready.Reason)
}

// observeDependants reads who still needs the object. It is a live read: what the cache
// does not know would lose what it was built on.
func (r *Reconciler) observeDependants(ctx context.Context, infra *v1alpha1.Infrastructure) ([]string, error) {
	var others v1alpha1.InfrastructureList
	if err := r.live.List(ctx, &others, client.InNamespace(infra.Namespace)); err != nil {
		return nil, fmt.Errorf("list the Infrastructures of namespace %s: %w", infra.Namespace, err)
	}
	return dependants(infra, others.Items), nil
}

// awaitDependants waits until nobody needs the object any more; nil when it can be
// destroyed. A destroy that has begun goes on: whoever came since cannot use the rest.
func awaitDependants(o *observed) *status.Error {
	last := o.last()
	begun := last != nil && last.Spec.Operation == v1alpha1.OperationDestroy
	if len(o.dependants) == 0 || begun {
		return nil
	}
	return status.Waiting(v1alpha1.ReasonDependants, 0, "Still needed by %s: the resources are destroyed when nothing in the namespace names this object in spec.dependsOn or spec.variablesFrom any more",
		enumerate(o.dependants))
}

// enumerate is "Infrastructure a", "Infrastructures a and b", and so on.
func enumerate(names []string) string {
	if len(names) == 1 {
		return "Infrastructure " + names[0]
	}
	last := len(names) - 1
	return "Infrastructures " + strings.Join(names[:last], ", ") + " and " + names[last]
}

// signal is what of an object may move those that need it, or that it needs: not the
// progress of a run, which comes once a second.
type signal struct {
	generation, observed int64
	deleting             bool
	ready                metav1.ConditionStatus
	reason, message      string
	// run is the last finished one: it may have changed an output.
	run string
}

func signalOf(infra *v1alpha1.Infrastructure) signal {
	s := signal{generation: infra.Generation, observed: infra.Status.ObservedGeneration, deleting: !infra.DeletionTimestamp.IsZero()}
	if ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		s.ready, s.reason = ready.Status, ready.Reason
		if ready.Status == metav1.ConditionFalse {
			s.message = ready.Message
		}
	}
	if len(infra.Status.History) > 0 {
		s.run = infra.Status.History[0].Run
	}
	return s
}

// signals selects the events of an object that may move others. A new one moves nobody
// before it is looked at.
func signals() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return signalOf(e.ObjectOld.(*v1alpha1.Infrastructure)) != signalOf(e.ObjectNew.(*v1alpha1.Infrastructure))
		},
	}
}

// related are the objects that an event of another one may move: those that need it,
// also through others, as it may have closed or opened a cycle; and those that it needs
// and that wait to be destroyed.
func (r *Reconciler) related(ctx context.Context, obj client.Object) []reconcile.Request {
	infra := obj.(*v1alpha1.Infrastructure)
	others := r.objects(ctx, client.InNamespace(infra.Namespace))
	g := newGraph(others)
	return requestsFor(others, func(other *v1alpha1.Infrastructure) bool {
		return other.Name != infra.Name && (g.path(other.Name, infra.Name) != nil ||
			!other.DeletionTimestamp.IsZero() && needsOther(infra, other.Name))
	})
}
