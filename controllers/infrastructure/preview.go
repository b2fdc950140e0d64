package infrastructure

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// Preview returns the Run that plans what a Preview asks for, and the Run's request. It
// makes neither. A *status.Error says why there is none: what an Infrastructure would
// stall on or wait for.
func (r *Reconciler) Preview(ctx context.Context, p *v1alpha1.Preview) (*v1alpha1.Run, *runner.Request, error) {
	infra, err := r.previewed(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	o, err := r.observeRuns(ctx, infra, infra)
	if err != nil {
		return nil, nil, err
	}
	req, err := r.request(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	if _, err := r.checkState(ctx, o, req); err != nil {
		return nil, nil, err
	}
	req.Operation, req.Labels = v1alpha1.OperationPlan, PreviewLabels(p)
	run := r.newRun(o, req, v1alpha1.TriggerPreview)
	run.Name, run.Labels = state.PreviewName(o.key, string(p.UID)), PreviewLabels(p)
	run.Spec.ReconcileRequest = "" // that is for the object's own
	return run, req, nil
}

// PreviewLabels are those of everything in the system namespace that belongs to a Preview.
func PreviewLabels(p *v1alpha1.Preview) map[string]string {
	return map[string]string{v1alpha1.LabelPreview: string(p.UID), v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
}

// previewed is the object as it would be: the one that is there, with another spec, or
// one that is yet to be made.
func (r *Reconciler) previewed(ctx context.Context, p *v1alpha1.Preview) (*v1alpha1.Infrastructure, error) {
	wanted := &p.Spec.Infrastructure
	infra := &v1alpha1.Infrastructure{}
	err := r.client.Get(ctx, client.ObjectKey{Namespace: p.Namespace, Name: wanted.Name}, infra)
	switch {
	case apierrors.IsNotFound(err):
		infra = &v1alpha1.Infrastructure{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: wanted.Name}}
	case err != nil:
		return nil, fmt.Errorf("read Infrastructure %s: %w", wanted.Name, err)
	case !infra.DeletionTimestamp.IsZero():
		return nil, status.Stalled(v1alpha1.ReasonDestroying, 0, "Infrastructure %s is being deleted, and what it has with it; ask again when it is gone", wanted.Name)
	}
	before := outputSecretName(infra)
	infra.Spec = *wanted.Spec.DeepCopy()
	if outputSecretName(infra) != before {
		infra = newcomer(infra)
	}
	return infra, nil
}
