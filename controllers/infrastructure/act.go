package infrastructure

import (
	"context"
	"errors"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
)

// act carries a decision out. Its error, if any, is the outcome in place of the
// decision's.
func (r *Reconciler) act(ctx context.Context, o *observed, d decision) error {
	switch d.action {
	case startApply:
		return r.startRun(ctx, o, o.request)
	case startDestroy:
		return r.startDestroy(ctx, o)
	case discard:
		return r.discardRun(ctx, o.last())
	case forget:
		return r.forget(ctx, o)
	case keep:
		return r.keep(ctx, o)
	default: // await: the Run's events bring the object back.
		return nil
	}
}

// keep looks after the output Secret. When the object has a fault of its own, that
// is reported rather than what follows from it.
func (r *Reconciler) keep(ctx context.Context, o *observed) error {
	if !o.infra.DeletionTimestamp.IsZero() {
		return nil
	}
	err := r.keepOutputs(ctx, o)
	if known := (*status.Error)(nil); o.fault != nil && errors.As(err, &known) {
		return nil
	}
	return err
}

// startDestroy starts a Run from what the last apply left behind, and from nothing
// else.
func (r *Reconciler) startDestroy(ctx context.Context, o *observed) error {
	req := *o.snapshot
	req.Operation = v1alpha1.OperationDestroy
	if req.ProviderConfig != "" {
		if err := r.checkCredentials(ctx, req.ProviderConfig, req.Credentials); err != nil {
			return err
		}
	}
	return r.startRun(ctx, o, &req)
}
