package infrastructure

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Indexes of Infrastructures by what they refer to, in their own namespace.
const (
	indexSecret    = "secret"
	indexConfigMap = "configMap"
)

// SetupWithManager registers the controller: it reconciles an object when its spec
// or annotations change, when one of its Runs does, and when something that it
// refers to does. Secrets and ConfigMaps are watched by their metadata alone.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, workers int) error {
	for index, names := range map[string]func(*v1alpha1.Infrastructure) []string{
		indexSecret: func(infra *v1alpha1.Infrastructure) []string {
			return append(refers(infra, "Secret"), outputSecretName(infra))
		},
		indexConfigMap: func(infra *v1alpha1.Infrastructure) []string { return refers(infra, "ConfigMap") },
	} {
		extract := func(obj client.Object) []string { return names(obj.(*v1alpha1.Infrastructure)) }
		if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.Infrastructure{}, index, extract); err != nil {
			return wrap(err, "index Infrastructures by %s", index)
		}
	}
	changed := predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Infrastructure{}, builder.WithPredicates(changed)).
		Watches(&v1alpha1.Run{}, handler.EnqueueRequestsFromMapFunc(r.ofRun)).
		Watches(&v1alpha1.ProviderConfig{}, handler.EnqueueRequestsFromMapFunc(r.all)).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.referring(indexSecret))).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(owner)).
		WatchesMetadata(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(r.referring(indexConfigMap))).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.inNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

// refers lists the objects of a kind that spec.variablesFrom refers to.
func refers(infra *v1alpha1.Infrastructure, kind string) []string {
	var names []string
	for _, from := range infra.Spec.VariablesFrom {
		if k, name, _ := target(from); k == kind && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// reconciles tells whether objects of the namespace are reconciled. The cache fails
// for any other.
func (r *Reconciler) reconciles(namespace string) bool {
	return len(r.namespaces) == 0 || slices.Contains(r.namespaces, namespace)
}

func (r *Reconciler) ofRun(_ context.Context, obj client.Object) []reconcile.Request {
	ref := obj.(*v1alpha1.Run).Spec.Infrastructure
	if !r.reconciles(ref.Namespace) {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}}}
}

// owner maps an output Secret to its Infrastructure, which may not refer to it any
// more.
func owner(_ context.Context, secret client.Object) []reconcile.Request {
	ref := metav1.GetControllerOf(secret)
	if ref == nil || ref.APIVersion != v1alpha1.GroupVersion().String() || ref.Kind != "Infrastructure" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: secret.GetNamespace(), Name: ref.Name}}}
}

// referring maps an object to the Infrastructures that refer to it by the index.
func (r *Reconciler) referring(index string) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		if !r.reconciles(obj.GetNamespace()) {
			return nil
		}
		return r.list(ctx, client.InNamespace(obj.GetNamespace()), client.MatchingFields{index: obj.GetName()})
	}
}

func (r *Reconciler) inNamespace(ctx context.Context, ns client.Object) []reconcile.Request {
	if !r.reconciles(ns.GetName()) {
		return nil
	}
	return r.list(ctx, client.InNamespace(ns.GetName()))
}

func (r *Reconciler) all(ctx context.Context, _ client.Object) []reconcile.Request {
	return r.list(ctx)
}

func (r *Reconciler) list(ctx context.Context, opts ...client.ListOption) []reconcile.Request {
	var list v1alpha1.InfrastructureList
	if err := r.client.List(ctx, &list, opts...); err != nil {
		// The cache does not fail once it has started.
		ctrl.LoggerFrom(ctx).Error(err, "List Infrastructures")
		return nil
	}
	requests := make([]reconcile.Request, len(list.Items))
	for i := range list.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&list.Items[i])
	}
	return requests
}
