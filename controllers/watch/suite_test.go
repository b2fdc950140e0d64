package watch

import (
	"context"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/groundwork-dev/groundwork/hack/testenv"
)

var (
	// apiConfig is the access to the API server of this package's tests.
	apiConfig *rest.Config
	// apiServer is a client of it.
	apiServer client.Client
)

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, func(config *rest.Config) (err error) {
		apiConfig = config
		apiServer, err = client.New(config, client.Options{Scheme: testenv.Scheme()})
		return err
	}))
}

// env is one test's world: a namespace, and a source that has started.
type env struct {
	*testing.T
	namespace string
	source    *ByName
	queue     workqueue.TypedRateLimitingInterface[reconcile.Request]
	network   *testenv.Network
	// stop ends the source.
	stop context.CancelFunc
}

func newEnv(t *testing.T) *env {
	t.Helper()
	return newEnvIn(t.Context(), t, func(*rest.Config) {})
}

// newEnvIn makes a world with a context of the source and another access to the
// API server.
func newEnvIn(ctx context.Context, t *testing.T, modify func(*rest.Config)) *env {
	t.Helper()
	e := &env{T: t}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "shop-"}}
	e.must(apiServer.Create(t.Context(), ns))
	e.namespace = ns.Name
	config, network := testenv.NewNetwork(apiConfig)
	e.network = network
	modify(config)
	api, err := metadata.NewForConfig(config)
	e.must(err)
	e.source = NewByName(api)
	e.queue = workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	e.must(e.source.Start(ctx, e.queue))
	t.Cleanup(e.end)
	return e
}

// end ends the source and waits for its goroutines.
func (e *env) end() {
	e.stop()
	e.ended("all goroutines of the source", func() { e.source.running.Wait() })
	e.queue.ShutDown()
}

// ended fails the test when wait takes long.
func (e *env) ended(what string, wait func()) {
	e.Helper()
	done := make(chan struct{})
	go func() {
		wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		e.Errorf("%s do not end", what)
	}
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// request is that of an object in the namespace.
func (e *env) request(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: e.namespace, Name: name}}
}

func (e *env) secret(name string) Object    { return Secret(e.namespace, name) }
func (e *env) configMap(name string) Object { return ConfigMap(e.namespace, name) }

// put writes a Secret with that data.
func (e *env) put(name, data string) {
	e.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: name}, Data: map[string][]byte{"k": []byte(data)}}
	err := apiServer.Update(e.Context(), secret)
	if client.IgnoreNotFound(err) == nil && err != nil {
		err = apiServer.Create(e.Context(), secret)
	}
	e.must(err)
}

func (e *env) remove(name string) {
	e.Helper()
	e.must(apiServer.Delete(e.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: name}}))
}

// back waits for requests to come back, each once or more often, and for none but
// them.
func (e *env) back(names ...string) {
	e.Helper()
	missing := map[reconcile.Request]bool{}
	for _, name := range names {
		missing[e.request(name)] = true
	}
	wanted := len(missing)
	seen := map[reconcile.Request]bool{}
	quiet := 300 * time.Millisecond
	last := time.Now()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		for e.queue.Len() > 0 {
			request, _ := e.queue.Get()
			e.queue.Done(request)
			seen[request], last = true, time.Now()
			if !missing[request] {
				e.Errorf("%s came back", request.Name)
			}
		}
		if len(seen) >= wanted && time.Since(last) > quiet {
			return
		}
		if time.Now().After(deadline) {
			e.Fatalf("of %q only %v came back", names, seen)
		}
	}
}
