package watch

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestByName_Want(t *testing.T) {
	for _, tc := range []struct {
		name string
		// wants and then again is what a request wants, which has come back once.
		wants, again func(e *env) []Object
		change       func(e *env)
		// back tells whether it comes back for the change.
		back bool
	}{
		{"An object that comes.", one("secret"), nil, func(e *env) { e.put("secret", "1") }, true},
		{"An object that changes.", one("there"), nil, func(e *env) { e.put("there", "2") }, true},
		{"An object that goes.", one("there"), nil, func(e *env) { e.remove("there") }, true},
		{"One of several.", func(e *env) []Object { return []Object{e.configMap("c"), e.secret("there"), e.secret("a")} }, nil,
			func(e *env) { e.remove("there") }, true},
		{"A ConfigMap.", func(e *env) []Object { return []Object{e.configMap("config")} }, nil, func(e *env) {
			e.must(apiServer.Create(e.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "config"}}))
		}, true},
		{"Another object.", one("secret"), nil, func(e *env) { e.put("other", "1") }, false},
		{"A Secret of the name of a ConfigMap.", func(e *env) []Object { return []Object{e.configMap("x")} }, nil, func(e *env) { e.put("x", "1") }, false},
		{"An object of the name elsewhere.", func(*env) []Object { return []Object{Secret("default", "x")} }, nil, func(e *env) { e.put("x", "1") }, false},
		{"An object that is wanted still.", one("there"), one("there"), func(e *env) { e.put("there", "2") }, true},
		{"An object that is not wanted any more.", one("there"), one("secret"), func(e *env) { e.put("there", "2") }, false},
		{"Nothing is wanted any more.", one("there"), func(*env) []Object { return nil }, func(e *env) { e.put("there", "2") }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.put("there", "1")
			wants := tc.wants(e)
			e.source.Want(e.request("orders"), wants...)
			e.back("orders")
			if tc.again != nil {
				before := wants
				wants = tc.again(e)
				e.source.Want(e.request("orders"), wants...)
				if len(wants) > 0 && wants[0] != before[0] {
					e.back("orders")
				}
			}
			e.eventually("as many watches as wants", func() bool { return e.network.Watches() == len(wants) })
			tc.change(e)
			if tc.back {
				e.back("orders")
			} else {
				e.back()
			}
			if unnamed := e.network.Unnamed(""); len(unnamed) > 0 {
				t.Errorf("requests without a name: %q", unnamed)
			}
			e.source.Want(e.request("orders"))
			e.eventually("the end of the watches", func() bool { return e.network.Watches() == 0 })
			e.ended("the goroutines of the watches", func() { e.source.running.Wait() })
		})
	}
}

// one wants a Secret.
func one(name string) func(e *env) []Object {
	return func(e *env) []Object { return []Object{e.secret(name)} }
}

func (e *env) eventually(what string, holds func() bool) {
	e.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	e.Fatalf("%s does not come", what)
}

// Those that want the same object share its watch, which ends with the last.
func TestByName_shared(t *testing.T) {
	e := newEnv(t)
	e.source.Want(e.request("first"), e.secret("s"))
	e.back("first")
	e.source.Want(e.request("second"), e.secret("s"), e.secret("other"))
	e.back("second")
	e.eventually("two watches", func() bool { return e.network.Watches() == 2 })
	e.put("s", "1")
	e.back("first", "second")
	e.source.Want(e.request("first"))
	e.put("s", "2")
	e.back("second")
	e.source.Want(e.request("second"), e.secret("other"))
	e.eventually("one watch", func() bool { return e.network.Watches() == 1 })
	e.put("s", "3")
	e.back()
}

// A watch that begins brings its request back behind those with a change.
func TestByName_priority(t *testing.T) {
	e := newEnv(t)
	source := NewByName(e.source.metadata)
	queue := priorityqueue.New[reconcile.Request]("test")
	defer queue.ShutDown()
	e.must(source.Start(t.Context(), queue))
	next := func(want int) {
		t.Helper()
		request, priority, _ := queue.GetWithPriority()
		queue.Done(request)
		if request != e.request("orders") || priority != want {
			t.Errorf("%s came back with priority %d, want %d", request, priority, want)
		}
	}
	source.Want(e.request("orders"), e.secret("s"))
	next(handler.LowPriority)
	e.put("s", "1")
	next(0)
}

// What is wanted before the source has started is watched when it has.
func TestByName_Start(t *testing.T) {
	e := newEnv(t)
	early := NewByName(e.source.metadata)
	early.Want(e.request("orders"), e.secret("s"))
	e.must(early.Start(t.Context(), e.queue))
	e.back("orders")
	if err := early.Start(t.Context(), e.queue); err == nil {
		t.Error("it started a second time")
	}
}

// A source that has ended watches nothing more.
func TestByName_end(t *testing.T) {
	e := newEnv(t)
	e.source.Want(e.request("orders"), e.secret("s"))
	e.back("orders")
	e.end()
	e.source.Want(e.request("late"), e.secret("late"))
	e.ended("the goroutines of a late watch", func() { e.source.running.Wait() })
	if e.network.Watches() > 0 || len(e.network.Named(e.namespace, "late")) > 0 {
		t.Error("something is watched")
	}
}

// Nothing that happens while the API server is away is lost, and nothing that did
// not happen is made up.
func TestByName_outage(t *testing.T) {
	e := newEnv(t)
	for _, name := range []string{"same", "changed", "removed"} {
		e.put(name, "1")
	}
	names := []string{"same", "changed", "removed", "created", "fleeting"}
	for _, name := range names {
		e.source.Want(e.request(name), e.secret(name))
	}
	e.back(names...)
	e.network.SetDown(true)
	e.put("changed", "2")
	e.remove("removed")
	e.put("created", "1")
	// A reconcile may have seen it.
	e.put("fleeting", "1")
	e.remove("fleeting")
	time.Sleep(time.Second)
	e.network.SetDown(false)
	e.back("changed", "removed", "created", "fleeting")
	e.put("same", "2")
	e.back("same")
}

// A watch that is forbidden is tried again ever more slowly and logged once; when it
// is allowed, it works.
func TestByName_forbidden(t *testing.T) {
	var mu sync.Mutex
	var logged []string
	ctx := log.IntoContext(t.Context(), funcr.New(func(_, args string) {
		mu.Lock()
		defer mu.Unlock()
		logged = append(logged, args)
	}, funcr.Options{Verbosity: 1}))
	e := newEnvIn(ctx, t, func(config *rest.Config) { config.Impersonate.UserName = "nobody" })
	for _, name := range []string{"a", "b"} {
		e.source.Want(e.request(name), e.secret(name))
	}
	// Each try is a watch and a list.
	tries := func() int { return len(e.network.Named(e.namespace, "a")) / 2 }
	e.eventually("the second try", func() bool { return tries() == 2 })
	time.Sleep(3 * time.Second)
	if n := tries(); n > 5 {
		t.Errorf("%d tries in a few seconds", n)
	}
	e.back()
	mu.Lock()
	if len(logged) != 1 || !strings.Contains(logged[0], "forbidden") || !strings.Contains(logged[0], e.namespace) {
		t.Errorf("logged %q, want one line with the namespace", logged)
	}
	mu.Unlock()
	meta := metav1.ObjectMeta{Namespace: e.namespace, Name: "named"}
	e.must(apiServer.Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"a"}, Verbs: []string{"list", "watch"},
	}}}))
	e.must(apiServer.Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "named"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: "nobody"}},
	}))
	e.back("a")
}
