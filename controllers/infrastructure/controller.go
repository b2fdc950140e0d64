// Package infrastructure decides which Run an Infrastructure needs, starts it, and
// writes the outputs of what is applied. It observes, decides and acts; decide is
// a pure function, and there is one file for each act.
package infrastructure

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/metrics"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/controllers/watch"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
)

// fieldOwner is the field manager of everything that this controller applies.
const fieldOwner = "groundwork"

// Catalogue finds modules; *modules.Catalogue is one.
type Catalogue interface {
	// Get returns the newest version of a module that meets a constraint.
	Get(name, constraint string) (*modules.Module, error)
	// Versions returns all versions of a module.
	Versions(name string) []*modules.Module
	// HasBundle tells whether a bundle is installed; the default one has no name.
	HasBundle(name string) bool
}

// Options are what a Reconciler works with; all but Namespaces are required.
type Options struct {
	// Client reads from the cache, and writes.
	Client client.Client
	// Metadata watches Secrets and ConfigMaps in the namespaces of the objects.
	Metadata metadata.Interface
	// Secrets reads the metadata of Secrets in Namespace from the cache.
	Secrets client.Reader
	// Live reads from the API server.
	Live client.Reader
	// State reads and clears Terraform's state in Namespace.
	State *state.Store
	// Catalogue is the module library.
	Catalogue Catalogue
	// Recorder takes events.
	Recorder events.EventRecorder
	// Clock tells the time.
	Clock clock.PassiveClock
	// Metrics counts the locks that are broken.
	Metrics *metrics.Counters
	// Namespace is the system namespace.
	Namespace string
	// Upgrades bound the upgrades of a module's objects.
	Upgrades Upgrades
	// Namespaces are those whose objects Client's cache has; all when it is empty.
	Namespaces []string
}

// Reconciler reconciles Infrastructures.
type Reconciler struct {
	client    client.Client
	watches   *watch.ByName
	secrets   client.Reader
	live      client.Reader
	state     *state.Store
	catalogue Catalogue
	recorder  events.EventRecorder
	clock     clock.PassiveClock
	metrics   *metrics.Counters
	namespace string
	// namespaces are those with objects to reconcile; all when it is empty.
	namespaces []string
	upgrades   Upgrades
	started    startedUpgrades
	copies     copies
}

// New returns a Reconciler.
func New(o Options) *Reconciler {
	return &Reconciler{
		client: o.Client, watches: watch.NewByName(o.Metadata), secrets: o.Secrets, live: o.Live, state: o.State,
		catalogue: o.Catalogue, recorder: o.Recorder, clock: o.Clock, metrics: o.Metrics, namespace: o.Namespace, namespaces: o.Namespaces,
		upgrades: o.Upgrades, started: startedUpgrades{runs: map[string]time.Time{}},
	}
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	infra := &v1alpha1.Infrastructure{}
	if err := r.client.Get(ctx, req.NamespacedName, infra); err != nil {
		if apierrors.IsNotFound(err) {
			r.watches.Want(req)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	r.watches.Want(req, watched(infra)...)
	if !infra.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(infra, v1alpha1.Finalizer) {
		return ctrl.Result{}, nil
	}
	if err := r.addFinalizer(ctx, infra); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	stored := infra.DeepCopy()
	outcome, gone := r.reconcile(ctx, infra, stored)
	switch {
	case gone:
		return ctrl.Result{}, nil
	case outcome.Behind():
		return outcome.Result()
	}
	status.Set(infra, outcome)
	answerStalled(infra)
	r.outcomeChanged(ctx, stored, infra)
	r.driftChanged(ctx, stored, infra)
	r.warned(ctx, stored, infra)
	if err := status.Patch(ctx, r.client, stored, infra); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	return outcome.Result()
}

// reconcile observes, decides and acts. gone tells that the finalizer is removed,
// so that there is no status to write.
func (r *Reconciler) reconcile(ctx context.Context, infra, stored *v1alpha1.Infrastructure) (outcome status.Outcome, gone bool) {
	o, err := r.observe(ctx, infra, stored)
	if err != nil {
		return status.FromError(err), false
	}
	report(o)
	d := decide(o)
	if err := r.act(ctx, o, d); err != nil {
		return status.FromError(err), false
	}
	if o.notKept {
		d.outcome = d.outcome.Within(keepRetry)
	}
	return d.outcome, d.action == forget || d.action == orphan
}

// addFinalizer makes sure that nothing is applied for an object that could go
// without being destroyed.
func (r *Reconciler) addFinalizer(ctx context.Context, infra *v1alpha1.Infrastructure) error {
	base := infra.DeepCopy()
	if !infra.DeletionTimestamp.IsZero() || !controllerutil.AddFinalizer(infra, v1alpha1.Finalizer) {
		return nil
	}
	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	return wrap(r.client.Patch(ctx, infra, patch), "add the finalizer")
}
