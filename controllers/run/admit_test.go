package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/metrics"
	"github.com/groundwork-dev/groundwork/runner/pod"
)

// queueEnv is a system namespace with a Queue of two places.
type queueEnv struct {
	*testing.T
	namespace string
	clock     *clocktesting.FakePassiveClock
	metrics   *metrics.Counters
	q         *Queue
	// cached, once set, is what the cache has of the Runs.
	cached *v1alpha1.RunList
	// fails is what the next write of a status comes to; done says that it is done all
	// the same.
	fails error
	done  bool
	// writes counts those of a status.
	writes int
}

func newQueueEnv(t *testing.T) *queueEnv {
	t.Helper()
	e := &queueEnv{T: t, clock: clocktesting.NewFakePassiveClock(time.Now())}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "groundwork-"}}
	e.must(apiServer.Create(t.Context(), ns))
	e.namespace = ns.Name
	e.restart()
	return e
}

// restart is a new process.
func (e *queueEnv) restart() {
	e.Helper()
	nodes, err := metadata.NewForConfig(apiConfig)
	e.must(err)
	e.metrics = metrics.NewCounters()
	e.q = NewQueue(QueueOptions{
		Client: interceptor.NewClient(apiServer, interceptor.Funcs{List: e.list, SubResourcePatch: e.patch}), Live: apiServer,
		Nodes: nodes, Clock: e.clock, Metrics: e.metrics, Namespace: e.namespace, Limit: 2,
	})
}

func (e *queueEnv) list(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
	if runs, ok := list.(*v1alpha1.RunList); ok && e.cached != nil {
		e.cached.DeepCopyInto(runs)
		return nil
	}
	return c.List(ctx, list, opts...)
}

func (e *queueEnv) patch(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	e.writes++
	fails := e.fails
	if e.fails = nil; fails != nil && !e.done {
		return fails
	}
	return errors.Join(fails, c.SubResource(sub).Patch(ctx, obj, patch, opts...))
}

func (e *queueEnv) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// create makes Runs that wait, the first the oldest.
func (e *queueEnv) create(objects ...string) {
	e.Helper()
	for _, object := range objects {
		ns, name, _ := strings.Cut(object, "/")
		e.must(apiServer.Create(e.Context(), &v1alpha1.Run{
			ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: ns + "-" + name},
			Spec: v1alpha1.RunSpec{
				Infrastructure: v1alpha1.InfrastructureReference{Namespace: ns, Name: name, UID: "1", Generation: 1},
				Operation:      v1alpha1.OperationApply,
				Trigger:        v1alpha1.TriggerChange,
				Module:         v1alpha1.ModuleReference{Name: "queue", Version: "1.0.0", Digest: "sha256:0"},
				InputsDigest:   "sha256:1",
				Timeout:        metav1.Duration{Duration: 30 * time.Minute},
			},
		}))
	}
}

// look lets the queue look, and the cache be what the API server has before.
func (e *queueEnv) look() ctrl.Result {
	e.Helper()
	result, err := e.q.Reconcile(e.Context(), ctrl.Request{})
	e.must(err)
	return result
}

func (e *queueEnv) runs() *v1alpha1.RunList {
	e.Helper()
	list := &v1alpha1.RunList{}
	e.must(apiServer.List(e.Context(), list, client.InNamespace(e.namespace)))
	return list
}

func (e *queueEnv) end(name string) {
	e.Helper()
	run := &v1alpha1.Run{}
	e.must(apiServer.Get(e.Context(), client.ObjectKey{Namespace: e.namespace, Name: name}, run))
	run.Status.Finish(v1alpha1.RunReasonSucceeded, "", metav1.NewTime(e.clock.Now()))
	e.must(apiServer.Status().Update(e.Context(), run))
}

// want checks who has a place, and what the others say: "place" for the former.
func (e *queueEnv) want(messages map[string]string) {
	e.Helper()
	for _, run := range e.runs().Items {
		got := run.Status.Message
		if run.Status.AdmittedAt != nil {
			got = strings.TrimSpace("place " + got)
		}
		if got != messages[run.Name] {
			e.Errorf("Run %s: got %q, want %q", run.Name, got, messages[run.Name])
		}
	}
}

func waits(place, of int) string { return placeMessage(place, of, 2) }

// Places go to those that wait, as others end; the rest are told theirs, at once the first
// time and then slowly.
func TestQueue(t *testing.T) {
	e := newQueueEnv(t)
	e.create("a/1", "a/2", "a/3", "a/4", "b/1")
	e.look()
	e.want(map[string]string{"a-1": "place", "b-1": "place", "a-2": waits(1, 3), "a-3": waits(2, 3), "a-4": waits(3, 3)})
	e.end("b-1")
	result := e.look()
	e.want(map[string]string{"a-1": "place", "b-1": "place", "a-2": "place", "a-3": waits(2, 3), "a-4": waits(3, 3)})
	if result.RequeueAfter != minTell {
		t.Errorf("the next look is after %s, want %s", result.RequeueAfter, minTell)
	}
	e.clock.SetTime(e.clock.Now().Add(minTell))
	e.look()
	e.want(map[string]string{"a-1": "place", "b-1": "place", "a-2": "place", "a-3": waits(1, 2), "a-4": waits(2, 2)})
	before := e.writes
	if result = e.look(); e.writes != before || result.RequeueAfter != countInterval {
		t.Errorf("with nothing to tell there were %d writes, and the next look is after %s", e.writes-before, result.RequeueAfter)
	}
}

