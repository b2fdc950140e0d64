package infrastructure

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// webhook refuses at admission what the controller would stall on, so that whoever
// writes the object is told at once: kubectl, Helm, and the HelmRelease of Flux. It
// writes nothing. What needs the app's Secrets and ConfigMaps is left to the
// controller, as is an object that came while no webhook answered.
type webhook struct{ validator }

var _ admission.Validator[*v1alpha1.Infrastructure] = (*webhook)(nil)

// SetupWebhookWithManager registers the webhook, on the path that the builder makes
// of the kind. Every replica serves it. live reads from the API server.
func SetupWebhookWithManager(ctx context.Context, mgr ctrl.Manager, catalogue Catalogue, live client.Reader) error {
	// Known to the cache before the first request, which has not long to wait.
	for _, obj := range []client.Object{&v1alpha1.Infrastructure{}, &v1alpha1.ProviderConfig{}, namespaceMetadata()} {
		if _, err := mgr.GetCache().GetInformer(ctx, obj, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("watch what the webhook reads: %w", err)
		}
	}
	return ctrl.NewWebhookManagedBy(mgr, &v1alpha1.Infrastructure{}).
		WithValidator(&webhook{validator{catalogue: catalogue, cached: mgr.GetClient(), live: live}}).
		Complete()
}

// ValidateCreate implements admission.Validator.
func (w *webhook) ValidateCreate(ctx context.Context, infra *v1alpha1.Infrastructure) (admission.Warnings, error) {
	return w.admit(ctx, newcomer(infra), applied{})
}

// ValidateUpdate implements admission.Validator. Metadata and finalizers can be
// changed whatever has become of the spec, of the module or of the ProviderConfig
// since; and a run can be stopped, or
// given more time, and a protection lifted.
func (w *webhook) ValidateUpdate(ctx context.Context, old, infra *v1alpha1.Infrastructure) (admission.Warnings, error) {
	before := old.Spec.DeepCopy()
	before.Suspend, before.Timeout, before.DeletionPolicy = infra.Spec.Suspend, infra.Spec.Timeout, infra.Spec.DeletionPolicy
	if !infra.DeletionTimestamp.IsZero() || equality.Semantic.DeepEqual(*before, infra.Spec) {
		return nil, nil
	}
	was := applied{providerConfig: old.Status.ProviderConfig}
	if old.Status.Module != nil {
		was.module = old.Status.Module.Name
	}
	if outputSecretName(old) != outputSecretName(infra) {
		infra = newcomer(infra)
	}
	return w.admit(ctx, infra, was)
}

// newcomer is the object as one that is younger than all others: of two that are new
// within a second, the time tells nothing.
func newcomer(infra *v1alpha1.Infrastructure) *v1alpha1.Infrastructure {
	c := *infra
	c.CreationTimestamp = metav1.Time{}
	return &c
}

// ValidateDelete implements admission.Validator; deletions are not sent to it. What needs
// no module is left to policies of the API server's own, which hold also when no webhook
// answers: deletionPolicy, and who may use which module.
func (w *webhook) ValidateDelete(context.Context, *v1alpha1.Infrastructure) (admission.Warnings, error) {
	return nil, nil
}

// admit refuses an object with faults. One that cannot be validated passes: an app
// does not depend on that, and the controller will look again.
func (w *webhook) admit(ctx context.Context, infra *v1alpha1.Infrastructure, applied applied) (admission.Warnings, error) {
	_, faults, err := w.check(ctx, infra, applied)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Let an object pass that cannot be validated")
		return admission.Warnings{fmt.Sprintf("not validated yet, the controller will: %s", err)}, nil
	}
	if len(faults) > 0 {
		return nil, apierrors.NewInvalid(v1alpha1.GroupVersion().WithKind("Infrastructure").GroupKind(), infra.Name, faults)
	}
	return nil, nil
}
