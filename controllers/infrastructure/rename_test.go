package infrastructure

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/watch"
	"github.com/groundwork-dev/groundwork/state"
)

// rename changes the name of the output Secret.
func (e *env) rename(name string) {
	e.Helper()
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Outputs.SecretName = name })
}

// interrupt reconciles once with the n-th write failing, which is done all the same
// or not. Whatever the write is, the status names each Secret that there is.
func (e *env) interrupt(n int, done bool) {
	e.Helper()
	e.api.forgetWrites()
	e.api.fail = func(i int, _ string) (bool, bool) { return i == n, done }
	_, _ = e.tryReconcile() // an error is tried again
	e.api.fail = nil
	s := e.object().Status
	for _, name := range e.secrets() {
		if name != writtenName(&s) && name != s.NextOutputSecret {
			e.Errorf("write %d of %q failed (done: %t): the status does not name Secret %s", n, e.api.writes, done, name)
		}
	}
}

// secrets names the Secrets in the app's namespace.
func (e *env) secrets() []string {
	e.Helper()
	var names []string
	for _, secret := range list(e.Context(), e.T, &corev1.SecretList{}, e.namespace).Items {
		names = append(names, secret.Name)
	}
	return names
}

// wantSecret checks that there is a Secret of that name and no other, and that the
// status says so.
func (e *env) wantSecret(name string) {
	e.Helper()
	if diff := cmp.Diff([]string{name}, e.secrets()); diff != "" {
		e.Errorf("Secrets, -want +got:\n%s", diff)
	}
	got := e.object().Status
	if got.Outputs == nil || got.Outputs.SecretName != name || got.Binding == nil || got.Binding.Name != name || got.NextOutputSecret != "" {
		e.Errorf("status has the outputs %v, the binding %v, the next Secret %q; want %s and none", got.Outputs, got.Binding, got.NextOutputSecret, name)
	}
	e.want(v1alpha1.ReasonInSync)
	e.wantRuns(1)
}

func TestReconciler_rename(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.rename("second")
	e.api.forgetWrites()
	e.reconcile()
	e.wantSecret("second")
	want := []string{
		"patch status Infrastructure orders", "apply SecretApplyConfiguration ",
		"delete PartialObjectMetadata orders", "patch status Infrastructure orders",
	}
	if diff := cmp.Diff(want, e.api.writes); diff != "" {
		t.Errorf("writes, -want +got:\n%s", diff)
	}
	e.api.forgetWrites()
	e.reconcile()
	if len(e.api.writes) > 0 {
		t.Errorf("once renamed, writes are %q, want none", e.api.writes)
	}
}

// The first output Secret has its name changed when writing it broke off anywhere.
// Until it is written, the status tells of none.
func TestReconciler_renameFirst(t *testing.T) {
	const writes = 3
	for _, done := range []bool{false, true} {
		for n := range writes {
			e := newEnv(t)
			e.create()
			e.reconcile()
			e.succeed(queueOutputs())
			e.must(state.NewStore(apiServer, e.system).Keep(t.Context(), e.key(), e.last().Name, e.clock.Now()))
			e.interrupt(n, done)
			if s := e.object().Status; n < writes-1 && (s.Outputs != nil || s.Binding != nil) {
				t.Errorf("write %d failed (done: %t): the status tells of the outputs %v and the binding %v", n, done, s.Outputs, s.Binding)
			}
			if len(e.api.writes) <= n {
				t.Fatalf("there are the writes %q, want %d", e.api.writes, writes)
			}
			e.rename("second")
			e.reconcile()
			e.wantSecret("second")
		}
	}
}

// A rename that breaks off anywhere, before or after a write was done, leaves no
// Secret behind, whatever the name is changed to next.
func TestReconciler_renameInterrupted(t *testing.T) {
	const writes = 4
	for _, done := range []bool{false, true} {
		for n := range writes {
			for _, next := range []string{"second", "third", "orders"} {
				e := newEnv(t)
				e.ready()
				e.rename("second")
				e.interrupt(n, done)
				if len(e.api.writes) <= n {
					t.Fatalf("there are the writes %q, want %d", e.api.writes, writes)
				}
				e.rename(next)
				e.reconcile()
				e.wantSecret(next)
			}
		}
	}
}

