package infrastructure

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/metadata"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/state"
)

// startManager runs the controller as cmd/controller does, for the test's duration
// and namespaces, with other options if need be.
func (e *env) startManager(modify ...func(*Options)) *testenv.Network {
	e.Helper()
	config, network := testenv.NewNetwork(apiConfig)
	byName, err := metadata.NewForConfig(config)
	e.must(err)
	live, err := client.New(config, client.Options{Scheme: apiServer.Scheme()})
	e.must(err)
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:     apiServer.Scheme(),
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Cache:      cache.Options{DefaultNamespaces: map[string]cache.Config{e.namespace: {}, e.system: {}}},
		Controller: ctrlconfig.Controller{SkipNameValidation: ptr.To(true)},
	})
	e.must(err)
	options := Options{
		// What the cache has of the system's Secrets is no watch of this controller.
		Client: mgr.GetClient(), Metadata: byName, Secrets: live, Live: live, State: state.NewStore(live, e.system),
		Catalogue: library(e.T), Recorder: e.recorder, Clock: clock.RealClock{}, Metrics: e.metrics, Namespace: e.system,
		Upgrades: Upgrades{MaxConcurrent: intstr.FromInt32(1), MaxFailed: 2},
	}
	for _, m := range modify {
		m(&options)
	}
	r := New(options)
	ctx, stop := context.WithCancel(context.WithoutCancel(e.Context()))
	e.must(r.SetupWithManager(mgr, 4))
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	e.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			e.Error(err)
		}
	})
	return network
}

// eventually waits until the condition holds.
func (e *env) eventually(what string, holds func() bool) {
	e.Helper()
	e.within(30*time.Second, what, holds)
}

// within waits until the condition holds, not longer than limit.
func (e *env) within(limit time.Duration, what string, holds func() bool) {
	e.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	if e.gone() {
		e.Fatalf("%s does not come; the object is gone", what)
	}
	e.Fatalf("%s does not come: %+v, runs %+v", what, e.object().Status, e.runs())
}

func (e *env) isReady() bool {
	return meta.IsStatusConditionTrue(e.object().Status.Conditions, v1alpha1.ConditionReady)
}

// Each thing that the object depends on brings it back by itself, and no Secret or
// ConfigMap of the app's namespace is asked for without its name.
func TestReconciler_watches(t *testing.T) {
	e := newEnv(t)
	network := e.startManager()
	e.newConfig("aws")
	e.create(bucketOf("aws"), func(i *v1alpha1.Infrastructure) {
		i.Spec.VariablesFrom = []v1alpha1.VariablesSource{
			{ConfigMapRef: &v1alpha1.NameReference{Name: "config"}}, {SecretRef: &v1alpha1.NameReference{Name: "secret"}},
		}
	})
	objectMeta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: e.namespace, Name: name} }
	says := func(part string) func() bool {
		return func() bool {
			ready := meta.FindStatusCondition(e.object().Status.Conditions, v1alpha1.ConditionReady)
			return ready != nil && strings.Contains(ready.Message, part)
		}
	}
	runs := func(n int) func() bool { return func() bool { return len(e.runs()) == n } }

	e.eventually("the wait for the ConfigMap", says(`ConfigMap "config"`))
	e.put(&corev1.ConfigMap{ObjectMeta: objectMeta("config")})
	e.eventually("the wait for the Secret", says(`Secret "secret"`))
	e.put(&corev1.Secret{ObjectMeta: objectMeta("secret")})
	e.eventually("the first run", runs(1))
	e.take(e.last())
	e.eventually("the run's progress", says("Planning"))
	e.succeed(queueOutputs())
	e.eventually("Ready", e.isReady)

	e.remove(&corev1.Secret{}, e.namespace, "orders")
	const soon = 5 * time.Second
	e.within(soon, "the output Secret that was deleted", func() bool { return e.secret("orders") != nil })
	e.output(func(s *corev1.Secret) { s.Data["url"] = []byte("edited") })
	e.within(soon, "the output that was edited", func() bool { return string(e.secret("orders").Data["url"]) == "https://queue" })

	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Outputs.SecretName = "renamed" })
	e.eventually("the renamed output Secret", func() bool { return e.secret("renamed") != nil && e.secret("orders") == nil })
	e.eventually("the new name in the status", func() bool { return e.object().Status.Outputs.SecretName == "renamed" })
	e.eventually("the watches of Secret, ConfigMap and output Secret", func() bool { return network.Watches() == 3 })

	config := &v1alpha1.ProviderConfig{}
	e.must(apiServer.Get(t.Context(), client.ObjectKey{Name: "aws"}, config))
	config.Spec.AWS.DefaultTags = map[string]string{"team": "shop"}
	e.must(apiServer.Update(t.Context(), config))
	e.eventually("a run for the changed ProviderConfig", runs(2))
	e.succeed(queueOutputs())
	e.eventually("Ready", e.isReady)

	config.Spec.NamespaceSelector.MatchLabels = map[string]string{"team": "bank"}
	e.must(apiServer.Update(t.Context(), config))
	e.eventually("the refusal of the namespace", says("team=bank"))
	ns := &corev1.Namespace{}
	e.must(apiServer.Get(t.Context(), client.ObjectKey{Name: e.namespace}, ns))
	ns.Labels["team"] = "bank"
	e.must(apiServer.Update(t.Context(), ns))
	e.eventually("Ready", e.isReady)

	e.update(func(i *v1alpha1.Infrastructure) { i.Annotations = map[string]string{v1alpha1.AnnotationReconcile: "1"} })
	e.eventually("a run for the request", runs(3))
	e.succeed(queueOutputs())
	e.eventually("Ready", e.isReady)
	e.delete()
	e.eventually("the destroy", runs(4))
	e.succeed(nil)
	e.eventually("the end", func() bool { return e.gone() })
	e.remove(&corev1.Secret{}, e.system, "aws")
	e.wantNothingLeft()
	e.eventually("the end of the watches", func() bool { return network.Watches() == 0 })
	if unnamed := network.Unnamed(e.system); len(unnamed) > 0 {
		t.Errorf("requests without a name: %q", unnamed)
	}
}

