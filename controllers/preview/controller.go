// Package preview makes the plan that a Preview asks for: a Run in the system namespace,
// of which it brings the result to the Preview and leaves nothing. It observes, decides
// and acts, as package infrastructure does, which builds the Run.
package preview

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// fieldOwner is the field manager of everything that this controller applies.
const fieldOwner = "groundwork"

// Planner builds Runs and makes them; *infrastructure.Reconciler is one.
type Planner interface {
	// Preview returns the Run that plans what a Preview asks for, and its request. A
	// *status.Error says why there is none.
	Preview(ctx context.Context, p *v1alpha1.Preview) (*v1alpha1.Run, *runner.Request, error)
	// CreateRun makes a Run and its request, if the Run is not there yet.
	CreateRun(ctx context.Context, run *v1alpha1.Run, req *runner.Request) error
}

// Options are what a Reconciler works with; all are required.
type Options struct {
	// Client reads from the cache, and writes.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Planner builds and makes Runs.
	Planner Planner
	// Clock tells the time.
	Clock clock.PassiveClock
	// Namespace is the system namespace.
	Namespace string
}

// Reconciler reconciles Previews.
type Reconciler struct {
	client    client.Client
	live      client.Reader
	planner   Planner
	clock     clock.PassiveClock
	namespace string
}

// New returns a Reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{client: o.Client, live: o.Live, planner: o.Planner, clock: o.Clock, namespace: o.Namespace}
}

// SetupWithManager registers the controller: it reconciles a Preview when it changes, and
// when its Run does.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, workers int) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Preview{}).
		Watches(&v1alpha1.Run{}, handler.EnqueueRequestsFromMapFunc(r.ofRun)).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

// ofRun finds the Preview that a Run is for.
func (r *Reconciler) ofRun(ctx context.Context, run client.Object) []reconcile.Request {
	uid, ok := run.GetLabels()[v1alpha1.LabelPreview]
	if !ok {
		return nil
	}
	var list v1alpha1.PreviewList
	namespace := client.InNamespace(run.(*v1alpha1.Run).Spec.Infrastructure.Namespace)
	if err := r.client.List(ctx, &list, namespace, client.UnsafeDisableDeepCopy); err != nil {
		// The cache does not fail once it has started, but for a namespace that is not
		// watched any more.
		ctrl.LoggerFrom(ctx).Error(err, "List Previews")
		return nil
	}
	for i := range list.Items {
		if list.Items[i].UID == types.UID(uid) {
			return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])}}
		}
	}
	return nil
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	preview := &v1alpha1.Preview{}
	if err := r.client.Get(ctx, req.NamespacedName, preview); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	o, err := r.observe(ctx, preview)
	if err != nil {
		return ctrl.Result{}, err
	}
	d := decide(o)
	result, err := r.carryOut(ctx, o, d)
	if apierrors.IsConflict(err) {
		// The cache is behind.
		return ctrl.Result{RequeueAfter: soon}, nil
	}
	return result, err
}

// carryOut acts, and writes what comes of it into the status, but for that of a Preview
// that has ended.
func (r *Reconciler) carryOut(ctx context.Context, o *observed, d decision) (ctrl.Result, error) {
	outcome, err := r.act(ctx, o, d)
	switch {
	case apierrors.IsConflict(err):
		return ctrl.Result{}, err
	case d.action == keep || d.action == release || d.action == expire:
		return ctrl.Result{RequeueAfter: d.after}, err
	case err != nil:
		outcome = status.FromError(err)
	}
	o.preview.Status.ObservedGeneration = o.preview.Generation
	status.SetConditions(&o.preview.Status.Conditions, o.preview.Generation, outcome)
	if err := r.patchStatus(ctx, o); err != nil {
		return ctrl.Result{}, err
	}
	return outcome.Result()
}

// observe reads the Preview's Run. That there is none is asked of the API server: the
// cache may not know yet the one that was made.
func (r *Reconciler) observe(ctx context.Context, preview *v1alpha1.Preview) (*observed, error) {
	o := &observed{now: r.clock.Now(), preview: preview, stored: preview.DeepCopy()}
	key := client.ObjectKey{Namespace: r.namespace, Name: runName(preview)}
	run := &v1alpha1.Run{}
	err := r.client.Get(ctx, key, run)
	if apierrors.IsNotFound(err) {
		run = &v1alpha1.Run{}
		err = r.live.Get(ctx, key, run)
	}
	switch {
	case apierrors.IsNotFound(err):
		return o, nil
	case err != nil:
		return nil, fmt.Errorf("read Run %s: %w", key.Name, err)
	case run.Labels[v1alpha1.LabelPreview] != string(preview.UID):
		return nil, fmt.Errorf("there is a Run %s/%s already, and not of Preview %s; delete it", key.Namespace, key.Name, preview.Name)
	}
	o.run = run
	return o, nil
}

// runName is the name of the one Run that a Preview ever has.
func runName(p *v1alpha1.Preview) string {
	return state.PreviewName(state.Key(p.Namespace, p.Spec.Infrastructure.Name), string(p.UID))
}

// patchStatus writes what the status has changed, if anything, against the version that
// was read: an ended Preview must not be taken back by a cache that is behind.
func (r *Reconciler) patchStatus(ctx context.Context, o *observed) error {
	if equality.Semantic.DeepEqual(o.stored.Status, o.preview.Status) {
		return nil
	}
	patch := client.MergeFromWithOptions(o.stored, client.MergeFromWithOptimisticLock{})
	if err := r.client.Status().Patch(ctx, o.preview.DeepCopy(), patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status: %w", err)
	}
	return nil
}
