// Package run carries a Run out: it makes the runner pod, watches over it, and
// records how the Run ended when the runner itself could not.
package run

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/metrics"
	"github.com/groundwork-dev/groundwork/runner/pod"
)

// Options are what a Reconciler works with; all are required.
type Options struct {
	// Client reads from the cache, and writes.
	Client client.Client
	// Metadata reads the metadata of Secrets from the cache.
	Metadata client.Reader
	// Live reads from the API server.
	Live client.Reader
	// Clock tells the time.
	Clock clock.PassiveClock
	// Metrics counts the Runs that end.
	Metrics *metrics.Counters
	// Pod is what the operator decides about runner pods.
	Pod pod.Config
	// StartTimeout is how long a pod may take to start before its Run fails.
	StartTimeout time.Duration
}

// Reconciler reconciles Runs.
type Reconciler struct {
	client       client.Client
	metadata     client.Reader
	live         client.Reader
	clock        clock.PassiveClock
	metrics      *metrics.Counters
	pod          pod.Config
	startTimeout time.Duration
}

// New returns a Reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{
		client: o.Client, metadata: o.Metadata, live: o.Live, clock: o.Clock, metrics: o.Metrics, pod: o.Pod, startTimeout: o.StartTimeout,
	}
}

// SetupWithManager registers the controller: it reconciles a Run when it changes,
// when its pod does, and when its request, which has its name, comes to the cache. It
// counts those that end.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Run{}).
		Owns(&corev1.Pod{}).
		Watches(&v1alpha1.Run{}, handler.Funcs{UpdateFunc: r.countFinished}).
		WatchesMetadata(&corev1.Secret{}, &handler.EnqueueRequestForObject{}, builder.WithPredicates(predicate.NewPredicateFuncs(isRequest))).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

// countFinished counts a Run when it ends. It is not done in Reconcile, which may see a
// finished Run many times, and sees all that are there when the controller starts.
func (r *Reconciler) countFinished(_ context.Context, e event.UpdateEvent, _ workqueue.TypedRateLimitingInterface[ctrl.Request]) {
	before, after := e.ObjectOld.(*v1alpha1.Run), e.ObjectNew.(*v1alpha1.Run)
	if !before.Status.Phase.Finished() && after.Status.Phase.Finished() {
		r.metrics.RunFinished(after)
	}
}

// isRequest tells a request from the other Secrets of the system namespace.
func isRequest(secret client.Object) bool {
	labels := secret.GetLabels()
	return labels[v1alpha1.LabelKey] != "" || labels[v1alpha1.LabelPreview] != ""
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	run := &v1alpha1.Run{}
	if err := r.client.Get(ctx, req.NamespacedName, run); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !run.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	o, err := r.observe(ctx, run)
	if err != nil {
		return ctrl.Result{}, err
	}
	d := decide(o)
	if err := r.act(ctx, o, d); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: d.after}, nil
}

// observe reads the Run's pod. The cache may not know yet the pod that has taken the
// Run, so that it is gone is asked of the API server. A pod of the Run's name
// that is someone else's is left alone.
func (r *Reconciler) observe(ctx context.Context, run *v1alpha1.Run) (*observed, error) {
	o := &observed{now: r.clock.Now(), run: run, startTimeout: r.startTimeout, image: r.pod.ImageOf(run.Spec.Module.Bundle)}
	p := &corev1.Pod{}
	err := r.client.Get(ctx, client.ObjectKeyFromObject(run), p)
	taken := run.Status.PodUID != "" && !run.Status.Phase.Finished()
	if taken && (apierrors.IsNotFound(err) || err == nil && p.UID != run.Status.PodUID) {
		p = &corev1.Pod{}
		err = r.live.Get(ctx, client.ObjectKeyFromObject(run), p)
	}
	switch {
	case err == nil:
		if metav1.IsControlledBy(p, run) {
			o.pod = p
		}
	case !apierrors.IsNotFound(err):
		return nil, fmt.Errorf("read pod %s: %w", run.Name, err)
	}
	return o, nil
}
