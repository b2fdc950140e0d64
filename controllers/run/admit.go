package run

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/metrics"
)

const (
	// minTell is the time between two writes of a Run's place, and tellRate the number of
	// places written in a second at most, but for a Run's first. The Infrastructure says
	// the place as well, so each is two writes to the API server.
	minTell  = 10 * time.Second
	tellRate = 2
	// tellAtOnce is the number of places written before the free ones are given away again.
	tellAtOnce = 20
	// settle is the time after which an admission is tried again that met another write.
	settle = 200 * time.Millisecond
)

// QueueOptions are what a Queue works with; all but Limit are required.
type QueueOptions struct {
	// Client reads from the cache, and writes.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Nodes counts the nodes for a Limit of 0.
	Nodes metadata.Interface
	// Clock tells the time.
	Clock clock.PassiveClock
	// Metrics counts how long Runs waited.
	Metrics *metrics.Counters
	// Namespace is the system namespace.
	Namespace string
	// Limit is the number of Runs at a time; 0 is one that follows from the number of nodes.
	Limit int
}

// Queue admits Runs, as many at a time as its limit says, and tells the others their
// place. It is the only one that does, and does one thing after the other. What it
// goes by is in the Runs, so a restart changes nothing.
type Queue struct {
	client    client.Client
	live      client.Reader
	clock     clock.PassiveClock
	metrics   *metrics.Counters
	namespace string
	limit     limit

	// admitted are Runs that were admitted, and that the cache has not shown so yet.
	admitted map[types.UID]admission
	// certain says that admitted is complete. It is not when the process starts, nor after
	// an admission whose answer was lost: then the API server is asked.
	certain bool
	// due is from when on the place of a waiting Run may be written again.
	due map[types.UID]time.Time
}

// admission is a Run that has a place.
type admission struct{ run, namespace string }

// NewQueue returns a Queue.
func NewQueue(o QueueOptions) *Queue {
	return &Queue{
		client: o.Client, live: o.Live, clock: o.Clock, metrics: o.Metrics, namespace: o.Namespace,
		limit: limit{fixed: o.Limit, nodes: o.Nodes, clock: o.Clock},
	}
}

// SetupWithManager registers the controller, with one worker and one request.
func (q *Queue) SetupWithManager(mgr ctrl.Manager) error {
	all := func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: "queue"}}}
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("queue").
		Watches(&v1alpha1.Run{}, handler.EnqueueRequestsFromMapFunc(all), builder.WithPredicates(predicate.Funcs{UpdateFunc: moved})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 1}).
		Complete(q)
}

// moved tells whether a Run has come to its place, or given it back. Its progress, once
// a second, makes no difference.
func moved(e event.UpdateEvent) bool {
	before, after := e.ObjectOld.(*v1alpha1.Run), e.ObjectNew.(*v1alpha1.Run)
	return before.Waits() != after.Waits() || before.Status.Phase.Finished() != after.Status.Phase.Finished()
}

// Reconcile implements reconcile.Reconciler. The request says nothing.
func (q *Queue) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	limit := q.limit.get(ctx)
	runs, err := q.observe(ctx)
	if err != nil {
		return ctrl.Result{}, err
	}
	placed, err := q.placed(ctx, runs)
	if err != nil {
		return ctrl.Result{}, err
	}
	line := lineUp(runs, placed, limit)
	for _, run := range line.admitted {
		switch err := q.admit(ctx, run); {
		case apierrors.IsConflict(err):
			return ctrl.Result{RequeueAfter: settle}, nil
		case err != nil:
			return ctrl.Result{}, err
		}
	}
	after, err := q.tell(ctx, line.waiting, limit)
	return ctrl.Result{RequeueAfter: after}, err
}

