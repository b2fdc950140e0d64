package infrastructure

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
)

// forget removes all that was kept for an object whose resources are destroyed, or
// which never had any, and then its finalizer. The Runs, which prove that, go last:
// a crash half-way is taken up where it was.
func (r *Reconciler) forget(ctx context.Context, o *observed) error {
	if err := r.checkNoneUnderWay(ctx, o); err != nil {
		return err
	}
	if err := r.clearEarlierPods(ctx, o); err != nil {
		return err
	}
	if err := r.checkLock(ctx, o); err != nil {
		return err
	}
	if err := r.state.Remove(ctx, o.key); err != nil {
		return err
	}
	ours := []client.DeleteAllOfOption{client.InNamespace(r.namespace), client.MatchingLabels(labelsOf(o.key))}
	if err := r.client.DeleteAllOf(ctx, &corev1.Secret{}, ours...); err != nil {
		return fmt.Errorf("delete the requests: %w", err)
	}
	if err := r.client.DeleteAllOf(ctx, &v1alpha1.Run{}, ours...); err != nil {
		return fmt.Errorf("delete the runs: %w", err)
	}
	base := o.infra.DeepCopy()
	controllerutil.RemoveFinalizer(o.infra, v1alpha1.Finalizer)
	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, o.infra, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove the finalizer: %w", err)
	}
	r.destroyed(o.infra)
	return nil
}

// checkNoneUnderWay makes sure by a live read that the cache has not hidden a run
// that was just started.
func (r *Reconciler) checkNoneUnderWay(ctx context.Context, o *observed) error {
	var list v1alpha1.RunList
	if err := r.live.List(ctx, &list, client.InNamespace(r.namespace), client.MatchingLabels{v1alpha1.LabelKey: o.key}); err != nil {
		return fmt.Errorf("list the runs: %w", err)
	}
	for i := range list.Items {
		if run := &list.Items[i]; !run.Status.Phase.Finished() {
			return &status.Error{Outcome: status.Progressing(v1alpha1.ReasonDestroying, "Waiting for run "+run.Name, time.Second)}
		}
	}
	return nil
}
