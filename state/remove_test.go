package state

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

func TestStore_Remove(t *testing.T) {
	const (
		secretLeft   = "Secret tfstate-default-" + testKey
		leaseLeft    = "Lease lock-tfstate-default-" + testKey
		snapshotLeft = "Secret groundwork-snapshot-" + testKey
	)
	// writtenMeanwhile changes the state right after it was read.
	writtenMeanwhile := interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		err := c.List(ctx, list, opts...)
		return errors.Join(err, c.Update(ctx, stateSecret(holding(pack(oneResource)))))
	}}
	// lockedMeanwhile takes the lock after it was found free.
	lockedMeanwhile := interceptor.Funcs{Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
		if _, ok := o.(*corev1.Secret); ok {
			current := &coordinationv1.Lease{}
			if err := c.Get(ctx, client.ObjectKeyFromObject(lease()), current); err != nil {
				return err
			}
			held("2", "next@pod")(current)
			if err := c.Update(ctx, current); err != nil {
				return err
			}
		}
		return c.Delete(ctx, o, opts...)
	}}
	cases := map[string]struct {
		objects []client.Object
		funcs   interceptor.Funcs
		left    []string
		err     string
	}{
		"Everything that a destroy leaves behind goes.": {
			objects: []client.Object{stateSecret(), lease(), snapshot()},
		},
		"An old part goes too.": {
			objects: []client.Object{stateSecret(), stateSecret(named(partName(testKey, 1)), holding([]byte("old"))), lease(), snapshot()},
		},
		"Nothing left is fine.": {},
		"What an interrupted removal left goes.": {
			objects: []client.Object{lease(), snapshot()},
		},
		"A Secret that the backend had no time to write to goes.": {
			objects: []client.Object{stateSecret(holding(nil)), lease()},
		},
		"The objects of another key stay.": {
			objects: []client.Object{
				stateSecret(), stateSecret(named("tfstate-default-other"), func(s *corev1.Secret) { s.Labels = labels("other") }),
			},
			left: []string{"Secret tfstate-default-other"},
		},
		"A state with resources stays, whole.": {
			objects: []client.Object{stateSecret(holding(pack(oneResource))), lease(), snapshot()},
			left:    []string{snapshotLeft, secretLeft, leaseLeft}, err: "has resources",
		},
		"An unreadable state stays, whole.": {
			objects: []client.Object{stateSecret(holding([]byte("?"))), lease(), snapshot()},
			left:    []string{snapshotLeft, secretLeft, leaseLeft}, err: "unreadable",
		},
		"An emptied state stays, whole.": {
			objects: []client.Object{stateSecret(holding(nil)), lease(), snapshot()},
			left:    []string{snapshotLeft, secretLeft, leaseLeft}, err: "unreadable",
		},
		"A locked state stays, whole.": {
			objects: []client.Object{stateSecret(), lease(held("1", "me@host")), snapshot()},
			left:    []string{snapshotLeft, secretLeft, leaseLeft}, err: "locked",
		},
		"A lock that cannot be read counts as held.": {
			objects: []client.Object{stateSecret(), lease(), snapshot()},
			funcs:   getFailsFor[*coordinationv1.Lease](forbidden("leases", LeaseName(testKey))),
			left:    []string{snapshotLeft, secretLeft, leaseLeft}, err: "forbidden",
		},
		"A state that is written to meanwhile stays.": {
			objects: []client.Object{stateSecret(), lease(), snapshot()}, funcs: writtenMeanwhile,
			left: []string{snapshotLeft, secretLeft, leaseLeft}, err: "plain",
		},
		"A lock that is taken meanwhile stays.": {
			objects: []client.Object{stateSecret(), lease(), snapshot()}, funcs: lockedMeanwhile,
			left: []string{snapshotLeft, leaseLeft}, err: "plain",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store, k8s := newStore(c.funcs, c.objects...)
			checkError(t, c.err, store.Remove(t.Context(), testKey))
			if diff := cmp.Diff(c.left, names(t, k8s)); diff != "" {
				t.Errorf("what is left (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStore_Remove_interrupted cuts a removal off before each of its deletes in
// turn, and expects the next one to finish.
func TestStore_Remove_interrupted(t *testing.T) {
	objects := func() []client.Object {
		return []client.Object{
			stateSecret(),
			stateSecret(named(partName(testKey, 1)), holding([]byte("old"))),
			stateSecret(named(partName(testKey, 2)), holding([]byte("old"))),
			lease(), snapshot(),
		}
	}
	for allowed := range len(objects()) {
		deletes := 0
		store, k8s := newStore(interceptor.Funcs{Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			if deletes == allowed {
				allowed = -1
				return errors.New("killed")
			}
			deletes++
			return c.Delete(ctx, o, opts...)
		}}, objects()...)
		if err := store.Remove(t.Context(), testKey); err == nil {
			t.Errorf("Remove() with %d deletes did not fail", deletes)
		}
		if err := store.Remove(t.Context(), testKey); err != nil {
			t.Errorf("Remove() after one with %d deletes: %v", deletes, err)
		}
		if diff := cmp.Diff([]string(nil), names(t, k8s)); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
	}
}