func TestDeletedFirst(t *testing.T) {
	object := func(name string, deleted bool) *v1alpha1.Infrastructure {
		infra := &v1alpha1.Infrastructure{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
		if deleted {
			infra.DeletionTimestamp = new(metav1.Now())
		}
		return infra
	}
	tests := map[string]struct {
		see   func(handler.Funcs, priorityqueue.PriorityQueue[ctrl.Request])
		first string
	}{
		"A deletion that is asked for comes first.": {
			see: func(h handler.Funcs, q priorityqueue.PriorityQueue[ctrl.Request]) {
				h.Update(t.Context(), event.UpdateEvent{ObjectOld: object("deleted", false), ObjectNew: object("deleted", true)}, q)
			},
			first: "deleted",
		},
		"So does one that the controller finds when it starts.": {
			see: func(h handler.Funcs, q priorityqueue.PriorityQueue[ctrl.Request]) {
				h.Create(t.Context(), event.CreateEvent{Object: object("deleted", true), IsInInitialList: true}, q)
			},
			first: "deleted",
		},
		"Any other change waits its turn.": {
			see: func(h handler.Funcs, q priorityqueue.PriorityQueue[ctrl.Request]) {
				h.Create(t.Context(), event.CreateEvent{Object: object("deleted", false)}, q)
				h.Update(t.Context(), event.UpdateEvent{ObjectOld: object("deleted", false), ObjectNew: object("deleted", false)}, q)
				h.Update(t.Context(), event.UpdateEvent{ObjectOld: object("deleted", true), ObjectNew: object("deleted", true)}, q)
			},
			first: "first",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			q := priorityqueue.New[ctrl.Request](t.Name())
			defer q.ShutDown()
			for _, name := range []string{"first", "second", "deleted"} {
				q.Add(ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "shop", Name: name}})
			}
			tc.see(deletedFirst(), q)
			if got, _ := q.Get(); got.Name != tc.first {
				t.Errorf("%s comes first, want %s", got.Name, tc.first)
			}
		})
	}
}

// Nothing is watched any more for an object that goes without being destroyed.
func TestReconciler_watchesEnd(t *testing.T) {
	e := newEnv(t)
	network := e.startManager()
	e.create(func(i *v1alpha1.Infrastructure) {
		i.Spec.VariablesFrom = []v1alpha1.VariablesSource{{ConfigMapRef: &v1alpha1.NameReference{Name: "config"}}}
	})
	e.eventually("the watches of ConfigMap and output Secret", func() bool { return network.Watches() == 2 })
	e.eventually("the finalizer", func() bool { return len(e.object().Finalizers) > 0 })
	e.update(func(i *v1alpha1.Infrastructure) { i.Finalizers = nil })
	e.delete()
	e.within(30*time.Second, "the end of the watches", func() bool { return network.Watches() == 0 })
}

// Many objects at once, on a real cache: one Run each.
func TestReconciler_many(t *testing.T) {
	e := newEnv(t)
	e.startManager()
	const n = 20
	for i := range n {
		e.create(func(infra *v1alpha1.Infrastructure) { infra.Name = "orders-" + strconv.Itoa(i) })
	}
	all := func() []v1alpha1.Run { return list(t.Context(), t, &v1alpha1.RunList{}, e.system).Items }
	for deadline := time.Now().Add(30 * time.Second); len(all()) < n && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	for i := range n {
		infra := &v1alpha1.Infrastructure{}
		key := client.ObjectKey{Namespace: e.namespace, Name: "orders-" + strconv.Itoa(i)}
		e.must(apiServer.Get(t.Context(), key, infra))
		infra.Annotations = map[string]string{"touched": "1"}
		e.must(apiServer.Update(t.Context(), infra))
	}
	time.Sleep(time.Second)
	perObject := map[string]int{}
	for _, run := range all() {
		perObject[run.Spec.Infrastructure.Name]++
	}
	for name, runs := range perObject {
		if runs != 1 {
			t.Errorf("%s has %d runs", name, runs)
		}
	}
	if len(perObject) != n {
		t.Errorf("%d objects have runs, want %d", len(perObject), n)
	}
}
