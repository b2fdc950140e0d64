// Package run carries a Run out: it makes the runner pod, watches over it, and
// records how the Run ended when the runner itself could not.
package run

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner/pod"
)

// Options are what a Reconciler works with; all are required.
type Options struct {
	// Client reads from the cache, and writes.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Clock tells the time.
	Clock clock.PassiveClock
	// Pod is what the operator decides about runner pods.
	Pod pod.Config
	// StartTimeout is how long a pod may take to start before its Run fails.
	StartTimeout time.Duration
}

// Reconciler reconciles Runs.
type Reconciler struct {
	client       client.Client
	live         client.Reader
	clock        clock.PassiveClock
	pod          pod.Config
	startTimeout time.Duration
}

// New returns a Reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{client: o.Client, live: o.Live, clock: o.Clock, pod: o.Pod, startTimeout: o.StartTimeout}
}

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Run{}).
		Owns(&corev1.Pod{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
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

// observe reads the Run's pod. The cache may not know a pod yet that is there, so
// its absence is asked of the API server when it matters.
func (r *Reconciler) observe(ctx context.Context, run *v1alpha1.Run) (*observed, error) {
	o := &observed{now: r.clock.Now(), run: run, startTimeout: r.startTimeout}
	p := &corev1.Pod{}
	err := r.client.Get(ctx, client.ObjectKeyFromObject(run), p)
	if apierrors.IsNotFound(err) && run.Status.PodUID != "" && !run.Status.Phase.Finished() {
		err = r.live.Get(ctx, client.ObjectKeyFromObject(run), p)
	}
	switch {
	case err == nil:
		o.pod = p
	case !apierrors.IsNotFound(err):
		return nil, fmt.Errorf("read pod %s: %w", run.Name, err)
	}
	return o, nil
}