// Nor do two renames in a row that both break off anywhere.
func TestReconciler_renameTwiceInterrupted(t *testing.T) {
	for n := range 4 {
		for m := 0; ; m++ {
			e := newEnv(t)
			e.ready()
			e.rename("second")
			e.interrupt(n, true)
			e.rename("third")
			e.interrupt(m, true)
			last := len(e.api.writes) <= m
			if !last {
				e.rename("fourth")
				e.reconcile()
				e.wantSecret("fourth")
				continue
			}
			e.wantSecret("third")
			break
		}
	}
}

// Nothing is written for an object that the cache does not know as it is: its
// Secret may have another name by now.
func TestReconciler_renameStale(t *testing.T) {
	for _, tc := range []struct {
		name  string
		stale func(*v1alpha1.Infrastructure)
	}{
		{"An earlier spec.", func(i *v1alpha1.Infrastructure) { i.Generation-- }},
		{"An earlier object of the name, for which no run is started.", func(i *v1alpha1.Infrastructure) { i.UID, i.Spec.Suspend = "earlier", true }},
		{"An earlier name.", func(i *v1alpha1.Infrastructure) { i.Status.Outputs.SecretName = "earlier" }},
		{"An earlier note.", func(i *v1alpha1.Infrastructure) { i.Status.NextOutputSecret = "earlier" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.ready()
			e.remove(&corev1.Secret{}, e.namespace, "orders")
			e.api.infra = e.object()
			tc.stale(e.api.infra)
			e.reconcileBehind()
			if got := e.secrets(); len(got) > 0 {
				t.Errorf("Secrets %q were written", got)
			}
			e.api.infra = nil
			e.reconcile()
			e.wantSecret("orders")
		})
	}
}

// A Secret of a former name that has become someone else's stays.
func TestReconciler_renameForeign(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.output(func(s *corev1.Secret) { s.OwnerReferences = nil })
	e.rename("second")
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
	if diff := cmp.Diff([]string{"orders", "second"}, e.secrets()); diff != "" {
		t.Errorf("Secrets, -want +got:\n%s", diff)
	}
}

func TestNoted(t *testing.T) {
	next := func(name string) func(*v1alpha1.Infrastructure) {
		return func(i *v1alpha1.Infrastructure) { i.Status.NextOutputSecret = name }
	}
	for _, tc := range []struct {
		name          string
		before, after string
		want          bool
	}{
		{"A name that is noted.", "", "a", true},
		{"Another name.", "a", "b", true},
		{"The same name.", "a", "a", false},
		{"No name any more.", "a", "", false},
		{"No name.", "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := noted(event.UpdateEvent{ObjectOld: newInfra(next(tc.before)), ObjectNew: newInfra(next(tc.after))}); got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}

func TestDependencies(t *testing.T) {
	secret := func(name string) watch.Object { return watch.Secret("shop", name) }
	for _, tc := range []struct {
		name   string
		modify func(*v1alpha1.Infrastructure)
		want   []watch.Object
	}{
		{"The output Secret, before it is there.", func(*v1alpha1.Infrastructure) {}, []watch.Object{secret("orders")}},
		{"The output Secret under every name it may have.", func(i *v1alpha1.Infrastructure) {
			i.Spec.Outputs.SecretName = "wanted"
			i.Status.Outputs = &v1alpha1.OutputsStatus{SecretName: "written"}
			i.Status.NextOutputSecret = "next"
		}, []watch.Object{secret("next"), secret("wanted"), secret("written")}},
		{"What the variables are from.", func(i *v1alpha1.Infrastructure) {
			i.Spec.VariablesFrom = []v1alpha1.VariablesSource{
				{SecretKeyRef: &v1alpha1.KeyReference{Name: "a"}}, {SecretRef: &v1alpha1.NameReference{Name: "b"}},
				{ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "c"}}, {ConfigMapRef: &v1alpha1.NameReference{Name: "d"}},
				{OutputRef: &v1alpha1.OutputReference{Name: "e"}},
			}
		}, []watch.Object{watch.ConfigMap("shop", "c"), watch.ConfigMap("shop", "d"), secret("a"), secret("b"), secret("orders")}},
		{"Nothing for an object that is being deleted.", deleting, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := watched(newInfra(tc.modify))
			slices.SortFunc(got, func(a, b watch.Object) int {
				return slices.Compare([]string{a.Resource.Resource, a.Name}, []string{b.Resource.Resource, b.Name})
			})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
