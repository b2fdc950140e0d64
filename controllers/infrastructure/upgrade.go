package infrastructure

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/state"
)

// startedPatience is how long an upgrade counts as under way that the cache does not
// show; it is behind by less.
const startedPatience = time.Minute

// startedUpgrades are those that this process has started and that the cache may not
// show yet: the Runs' names, with when. One upgrade is started at a time, so that
// two that see the same place free do not both take it.
type startedUpgrades struct {
	sync.Mutex
	runs map[string]time.Time
}

// startUpgrade starts the upgrade of an object whose turn it was a moment ago, if it still
// is.
func (r *Reconciler) startUpgrade(ctx context.Context, o *observed) error {
	r.started.Lock()
	defer r.started.Unlock()
	var err error
	if o.turn, err = r.turn(ctx, o.infra, r.started.runs); err != nil {
		return err
	}
	if !o.turn.now() {
		return &status.Error{Outcome: awaitTurn(o)}
	}
	req, name := *o.request, runName(o.key, o.next())
	if err := r.startRun(ctx, o, &req, v1alpha1.TriggerUpgrade); err != nil {
		return err
	}
	now := r.clock.Now()
	for run, at := range r.started.runs {
		if now.Sub(at) > startedPatience {
			delete(r.started.runs, run)
		}
	}
	r.started.runs[name] = now
	return nil
}

// turn is when the object is upgraded, by the cache and by the Runs that were just started.
func (r *Reconciler) turn(ctx context.Context, infra *v1alpha1.Infrastructure, started map[string]time.Time) (*turn, error) {
	members, err := r.members(ctx, infra.Spec.Module, started)
	if err != nil {
		return nil, err
	}
	t := r.upgrades.turnOf(infra.UID, members)
	return &t, nil
}

// members are a module's objects as the cache has them; those of started Runs are under
// way, whether or not it shows them.
func (r *Reconciler) members(ctx context.Context, module string, started map[string]time.Time) ([]member, error) {
	var list v1alpha1.RunList
	if err := r.client.List(ctx, &list, client.InNamespace(r.namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	runs, shown := map[types.UID][]v1alpha1.Run{}, map[string]bool{}
	for i := range list.Items {
		run := &list.Items[i]
		shown[run.Name] = true
		if run.Spec.Module.Name == module && run.Status.Reason != v1alpha1.RunReasonSuperseded {
			uid := run.Spec.Infrastructure.UID
			runs[uid] = append(runs[uid], *run)
		}
	}
	starting := map[string]bool{}
	for run, at := range started {
		if !shown[run] && r.clock.Now().Sub(at) <= startedPatience {
			key, _ := cutLast(run, "-")
			starting[key] = true
		}
	}
	digests := map[string]string{}
	var members []member
	for _, infra := range r.objects(ctx) {
		if infra.Spec.Module != module {
			continue
		}
		constraint := infra.Spec.ModuleVersion
		digest, known := digests[constraint]
		if !known {
			if m, err := r.catalogue.Get(module, constraint); err == nil {
				digest = m.Digest
			}
			digests[constraint] = digest
		}
		its := runs[infra.UID]
		slices.SortFunc(its, newer)
		m := memberOf(&infra, its, digest)
		m.underWay = m.underWay || len(starting) > 0 && starting[state.Key(infra.Namespace, infra.Name)]
		m.waits = m.waits && !m.underWay
		members = append(members, m)
	}
	return members, nil
}

// newer orders the Runs of one object, which have the same name but for its number.
func newer(a, b v1alpha1.Run) int {
	return -cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), strings.Compare(a.Name, b.Name))
}

// nextUpgrades are requests for the objects whose turn it is when a Run has ended, and for
// all that wait when its failure stops them.
func (r *Reconciler) nextUpgrades(ctx context.Context, obj client.Object) []reconcile.Request {
	run := obj.(*v1alpha1.Run)
	members, err := r.members(ctx, run.Spec.Module.Name, nil)
	if err != nil {
		return nil // Each object looks again by itself.
	}
	woken := r.upgrades.next(members)
	if run.Status.Phase == v1alpha1.RunFailed {
		woken = append(woken, r.upgrades.stopped(members, run.Spec.Module.Digest)...)
	}
	var requests []reconcile.Request
	for _, m := range woken {
		namespace, name, _ := strings.Cut(m.name, "/")
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
	}
	return requests
}

// freesTurn tells whether a Run ends, or goes, that may have had others wait for it: as
// an upgrade under way, or as one that failed until now.
func freesTurn() predicate.Predicate {
	finished := func(obj client.Object) bool { return obj.(*v1alpha1.Run).Status.Phase.Finished() }
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return !finished(e.ObjectOld) && finished(e.ObjectNew) && !looks(e.ObjectNew.(*v1alpha1.Run))
		},
		DeleteFunc: func(e event.DeleteEvent) bool { return !finished(e.Object) },
	}
}
