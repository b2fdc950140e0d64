package state

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Store reads and handles the states in one namespace.
type Store struct {
	client    client.Client
	namespace string
}

// NewStore returns the states in a namespace. The client must not read from a
// cache: a lock is broken and a state removed on what it says.
func NewStore(c client.Client, namespace string) *Store {
	return &Store{client: c, namespace: namespace}
}

// Snapshot returns the data of the Secret that holds what the state was last
// changed with, or ErrAbsent when no run has gone on to change resources yet.
func (s *Store) Snapshot(ctx context.Context, key string) (map[string][]byte, error) {
	secret, err := s.secret(ctx, SnapshotName(key))
	if err != nil {
		return nil, err
	}
	return secret.Data, nil
}

// secret reads one Secret.
func (s *Store) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	err := s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, secret)
	return secret, s.object("Secret", name).apiError("get", err)
}

func (s *Store) object(kind, name string) object { return object{kind, s.namespace, name} }
