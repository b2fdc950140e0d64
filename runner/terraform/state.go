package terraform

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What the kubernetes backend selects the Secrets of a state by, and where they hold it.
// Source: https://github.com/hashicorp/terraform/blob/v1.11.4/internal/backend/remote-state/kubernetes/client.go (getLabels, getSecrets)
const (
	labelState  = "tfstate"
	labelSuffix = "tfstateSecretSuffix"
	keyState    = "tfstate"
)

// statePatience is how long a state may be in the middle of being written: the backend
// writes the Secrets of a large one one by one.
const statePatience = 10 * time.Second

// readState returns the state file, nil when it is proven that there is none. A state
// that is unreadable, or that is gone although resources were applied, is an error. It
// reads what the backend would, without its lock.
func (s *session) readState(ctx context.Context) ([]byte, error) {
	backend, err := parseBackend(s.req.Backend)
	if err != nil {
		return nil, err
	}
	first, err := backend.secret()
	if err != nil {
		return nil, err
	}
	var content []byte
	err = retry(ctx, statePatience, func(ctx context.Context) error {
		content, err = s.readStateOnce(ctx, first)
		return permanent(err)
	})
	return content, err
}

func (s *session) readStateOnce(ctx context.Context, first types.NamespacedName) ([]byte, error) {
	var list corev1.SecretList
	selected := client.MatchingLabels{labelState: "true", labelSuffix: strings.TrimPrefix(first.Name, statePrefix)}
	if err := s.client.List(ctx, &list, client.InNamespace(first.Namespace), selected); err != nil {
		return nil, err
	}
	if len(list.Items) == 0 {
		return nil, s.checkNoState(ctx, first)
	}
	parts := make([][]byte, len(list.Items))
	for i := range list.Items {
		secret := &list.Items[i]
		n, ok := statePart(first.Name, secret.Name)
		if !ok || n >= len(parts) {
			return nil, fmt.Errorf("the parts of the state %s do not belong together: there is %s among %d", first, secret.Name, len(parts))
		}
		parts[n] = secret.Data[keyState]
	}
	for n, part := range parts {
		switch {
		case len(part) == 0 && len(parts) == 1:
			// The backend makes the Secret before it writes to it.
			return nil, s.checkNothingApplied(ctx)
		case len(part) == 0:
			return nil, fmt.Errorf("part %d of the state %s is empty", n, first)
		}
	}
	return unpackState(first, bytes.Join(parts, nil))
}

// checkNoState fails unless the state's Secret is proven not to be there, by its name too,
// and nothing was applied.
func (s *session) checkNoState(ctx context.Context, first types.NamespacedName) error {
	switch err := s.client.Get(ctx, first, &corev1.Secret{}); {
	case isGone(err):
		return s.checkNothingApplied(ctx)
	case err != nil:
		return err
	}
	return fmt.Errorf("%s has lost the labels that Terraform finds it by", first)
}

// checkNothingApplied fails when a run has changed resources: then there has to be a state.
func (s *session) checkNothingApplied(ctx context.Context) error {
	err := s.client.Get(ctx, types.NamespacedName{Namespace: s.run.Namespace, Name: s.req.Snapshot}, &corev1.Secret{})
	switch {
	case isGone(err):
		return nil
	case err != nil:
		return err
	}
	return errors.New("it is gone or empty although resources were applied; restore it from a backup")
}

// statePart is the number of a part, from 0, by the name of its Secret.
func statePart(first, name string) (int, bool) {
	if name == first {
		return 0, true
	}
	digits, ok := strings.CutPrefix(name, first+"-part-")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0
}

// unpackState gunzips a state. What follows the end of the stream is ignored, as
// Terraform does: parts of an older, larger state. Its errors quote nothing of it.
func unpackState(first types.NamespacedName, packed []byte) ([]byte, error) {
	stream, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("the state %s is not gzipped: %w", first, err)
	}
	stream.Multistream(false)
	content, err := io.ReadAll(stream)
	if err != nil {
		return nil, fmt.Errorf("the state %s is not complete: %w", first, err)
	}
	return content, nil
}
