package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// lockInfo is the annotation in which the backend says who holds the lock.
const lockInfo = "app.terraform.io/lock-info"

// Lock is a lock that is held. Terraform's locks do not expire.
type Lock struct {
	// ID is unique to this very lock.
	ID string
	// Who is user@host of the holder; empty when the holder did not say. In a pod
	// the host is the pod's name.
	Who string
	// Operation is what Terraform took it for, such as OperationTypeApply.
	Operation string
	// Version is the holder's Terraform version.
	Version string
	// Created is when it was taken.
	Created time.Time
}

// Pod returns the host of the holder, which is a pod's name when the holder is a
// pod; empty when it is not known.
func (l *Lock) Pod() string {
	at := strings.LastIndex(l.Who, "@")
	if at < 0 {
		return ""
	}
	return l.Who[at+1:]
}

// Lock returns the lock on a state, or nil when nobody holds it.
func (s *Store) Lock(ctx context.Context, key string) (*Lock, error) {
	lease, err := s.lease(ctx, key)
	if errors.Is(err, ErrAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return heldBy(lease), nil
}

// heldBy returns the lock that a Lease stands for, nil when it is not held. The
// backend takes any holder, even an empty one, for a lock.
func heldBy(lease *coordinationv1.Lease) *Lock {
	if lease.Spec.HolderIdentity == nil {
		return nil
	}
	var info Lock
	err := json.Unmarshal([]byte(lease.Annotations[lockInfo]), &info)
	if err != nil || info.ID != *lease.Spec.HolderIdentity {
		// The annotation does not speak of this holder, so it proves nothing.
		return &Lock{ID: *lease.Spec.HolderIdentity}
	}
	return &info
}

// Abandoned tells whether the holder of the lock is proven to be gone: it was the
// pod of a Run of this key, and the API server says that the pod does not exist.
// Without that proof it is false, and the lock must be left alone.
func (s *Store) Abandoned(ctx context.Context, key string, l *Lock) (bool, error) {
	name := client.ObjectKey{Namespace: s.namespace, Name: l.Pod()}
	if name.Name == "" {
		return false, nil
	}
	run := &v1alpha1.Run{}
	if err := s.object("Run", name.Name).apiError("get", s.client.Get(ctx, name, run)); err != nil {
		return false, ignoreAbsent(err)
	}
	if run.Labels[v1alpha1.LabelKey] != key {
		return false, nil
	}
	err := s.object("Pod", name.Name).apiError("get", s.client.Get(ctx, name, &corev1.Pod{}))
	return errors.Is(err, ErrAbsent), ignoreAbsent(err)
}

// Unlock releases that very lock and leaves the Lease as Terraform does. A lock
// that is released already is fine; when someone else holds it by now, it fails
// with ErrLocked.
func (s *Store) Unlock(ctx context.Context, key string, l *Lock) error {
	lease, err := s.lease(ctx, key)
	if err != nil {
		return ignoreAbsent(err)
	}
	held := heldBy(lease)
	if held == nil {
		return nil
	}
	o := s.object("Lease", lease.Name)
	if held.ID != l.ID {
		return fmt.Errorf("unlock %s: %w by %q since %s, which is not the lock to be released", o, ErrLocked, held.Who, held.Created.Format(time.RFC3339))
	}
	lease.Spec.HolderIdentity = nil
	delete(lease.Annotations, lockInfo)
	// The update carries the resourceVersion just read, so it cannot hit a lock
	// that was taken since.
	return o.apiError("update", s.client.Update(ctx, lease))
}

func (s *Store) lease(ctx context.Context, key string) (*coordinationv1.Lease, error) {
	lease := &coordinationv1.Lease{}
	name := LeaseName(key)
	err := s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, lease)
	return lease, s.object("Lease", name).apiError("get", err)
}
