package infrastructure

import (
	"context"
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
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
type webhook struct {
	validator
	// reviews takes SubjectAccessReviews.
	reviews client.Writer
}

var _ admission.Validator[*v1alpha1.Infrastructure] = (*webhook)(nil)

// SetupWebhookWithManager registers the webhook, on the path that the builder makes
// of the kind. Every replica serves it. live is the API server.
func SetupWebhookWithManager(ctx context.Context, mgr ctrl.Manager, catalogue Catalogue, live client.Client) error {
	// Known to the cache before the first request, which has not long to wait.
	for _, obj := range []client.Object{&v1alpha1.Infrastructure{}, &v1alpha1.ProviderConfig{}, namespaceMetadata()} {
		if _, err := mgr.GetCache().GetInformer(ctx, obj, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("watch what the webhook reads: %w", err)
		}
	}
	return ctrl.NewWebhookManagedBy(mgr, &v1alpha1.Infrastructure{}).
		WithValidator(&webhook{validator: validator{catalogue: catalogue, cached: mgr.GetClient(), live: live}, reviews: live}).
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

// ValidateDelete implements admission.Validator; deletions are not sent to it. A policy
// of the API server's own protects objects, so that it does when no webhook answers.
func (w *webhook) ValidateDelete(context.Context, *v1alpha1.Infrastructure) (admission.Warnings, error) {
	return nil, nil
}

// admit refuses an object with faults. One that cannot be validated passes: an app
// does not depend on that, and the controller will look again. Whether the user may
// use the module nobody can look at again.
func (w *webhook) admit(ctx context.Context, infra *v1alpha1.Infrastructure, applied applied) (admission.Warnings, error) {
	forbidden, err := w.checkUse(ctx, infra)
	if err != nil {
		return nil, err
	}
	_, faults, err := w.check(ctx, infra, applied)
	if forbidden != nil {
		faults = append(field.ErrorList{forbidden}, faults...)
	}
	if len(faults) > 0 {
		return nil, apierrors.NewInvalid(v1alpha1.GroupVersion().WithKind("Infrastructure").GroupKind(), infra.Name, faults)
	}
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Let an object pass that cannot be validated")
		return admission.Warnings{fmt.Sprintf("not validated yet, the controller will: %s", err)}, nil
	}
	return nil, nil
}

// checkUse asks the API server whether the user of the request has the verb "use" on the
// module. A Role of the object's namespace can give it too, so that each team can have a
// catalogue of its own.
func (w *webhook) checkUse(ctx context.Context, infra *v1alpha1.Infrastructure) (*field.Error, error) {
	req, err := admission.RequestFromContext(ctx)
	if err != nil {
		return nil, err
	}
	user := req.UserInfo
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, Groups: user.Groups, UID: user.UID, Extra: map[string]authorizationv1.ExtraValue{},
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: infra.Namespace, Verb: "use", Group: v1alpha1.Group, Resource: "modules", Name: infra.Spec.Module,
		},
	}}
	for key, value := range user.Extra {
		review.Spec.Extra[key] = authorizationv1.ExtraValue(value)
	}
	if err := w.reviews.Create(ctx, review); err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("ask whether %s may use module %s: %w; try again", user.Username, infra.Spec.Module, err))
	}
	if review.Status.Allowed {
		return nil, nil
	}
	return newFault(field.ErrorTypeForbidden, "spec.module", v1alpha1.ReasonModuleForbidden,
		"%s may not use module %s in namespace %s; ask the platform team for a role with the verb \"use\" on modules.%s %s",
		user.Username, infra.Spec.Module, infra.Namespace, v1alpha1.Group, infra.Spec.Module), nil
}
