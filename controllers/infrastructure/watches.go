package infrastructure

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/watch"
)

// SetupWithManager registers the controller: it reconciles an object when its spec
// or annotations change, when one of its Runs does, when something that it refers to
// does, when those that it needs, or that need it, do, and when it is its turn to be
// upgraded.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	changed := predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.Funcs{UpdateFunc: noted})
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Infrastructure{}, builder.WithPredicates(changed)).
		Watches(&v1alpha1.Infrastructure{}, deletedFirst()).
		Watches(&v1alpha1.Infrastructure{}, handler.EnqueueRequestsFromMapFunc(r.rivals), builder.WithPredicates(claimChanged())).
		Watches(&v1alpha1.Infrastructure{}, handler.EnqueueRequestsFromMapFunc(r.related), builder.WithPredicates(signals())).
		Watches(&v1alpha1.Run{}, handler.EnqueueRequestsFromMapFunc(r.ofRun)).
		Watches(&v1alpha1.Run{}, handler.EnqueueRequestsFromMapFunc(r.nextUpgrades), builder.WithPredicates(freesTurn())).
		Watches(&v1alpha1.ProviderConfig{}, handler.EnqueueRequestsFromMapFunc(r.all)).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.inNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(r.watches).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

// deletedFirst has an object whose deletion is asked for reconciled before all others:
// hundreds may wait, and its Run has precedence only once there is one.
func deletedFirst() handler.Funcs {
	enqueue := func(obj client.Object, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		watch.Enqueue(q, 1, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			if !e.Object.GetDeletionTimestamp().IsZero() {
				enqueue(e.Object, q)
			}
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			if e.ObjectOld.GetDeletionTimestamp().IsZero() && !e.ObjectNew.GetDeletionTimestamp().IsZero() {
				enqueue(e.ObjectNew, q)
			}
		},
	}
}

// noted tells that the name of a Secret that is about to be written has come to the
// cache. The reconcile that noted it may have failed and the next one not have
// known of it.
func noted(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.(*v1alpha1.Infrastructure).Status, e.ObjectNew.(*v1alpha1.Infrastructure).Status
	return after.NextOutputSecret != "" && after.NextOutputSecret != before.NextOutputSecret
}

// watched are the Secrets and ConfigMaps of the object's namespace that it is
// reconciled for: what it reads, and the output Secret under any name that it has
// or may have. An object that is being deleted has none.
func watched(infra *v1alpha1.Infrastructure) []watch.Object {
	if !infra.DeletionTimestamp.IsZero() {
		return nil
	}
	objects := []watch.Object{watch.Secret(infra.Namespace, outputSecretName(infra))}
	for _, name := range []string{writtenName(&infra.Status), infra.Status.NextOutputSecret} {
		if name != "" {
			objects = append(objects, watch.Secret(infra.Namespace, name))
		}
	}
	for _, from := range infra.Spec.VariablesFrom {
		switch kind, name, _ := target(from); kind {
		case "Secret":
			objects = append(objects, watch.Secret(infra.Namespace, name))
		case "ConfigMap":
			objects = append(objects, watch.ConfigMap(infra.Namespace, name))
		}
	}
	return objects
}

// reconciles tells whether objects of the namespace are reconciled. The cache fails
// for any other.
func (r *Reconciler) reconciles(namespace string) bool {
	return len(r.namespaces) == 0 || slices.Contains(r.namespaces, namespace)
}

func (r *Reconciler) ofRun(_ context.Context, obj client.Object) []reconcile.Request {
	ref := obj.(*v1alpha1.Run).Spec.Infrastructure
	if _, preview := obj.GetLabels()[v1alpha1.LabelPreview]; preview || !r.reconciles(ref.Namespace) {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}}}
}

func (r *Reconciler) inNamespace(ctx context.Context, ns client.Object) []reconcile.Request {
	if !r.reconciles(ns.GetName()) {
		return nil
	}
	return r.list(ctx, anyOne, client.InNamespace(ns.GetName()))
}

func (r *Reconciler) all(ctx context.Context, _ client.Object) []reconcile.Request {
	return r.list(ctx, anyOne)
}

func anyOne(*v1alpha1.Infrastructure) bool { return true }

// list returns requests for those objects that are meant.
func (r *Reconciler) list(ctx context.Context, meant func(*v1alpha1.Infrastructure) bool, opts ...client.ListOption) []reconcile.Request {
	return requestsFor(r.objects(ctx, opts...), meant)
}

// objects are those that the cache has. They are only read.
func (r *Reconciler) objects(ctx context.Context, opts ...client.ListOption) []v1alpha1.Infrastructure {
	var list v1alpha1.InfrastructureList
	if err := r.client.List(ctx, &list, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		// The cache does not fail once it has started.
		ctrl.LoggerFrom(ctx).Error(err, "List Infrastructures")
		return nil
	}
	return list.Items
}

func requestsFor(objects []v1alpha1.Infrastructure, meant func(*v1alpha1.Infrastructure) bool) []reconcile.Request {
	var requests []reconcile.Request
	for i := range objects {
		if meant(&objects[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&objects[i])})
		}
	}
	return requests
}
