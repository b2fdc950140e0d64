package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// finished makes a Run one that is over.
func finished(run *v1alpha1.Run) *v1alpha1.Run {
	run.Status.Phase = v1alpha1.RunSucceeded
	return run
}

// restore is Restore of a serial, by me@host.
func restore(t *testing.T, store *Store, serial int64, force bool) (*Restoration, error) {
	t.Helper()
	return store.Restore(t.Context(), testKey, serial, force, "me@host", keepTime.Add(24*time.Hour))
}

func TestStore_Restore(t *testing.T) {
	deleted := func(t *testing.T, c client.Client) {
		if err := c.Delete(t.Context(), stateSecret()); err != nil {
			t.Fatal(err)
		}
	}
	becomes := func(state string) func(*testing.T, client.Client) {
		return func(t *testing.T, c client.Client) { setState(t, c, state) }
	}
	replacedBy := func(objects ...client.Object) func(*testing.T, client.Client) {
		return func(t *testing.T, c client.Client) {
			deleted(t, c)
			for _, o := range objects {
				if err := c.Create(t.Context(), o); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	adds := func(o client.Object) func(*testing.T, client.Client) {
		return func(t *testing.T, c client.Client) {
			deleted(t, c)
			if err := c.Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
	damage := func(t *testing.T, c client.Client) {
		deleted(t, c)
		secret := &corev1.Secret{}
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: testNamespace, Name: CopyName(testKey, 5)}, secret); err != nil {
			t.Fatal(err)
		}
		secret.Data[keyCopy] = pack(numbered(99, "a"))
		if err := c.Update(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	// The copies are 4, 5 and 6 of lineage a; the state is 6 before it is changed.
	cases := map[string]struct {
		change func(*testing.T, client.Client)
		serial int64
		force  bool
		want   int64 // the new serial
		kept   []string
		err    error
	}{
		"A state that is gone.":                 {deleted, 5, false, 7, nil, nil},
		"A state that is emptied.":              {replacedBy(stateSecret(holding(nil))), 5, false, 7, nil, nil},
		"A state that has lost its labels.":     {replacedBy(stateSecret(unlabelled)), 6, false, 7, nil, nil},
		"A state of which a part is missing.":   {replacedBy(stateParts(largeState(3<<20), 4)[1:]...), 6, false, 7, nil, nil},
		"Parts of a larger state go.":           {replacedBy(stateParts(largeState(3<<20), 4)...), 6, true, 8, []string{"7 large "}, nil},
		"A state that goes on is kept.":         {becomes(numbered(9, "a")), 5, false, 10, []string{"9 a "}, nil},
		"An older one.":                         {becomes(numbered(6, "a")), 4, false, 7, nil, nil},
		"A lock that nobody holds is taken.":    {adds(lease()), 5, false, 7, nil, nil},
		"After runs that are finished.":         {adds(finished(run("done", testKey))), 5, false, 7, nil, nil},
		"Of another lineage, not by itself.":    {becomes(numbered(2, "b")), 5, false, 0, nil, ErrOtherLineage},
		"Of another lineage, when forced.":      {becomes(numbered(2, "b")), 5, true, 7, []string{"2 b "}, nil},
		"Not while somebody holds the lock.":    {adds(lease(held("1", "you@laptop"))), 5, false, 0, nil, ErrLocked},
		"Not while a run is under way.":         {adds(run("runs", testKey)), 5, false, 0, nil, ErrRunUnderWay},
		"A run of another object is another.":   {adds(run("other", "other-key")), 5, false, 7, nil, nil},
		"Not what is there already.":            {becomes(numbered(6, "a")), 6, false, 0, nil, ErrCurrent},
		"Not what is not kept.":                 {deleted, 3, false, 0, nil, ErrAbsent},
		"Not a copy that somebody has changed.": {damage, 5, false, 0, nil, ErrUnreadable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store, k8s := newStore(interceptor.Funcs{})
			for i, serial := range []int{4, 5, 6} {
				keep(t, store, k8s, numbered(serial, "a"), i)
			}
			c.change(t, k8s)
			before := names(t, k8s)
			r, err := restore(t, store, c.serial, c.force)
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Fatalf("Restore() fails with %v, want %v", err, c.err)
			}
			if lock, err := store.Lock(t.Context(), testKey); err != nil || (lock != nil) != errors.Is(c.err, ErrLocked) {
				t.Errorf("the lock afterwards: %+v, %v", lock, err)
			}
			if c.err != nil {
				if diff := cmp.Diff(before, withoutLease(names(t, k8s), before)); diff != "" {
					t.Errorf("a refusal changes nothing (-before +after):\n%s", diff)
				}
				return
			}
			state, err := store.Read(t.Context(), testKey)
			if err != nil || state.Serial != c.want || r.Serial != c.want || state.Lineage != "a" || state.Resources != 1 {
				t.Errorf("the state is %+v, %v, want the serial %d", state, err, c.want)
			}
			if all := strings.Join(names(t, k8s), "\n"); strings.Contains(all, SecretName(testKey)+"-part-") {
				t.Errorf("parts of a larger state are left:\n%s", all)
			}
			want := slices.Concat(c.kept, []string{"6 a run-2", "5 a run-1", "4 a run-0"})
			if diff := cmp.Diff(want, kept(t, store)); diff != "" {
				t.Errorf("copies (-want +got):\n%s", diff)
			}
			secret, err := store.secret(t.Context(), SecretName(testKey))
			if err != nil || secret.Annotations["encoding"] != "gzip" || cmp.Diff(labels(testKey), secret.Labels) != "" {
				t.Errorf("the Secret is not as the backend writes it: %v %+v", err, secret.ObjectMeta)
			}
		})
	}
}

// withoutLease leaves the Lease out that a refusal may have made, when there was none.
func withoutLease(all, before []string) []string {
	if len(all) == len(before)+1 && strings.HasPrefix(all[len(all)-1], "Lease ") {
		return all[:len(all)-1]
	}
	return all
}

// TestStore_Restore_large restores a state of several parts in place of a small one.
func TestStore_Restore_large(t *testing.T) {
	store, k8s := newStore(interceptor.Funcs{}, stateParts(largeState(4<<20), 4)...)
	if err := store.Keep(t.Context(), testKey, "run", keepTime); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < 4; n++ {
		if err := k8s.Delete(t.Context(), stateSecret(named(partName(testKey, n)))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := restore(t, store, 7, false); err != nil {
		t.Fatal(err)
	}
	state, err := store.Read(t.Context(), testKey)
	if err != nil || state.Serial != 8 || len(state.Outputs["noise"].Value.AsString()) != 4<<20 {
		t.Errorf("the large state is not restored: %v", err)
	}
}

// TestStore_Restore_interrupted kills a restore before each of its writes in turn; it
// leaves its lock, which a person releases, and the next one comes to the same end.
func TestStore_Restore_interrupted(t *testing.T) {
	// What is restored has two parts, and what it replaces five.
	restored := strings.Replace(largeState(2<<20), `"large"`, `"a"`, 1)
	replaced := strings.Replace(strings.Replace(largeState(64<<10), `"large"`, `"a"`, 1), `"serial":7`, `"serial":10`, 1)
	for allowed := range 20 {
		left := -1
		cut := func() error {
			if left == 0 {
				return errors.New("killed")
			}
			left--
			return nil
		}
		store, k8s := newStore(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
				if err := cut(); err != nil {
					return err
				}
				return c.Create(ctx, obj, opts...)
			},
			Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
				if err := cut(); err != nil {
					return err
				}
				return c.Update(ctx, obj, opts...)
			},
			Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
				if err := cut(); err != nil {
					return err
				}
				return c.Delete(ctx, obj, opts...)
			},
		})
		keep(t, store, k8s, restored, 0)
		keep(t, store, k8s, numbered(8, "a"), 1)
		keep(t, store, k8s, numbered(9, "a"), 2)
		if err := k8s.Delete(t.Context(), stateSecret()); err != nil {
			t.Fatal(err)
		}
		for _, part := range stateParts(replaced, 5) {
			if err := k8s.Create(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		}
		left = allowed
		_, err := restore(t, store, 7, false)
		left = -1
		if err == nil {
			if allowed < 5 {
				t.Errorf("Restore() needed but %d writes", allowed)
			}
			return
		}
		if lock, err := store.Lock(t.Context(), testKey); err != nil {
			t.Fatal(err)
		} else if lock != nil {
			if lock.Who != "me@host" || lock.Operation != "restore" {
				t.Errorf("the lock is %+v", lock)
			}
			if err := store.Unlock(t.Context(), testKey, lock); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := restore(t, store, 7, false); err != nil {
			t.Fatalf("Restore() after one with %d writes: %v", allowed, err)
		}
		state, err := store.Read(t.Context(), testKey)
		if err != nil || state.Serial < 11 || len(state.Outputs["noise"].Value.AsString()) != 2<<20 {
			t.Errorf("after one with %d writes: serial %d, %v", allowed, state.Serial, err)
		}
		if all := strings.Join(names(t, k8s), "\n"); !strings.Contains(all, CopyName(testKey, 10)) {
			t.Errorf("after one with %d writes the state that was replaced is not kept:\n%s", allowed, all)
		}
	}
	t.Error("Restore() does not come to an end")
}

// TestStore_Restore_raced lets somebody take the lock after it was found free.
func TestStore_Restore_raced(t *testing.T) {
	store, k8s := newStore(interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			if _, ok := obj.(*coordinationv1.Lease); ok && obj.GetAnnotations()[lockInfo] != "" && strings.Contains(obj.GetAnnotations()[lockInfo], "me@host") {
				current := &coordinationv1.Lease{}
				if err := c.Get(ctx, client.ObjectKeyFromObject(obj), current); err != nil {
					return err
				}
				held("2", "next@pod")(current)
				if err := c.Update(ctx, current); err != nil {
					return fmt.Errorf("the other one: %w", err)
				}
			}
			return c.Update(ctx, obj, opts...)
		},
	}, lease())
	keep(t, store, k8s, numbered(4, "a"), 0)
	setState(t, k8s, numbered(5, "a"))
	if _, err := restore(t, store, 4, false); !errors.Is(err, ErrLocked) {
		t.Errorf("Restore() fails with %v, want %v", err, ErrLocked)
	}
	if lock, err := store.Lock(t.Context(), testKey); err != nil || lock == nil || lock.ID != "2" {
		t.Errorf("the other one's lock is %+v, %v", lock, err)
	}
	if state, err := store.Read(t.Context(), testKey); err != nil || state.Serial != 5 {
		t.Errorf("the state is %+v, %v", state, err)
	}
}