// observe lists the Runs, and makes q.admitted those that have a place and are not
// listed as such.
func (q *Queue) observe(ctx context.Context) ([]v1alpha1.Run, error) {
	var list v1alpha1.RunList
	if !q.certain {
		if err := q.live.List(ctx, &list, client.InNamespace(q.namespace)); err != nil {
			return nil, fmt.Errorf("list the runs: %w", err)
		}
		q.admitted, q.certain = map[types.UID]admission{}, true
		for i := range list.Items {
			// The cache may not know them yet.
			if run := &list.Items[i]; !run.Waits() && !run.Status.Phase.Finished() {
				q.admitted[run.UID] = admissionOf(run)
			}
		}
		return list.Items, nil
	}
	if err := q.client.List(ctx, &list, client.InNamespace(q.namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	listed := map[types.UID]bool{}
	for i := range list.Items {
		run := &list.Items[i]
		listed[run.UID] = true
		if !run.Waits() {
			delete(q.admitted, run.UID)
		}
	}
	for uid, a := range q.admitted {
		if listed[uid] {
			continue
		}
		run := &v1alpha1.Run{}
		err := q.live.Get(ctx, client.ObjectKey{Namespace: q.namespace, Name: a.run}, run)
		switch {
		case apierrors.IsNotFound(err) || err == nil && run.UID != uid:
			delete(q.admitted, uid)
		case err != nil:
			return nil, fmt.Errorf("read Run %s: %w", a.run, err)
		}
	}
	return list.Items, nil
}

func admissionOf(run *v1alpha1.Run) admission {
	return admission{run: run.Name, namespace: run.Spec.Infrastructure.Namespace}
}

// placed are the Runs that have a place and do not say so: those just admitted, and
// those that an earlier version of the controller has given a pod that has not taken
// them yet.
func (q *Queue) placed(ctx context.Context, runs []v1alpha1.Run) (map[types.UID]string, error) {
	var pods corev1.PodList
	if err := q.client.List(ctx, &pods, client.InNamespace(q.namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the runner pods: %w", err)
	}
	owners := map[types.UID]bool{}
	for i := range pods.Items {
		if owner := metav1.GetControllerOfNoCopy(&pods.Items[i]); owner != nil {
			owners[owner.UID] = true
		}
	}
	placed := map[types.UID]string{}
	for uid, a := range q.admitted {
		placed[uid] = a.namespace
	}
	for i := range runs {
		if run := &runs[i]; run.Waits() && owners[run.UID] {
			placed[run.UID] = run.Spec.Infrastructure.Namespace
		}
	}
	return placed, nil
}

// admit gives a Run its place. The optimistic lock fails when the Run has ended, or was
// admitted, or cancelled, since the cache has learned of it.
func (q *Queue) admit(ctx context.Context, run *v1alpha1.Run) error {
	now := metav1.NewTime(q.clock.Now())
	err := q.patch(ctx, run, func(s *v1alpha1.RunStatus) { s.AdmittedAt, s.Message = &now, "" })
	switch {
	case err == nil:
		q.admitted[run.UID] = admissionOf(run)
		q.metrics.RunAdmitted(classOf(run).String(), now.Sub(run.CreationTimestamp.Time))
	case apierrors.IsNotFound(err):
		return nil
	case !apierrors.IsConflict(err):
		q.certain = false
	}
	return err
}

// tell writes the places of waiting Runs, the first time at once and then now and
// then, and returns the time until the next is due.
func (q *Queue) tell(ctx context.Context, waiting []*v1alpha1.Run, limit int) (after time.Duration, err error) {
	now, interval := q.clock.Now(), tellInterval(len(waiting))
	due, written := map[types.UID]time.Time{}, 0
	for i, run := range waiting {
		next, known := q.due[run.UID]
		if !known && run.Status.Message != "" {
			// Another process has told it, nobody knows when.
			next = now.Add(share(run.UID, interval))
		}
		message := placeMessage(i+1, len(waiting), limit)
		switch wait := next.Sub(now); {
		case message == run.Status.Message || err != nil:
		case wait > 0:
			after = sooner(after, wait)
		case written == tellAtOnce:
			after = time.Millisecond
		default:
			written, next = written+1, now.Add(interval)
			err = q.patch(ctx, run, func(s *v1alpha1.RunStatus) { s.Message = message })
			if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
				err = nil // It is told next time, if it still waits then.
			}
		}
		due[run.UID] = next
	}
	q.due = due
	if len(waiting) > 0 {
		// There may be more nodes by then.
		after = sooner(after, countInterval)
	}
	return after, err
}

// tellInterval is the time between two writes of the same Run's place, so that all
// those of the Runs that wait are not more than tellRate a second.
func tellInterval(waiting int) time.Duration {
	return max(minTell, time.Duration(waiting)*time.Second/tellRate)
}

// share is a part of the interval, another one for each Run.
func share(uid types.UID, interval time.Duration) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(uid))
	return time.Duration(h.Sum64() % uint64(interval))
}

// sooner is the shorter of two times, of which the first may not be set.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// patch changes the status of a Run that is the cache's own.
func (q *Queue) patch(ctx context.Context, run *v1alpha1.Run, change func(*v1alpha1.RunStatus)) error {
	changed := run.DeepCopy()
	change(&changed.Status)
	patch := client.MergeFromWithOptions(run, client.MergeFromWithOptimisticLock{})
	if err := q.client.Status().Patch(ctx, changed, patch); err != nil {
		return fmt.Errorf("write the status of Run %s: %w", run.Name, err)
	}
	return nil
}
