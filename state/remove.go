package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Remove deletes what is left of a state after a destroy: its Secrets, the Lease,
// and last the snapshot. What is gone already is fine, so it can be repeated.
//
// It deletes nothing and fails with ErrHasResources while the state holds
// resources, with ErrLocked while the lock is held, and with ErrUnreadable when
// the state cannot be read.
func (s *Store) Remove(ctx context.Context, key string) error {
	lease, err := s.lease(ctx, key)
	if err != nil && !errors.Is(err, ErrAbsent) {
		return err
	}
	leaseExists := err == nil
	if leaseExists {
		if held := heldBy(lease); held != nil {
			return fmt.Errorf("remove %s: %w by %q since %s", s.object("Lease", lease.Name), ErrLocked, held.Who, held.Created.Format(time.RFC3339))
		}
	}
	parts, err := s.removable(ctx, key)
	if err != nil {
		return err
	}
	// The last part first: what is left stays readable, should we be interrupted.
	for _, part := range slices.Backward(parts) {
		if err := s.delete(ctx, "Secret", &part); err != nil {
			return err
		}
	}
	if leaseExists {
		if err := s.delete(ctx, "Lease", lease); err != nil {
			return err
		}
	}
	return s.removeSnapshot(ctx, key)
}

// removable returns the Secrets of a state that holds no resources; none when
// there is no state.
func (s *Store) removable(ctx context.Context, key string) ([]corev1.Secret, error) {
	state, parts, err := s.read(ctx, key)
	switch {
	case errors.Is(err, ErrAbsent):
		return parts, nil
	case err != nil:
		return nil, fmt.Errorf("remove the state: %w", err)
	case state.Resources > 0:
		return nil, fmt.Errorf("remove %s: %w: %d; destroy them first", s.object("Secret", SecretName(key)), ErrHasResources, state.Resources)
	}
	return parts, nil
}

func (s *Store) removeSnapshot(ctx context.Context, key string) error {
	snapshot, err := s.secret(ctx, SnapshotName(key))
	if err != nil {
		return ignoreAbsent(err)
	}
	return s.delete(ctx, "Secret", snapshot)
}

// delete deletes the object as it was read; one that was changed since stays, and
// the conflict is worth a retry.
func (s *Store) delete(ctx context.Context, kind string, o client.Object) error {
	uid, version := o.GetUID(), o.GetResourceVersion()
	err := s.client.Delete(ctx, o, client.Preconditions(metav1.Preconditions{UID: &uid, ResourceVersion: &version}))
	return ignoreAbsent(s.object(kind, o.GetName()).apiError("delete", err))
}
