package infrastructure

import (
	"cmp"
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// checkClaim reports an output Secret that another object of the namespace has, or
// is to have: of two that claim one, it is that whose outputs are in it, else that
// which is older.
func checkClaim(infra *v1alpha1.Infrastructure, others []v1alpha1.Infrastructure) *field.Error {
	name := outputSecretName(infra)
	if writtenName(&infra.Status) == name {
		return nil
	}
	for i := range others {
		other := &others[i]
		if other.Name == infra.Name || !claims(other, name) {
			continue
		}
		if writtenName(&other.Status) == name || older(other, infra) {
			return newFault(field.ErrorTypeDuplicate, "spec.outputs.secretName", v1alpha1.ReasonOutputSecretConflict,
				"Secret %q is that of Infrastructure %s; set another name", name, other.Name)
		}
	}
	return nil
}

// claims tells whether the object's outputs are in the Secret of that name, or will be.
func claims(infra *v1alpha1.Infrastructure, name string) bool {
	return outputSecretName(infra) == name || writtenName(&infra.Status) == name
}

// older tells which of two objects was there first. One that is yet to be made has no
// time.
func older(a, b *v1alpha1.Infrastructure) bool {
	if b.CreationTimestamp.IsZero() {
		return true
	}
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name)) < 0
}

// claimChanged selects events after which an output Secret may be free.
func claimChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.(*v1alpha1.Infrastructure), e.ObjectNew.(*v1alpha1.Infrastructure)
			return outputSecretName(before) != outputSecretName(after) || writtenName(&before.Status) != writtenName(&after.Status)
		},
	}
}

// rivals are the objects of the namespace that could not have their output Secret.
func (r *Reconciler) rivals(ctx context.Context, obj client.Object) []reconcile.Request {
	return r.list(ctx, func(infra *v1alpha1.Infrastructure) bool {
		ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == v1alpha1.ReasonOutputSecretConflict
	}, client.InNamespace(obj.GetNamespace()))
}
