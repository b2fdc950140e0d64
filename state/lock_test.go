package state

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func contains(err error, text string) bool { return strings.Contains(err.Error(), text) }

// getFailsFor makes every get of an object of o's type fail.
func getFailsFor[T client.Object](err error) interceptor.Funcs {
	return interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if _, ok := o.(T); ok {
			return err
		}
		return c.Get(ctx, key, o, opts...)
	}}
}

func TestLock_Pod(t *testing.T) {
	cases := map[string]struct{ who, want string }{
		"The host of a pod is its name.":             {"nonroot@shop-orders-3", "shop-orders-3"},
		"A user's name may have an @.":               {"me@corp.example@laptop", "laptop"},
		"A user alone is no pod.":                    {"me", ""},
		"A holder that says nothing is no pod.":      {"", ""},
		"A runner without a user's name has a host.": {"@shop-orders-3", "shop-orders-3"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := (&Lock{Who: c.who}).Pod(); got != c.want {
				t.Errorf("Pod() of %q = %q, want %q", c.who, got, c.want)
			}
		})
	}
}

func TestStore_Lock(t *testing.T) {
	annotated := func(text string) leaseModifier {
		return func(l *coordinationv1.Lease) { l.Annotations = map[string]string{lockInfo: text} }
	}
	cases := map[string]struct {
		objects []client.Object
		funcs   interceptor.Funcs
		want    *Lock
		err     string
	}{
		"Without a Lease nobody holds the lock.":      {},
		"An unheld Lease is no lock.":                 {objects: []client.Object{lease()}},
		"A stale annotation is no lock.":              {objects: []client.Object{lease(annotated("{}"))}},
		"A held Lease says who and since when.":       {objects: []client.Object{lease(held("1", "me@host"))}, want: heldLock("1", "me@host")},
		"A holder without an annotation is a lock.":   {objects: []client.Object{lease(held("1", "me@host"), annotated(""))}, want: &Lock{ID: "1"}},
		"An annotation of another lock does not say.": {objects: []client.Object{lease(held("1", "me@host"), annotated(`{"ID":"2","Who":"me@pod"}`))}, want: &Lock{ID: "1"}},
		"A refused get is forbidden, not unlocked.":   {funcs: getFailsFor[*coordinationv1.Lease](forbidden("leases", LeaseName(testKey))), err: "forbidden"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store, _ := newStore(c.funcs, c.objects...)
			got, err := store.Lock(t.Context(), testKey)
			checkError(t, c.err, err)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Lock() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStore_Abandoned(t *testing.T) {
	const holder = "nonroot@shop-orders-abcdefghijklmnop-1"
	runName := "shop-orders-abcdefghijklmnop-1"
	cases := map[string]struct {
		who     string
		objects []client.Object
		funcs   interceptor.Funcs
		want    bool
		err     string
	}{
		"A Run of this key whose pod does not exist is proof.": {
			who: holder, objects: []client.Object{run(runName, testKey)}, want: true,
		},
		"A pod that exists may still hold the lock.": {
			who: holder, objects: []client.Object{run(runName, testKey), pod(runName)},
		},
		"A host that is no Run's is someone else.": {
			who: "me@laptop",
		},
		"A Run of another key proves nothing.": {
			who: holder, objects: []client.Object{run(runName, "shop-other-abcdefghijklmnop")},
		},
		"A Run in another namespace proves nothing.": {
			who: holder, objects: []client.Object{func() client.Object {
				r := run(runName, testKey)
				r.Namespace = "shop"
				return r
			}()},
		},
		"A holder that is not known proves nothing.": {
			who: "", objects: []client.Object{run(runName, testKey)},
		},
		"A Run that cannot be read is an error.": {
			who: holder, objects: []client.Object{run(runName, testKey)},
			funcs: getFailsFor[*v1alpha1.Run](forbidden("runs", runName)), err: "forbidden",
		},
		"A pod that cannot be read is an error, not gone.": {
			who: holder, objects: []client.Object{run(runName, testKey)},
			funcs: getFailsFor[*corev1.Pod](forbidden("pods", runName)), err: "forbidden",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store, _ := newStore(c.funcs, c.objects...)
			got, err := store.Abandoned(t.Context(), testKey, heldLock("1", c.who))
			checkError(t, c.err, err)
			if got != c.want {
				t.Errorf("Abandoned() = %v, want %v", got, c.want)
			}
		})
	}
}

func TestStore_Unlock(t *testing.T) {
	// takenOver makes the update meet a Lease that changed after it was read.
	takenOver := interceptor.Funcs{Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
		current := &coordinationv1.Lease{}
		if err := c.Get(ctx, client.ObjectKeyFromObject(o), current); err != nil {
			return err
		}
		held("2", "next@pod")(current)
		if err := c.Update(ctx, current); err != nil {
			return err
		}
		return c.Update(ctx, o, opts...)
	}}
	cases := map[string]struct {
		objects []client.Object
		funcs   interceptor.Funcs
		want    *Lock // who holds it afterwards
		err     string
	}{
		"The lock is released.":                        {objects: []client.Object{lease(held("1", "me@host"))}},
		"A lock that was released already is fine.":    {objects: []client.Object{lease()}},
		"A Lease that is gone is fine.":                {},
		"A lock that someone else holds by now stays.": {objects: []client.Object{lease(held("2", "next@pod"))}, want: heldLock("2", "next@pod"), err: "locked"},
		"A lock that is taken meanwhile stays.":        {objects: []client.Object{lease(held("1", "me@host"))}, funcs: takenOver, want: heldLock("2", "next@pod"), err: "plain"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store, k8s := newStore(c.funcs, c.objects...)
			checkError(t, c.err, store.Unlock(t.Context(), testKey, heldLock("1", "me@host")))
			got, err := store.Lock(t.Context(), testKey)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("lock after Unlock() (-want +got):\n%s", diff)
			}
			if c.err == "" && len(c.objects) > 0 {
				left := &coordinationv1.Lease{}
				if err := k8s.Get(t.Context(), client.ObjectKeyFromObject(lease()), left); err != nil {
					t.Fatal(err)
				}
				if _, ok := left.Annotations[lockInfo]; ok {
					t.Error("the annotation is still there")
				}
			}
		})
	}
}
