package infrastructure

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/runner"
)

// act carries a decision out. Its error, if any, is the outcome in place of the
// decision's.
func (r *Reconciler) act(ctx context.Context, o *observed, d decision) error {
	switch d.action {
	case startApply, startPlan, startCorrection:
		return r.startApply(ctx, o, d.action)
	case startUpgrade:
		return r.startUpgrade(ctx, o)
	case startDestroy:
		return r.startDestroy(ctx, o)
	case cancel:
		return r.cancelRun(ctx, o.last())
	case orphan:
		return r.orphan(ctx, o)
	case discard:
		return r.discardRun(ctx, o, o.last())
	case forget:
		return r.forget(ctx, o)
	case keep:
		return r.keep(ctx, o)
	default: // await: the Run's events bring the object back.
		return nil
	}
}

// keep looks after the output Secret, for which an app may be waiting, and then the copies
// of the state. When the object has a fault of its own, that is reported rather than what
// follows from it.
func (r *Reconciler) keep(ctx context.Context, o *observed) error {
	defer r.keepState(ctx, o)
	if !o.infra.DeletionTimestamp.IsZero() {
		return nil
	}
	err := r.keepOutputs(ctx, o)
	if known := (*status.Error)(nil); o.fault != nil && !staysReady(o) && errors.As(err, &known) {
		return nil
	}
	return err
}

// startApply starts a Run that brings about what the object asks for, or that looks
// for drift.
func (r *Reconciler) startApply(ctx context.Context, o *observed, a action) error {
	req, trigger := *o.request, v1alpha1.TriggerChange
	switch {
	case a == startPlan:
		req.Operation, trigger = v1alpha1.OperationPlan, v1alpha1.TriggerDrift
	case a == startCorrection:
		trigger = v1alpha1.TriggerDrift
	case retriedRun(o) != nil:
		trigger = v1alpha1.TriggerRetry
	}
	err := r.startRun(ctx, o, &req, trigger)
	if trigger == v1alpha1.TriggerDrift {
		return laterLook(err)
	}
	return err
}

// laterLook lets an object in sync stay so when a look for drift has to wait.
func laterLook(err error) error {
	if wait := (*status.Error)(nil); errors.As(err, &wait) {
		return &status.Error{Outcome: status.InSync("Applied; a look for drift waits: "+wait.Error(), wait.After())}
	}
	return err
}

// startDestroy starts a Run from what the last apply left behind, and from nothing
// else but for credentials that are gone.
func (r *Reconciler) startDestroy(ctx context.Context, o *observed) error {
	req := *o.snapshot
	req.Operation = v1alpha1.OperationDestroy
	req.Module.Bundle = destroyBundle(r.catalogue, req.Module)
	if req.ProviderConfig != "" {
		if err := r.destroyCredentials(ctx, &req); err != nil {
			return err
		}
	}
	trigger := v1alpha1.TriggerChange
	if len(failedDestroys(o)) > 0 {
		trigger = v1alpha1.TriggerRetry
	}
	return r.startRun(ctx, o, &req, trigger)
}

// destroyBundle is the bundle whose image destroys an applied module: the one that has
// it in this version, or else the one that it was applied with, as either has the
// providers. When both are gone, the default one may still have them.
func destroyBundle(catalogue Catalogue, applied v1alpha1.ModuleReference) string {
	for _, m := range catalogue.Versions(applied.Name) {
		if m.Version == applied.Version {
			return m.Bundle
		}
	}
	if catalogue.HasBundle(applied.Bundle) {
		return applied.Bundle
	}
	return ""
}

// destroyCredentials makes sure that the pod will find its credentials. When those
// of the last apply are gone, they have perhaps been replaced by others since; the
// ProviderConfig's region cannot have changed.
func (r *Reconciler) destroyCredentials(ctx context.Context, req *runner.Request) error {
	gone := r.checkCredentials(ctx, req.ProviderConfig, req.Credentials)
	if known := (*status.Error)(nil); !errors.As(gone, &known) {
		return gone
	}
	config := &v1alpha1.ProviderConfig{}
	if err := r.client.Get(ctx, client.ObjectKey{Name: req.ProviderConfig}, config); err != nil {
		if apierrors.IsNotFound(err) {
			return gone
		}
		return fmt.Errorf("read ProviderConfig %s: %w", req.ProviderConfig, err)
	}
	if err := r.checkCredentials(ctx, config.Name, config.Spec.Credentials); err != nil {
		return err
	}
	req.Credentials = config.Spec.Credentials
	return nil
}
