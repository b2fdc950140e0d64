package infrastructure

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// forget removes all that was kept for an object whose resources are destroyed, or
// which never had any, and then its finalizer. The Runs, which prove that, go
// late, and the newest last: a crash half-way is taken up where it was.
func (r *Reconciler) forget(ctx context.Context, o *observed) error {
	if err := r.checkCurrent(ctx, o); err != nil {
		return err
	}
	// They are not waited for: a pod whose Run is finished or gone does nothing.
	if _, err := r.deletePods(ctx, o); err != nil {
		return err
	}
	if err := r.checkLock(ctx, o); err != nil {
		return err
	}
	if err := r.state.Remove(ctx, o.key); err != nil {
		return err
	}
	requests := []client.DeleteAllOfOption{client.InNamespace(r.namespace), client.MatchingLabels(labelsOf(o.key))}
	if err := r.client.DeleteAllOf(ctx, &corev1.Secret{}, requests...); err != nil {
		return fmt.Errorf("delete the requests: %w", err)
	}
	for _, run := range slices.Concat(o.superseded, reversed(o.runs)) {
		if err := r.client.Delete(ctx, &run); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete Run %s: %w", run.Name, err)
		}
	}
	r.copies.forget(o.key)
	if err := r.removeFinalizer(ctx, o.infra); err != nil {
		return err
	}
	r.destroyed(ctx, o.infra)
	return nil
}

func (r *Reconciler) removeFinalizer(ctx context.Context, infra *v1alpha1.Infrastructure) error {
	base := infra.DeepCopy()
	controllerutil.RemoveFinalizer(infra, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	return wrap(client.IgnoreNotFound(r.client.Patch(ctx, infra, patch)), "remove the finalizer")
}

func reversed(runs []v1alpha1.Run) []v1alpha1.Run {
	r := slices.Clone(runs)
	slices.Reverse(r)
	return r
}
