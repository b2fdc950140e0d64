package infrastructure

import (
	"context"
)

// orphan lets the object go and leaves its resources, with their state and its copies, the
// snapshot and the Runs, which an object of the same name takes up again. What was saved to be
// applied goes: nobody can approve it any more.
func (r *Reconciler) orphan(ctx context.Context, o *observed) error {
	if err := r.checkCurrent(ctx, o); err != nil {
		return err
	}
	if err := r.clearEarlierPods(ctx, o); err != nil {
		return err
	}
	if err := r.deletePlans(ctx, o, nil); err != nil {
		return err
	}
	r.keepState(ctx, o)
	if err := r.removeFinalizer(ctx, o.infra); err != nil {
		return err
	}
	r.orphaned(ctx, o)
	return nil
}