// A Run that is not there any more, or that ended while it waited, makes way by itself.
func TestQueue_leaves(t *testing.T) {
	e := newQueueEnv(t)
	e.create("a/1", "a/2", "a/3", "a/4", "a/5")
	e.look()
	e.must(apiServer.Delete(t.Context(), &v1alpha1.Run{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "a-3"}}))
	e.end("a-4")
	e.end("a-1")
	e.look()
	for _, run := range e.runs().Items {
		if got, want := run.Status.AdmittedAt != nil, run.Name != "a-4"; got != want {
			t.Errorf("Run %s has a place: %t, want %t", run.Name, got, want)
		}
	}
}

// A cache that is behind, a lost answer and a restart give no place twice.
func TestQueue_staleCache(t *testing.T) {
	under := func(e *queueEnv) (n int) {
		for _, run := range e.runs().Items {
			if !run.Waits() && !run.Status.Phase.Finished() {
				n++
			}
		}
		return n
	}
	for _, tc := range []struct {
		name string
		look func(e *queueEnv)
	}{
		{"The cache does not know of the admissions.", func(e *queueEnv) { e.look(); e.look() }},
		{"A new process has a cache that does not.", func(e *queueEnv) { e.look(); e.restart(); e.look(); e.look() }},
		{"Nor of the Runs that were admitted.", func(e *queueEnv) {
			e.look()
			for i := len(e.cached.Items) - 1; i >= 0; i-- {
				if name := e.cached.Items[i].Name; name == "a-1" || name == "a-2" {
					e.cached.Items = append(e.cached.Items[:i], e.cached.Items[i+1:]...)
				}
			}
			e.restart()
			e.look()
			e.look()
		}},
		{"The answer to an admission is lost.", func(e *queueEnv) {
			e.look()
			e.end("a-1")
			e.fails, e.done = errors.New("injected"), true
			e.cached = e.runs()
			if _, err := e.q.Reconcile(e.Context(), ctrl.Request{}); err == nil {
				e.Fatal("no error")
			}
			e.look()
			e.look()
		}},
		{"An admission fails.", func(e *queueEnv) {
			e.look()
			e.end("a-1")
			e.fails = errors.New("injected")
			e.cached = e.runs()
			if _, err := e.q.Reconcile(e.Context(), ctrl.Request{}); err == nil {
				e.Fatal("no error")
			}
			e.look()
			e.look()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newQueueEnv(t)
			e.create("a/1", "a/2", "a/3", "a/4", "a/5")
			e.cached = e.runs()
			tc.look(e)
			if n := under(e); n != 2 {
				t.Errorf("%d Runs have a place, want 2", n)
			}
			// The places are given back all the same.
			e.cached = nil
			for _, run := range e.runs().Items {
				if !run.Waits() && !run.Status.Phase.Finished() {
					e.end(run.Name)
				}
			}
			e.look()
			if n := under(e); n == 0 {
				t.Error("nobody got the places that are free again")
			}
		})
	}
}

// The pod that an earlier version of the controller has made has a place, before it has
// taken its Run and after that.
func TestQueue_earlierVersion(t *testing.T) {
	e := newQueueEnv(t)
	e.create("a/1", "a/2", "a/3")
	for i, run := range e.runs().Items[:2] {
		p := pod.Build(&run, pod.Config{Image: "bundle"})
		e.must(apiServer.Create(t.Context(), p))
		if i == 1 {
			run.Status.PodUID, run.Status.Phase = p.UID, v1alpha1.RunApplying
			e.must(apiServer.Status().Update(t.Context(), &run))
		}
	}
	e.look()
	e.want(map[string]string{"a-1": "", "a-2": "", "a-3": waits(1, 1)})
	e.end("a-1") // Its pod may be there a little longer.
	e.look()
	e.want(map[string]string{"a-1": "", "a-2": "", "a-3": "place"})
}

// The number of nodes decides when no other number is set; it is asked for now and then.
func TestQueue_nodes(t *testing.T) {
	e := newQueueEnv(t)
	e.q.limit.fixed = 0
	add := func(first, n int) {
		for i := range n {
			node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", e.namespace, first+i)}}
			e.must(apiServer.Create(t.Context(), node))
			t.Cleanup(func() { e.must(apiServer.Delete(context.Background(), node)) })
		}
	}
	var got []int
	add(0, 3)
	got = append(got, e.q.limit.get(t.Context()))
	add(3, 2)
	got = append(got, e.q.limit.get(t.Context()))
	e.clock.SetTime(e.clock.Now().Add(countInterval))
	got = append(got, e.q.limit.get(t.Context()))
	if want := "[12 12 20]"; fmt.Sprint(got) != want {
		t.Errorf("limits of 3 nodes, of 5 that were not counted yet, and of 5: got %v, want %s", got, want)
	}
}
