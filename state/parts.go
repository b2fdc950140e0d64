package state

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// dataKey is the key of a state Secret that holds the gzipped state, or a part.
const dataKey = "tfstate"

// parts reads the Secrets of a state in order: the first at index 0, part n at
// index n. Like the backend it selects them by label; what the backend would
// read wrongly, or not at all, is unreadable.
func (s *Store) parts(ctx context.Context, key string) ([]corev1.Secret, error) {
	var list corev1.SecretList
	first := s.object("Secret", SecretName(key))
	if err := s.client.List(ctx, &list, client.InNamespace(s.namespace), client.MatchingLabels(labels(key))); err != nil {
		return nil, first.apiError("list", err)
	}
	if len(list.Items) == 0 {
		return nil, s.checkAbsent(ctx, key)
	}
	parts := make([]corev1.Secret, len(list.Items))
	for _, secret := range list.Items {
		// Numbers beyond the count leave a gap below, which is reported.
		n, ok := partNumber(key, secret.Name)
		if !ok {
			return nil, s.object("Secret", secret.Name).unreadable("it has the labels of the state %s but is not a part of it, and Terraform would read it too; remove its label tfstateSecretSuffix", first)
		}
		if n < len(parts) {
			parts[n] = secret
		}
	}
	for n := range parts {
		if parts[n].Name == "" {
			return nil, s.object("Secret", partName(key, n)).unreadable("this part of the state is missing or has lost its labels, while others are there; restore it from a backup")
		}
	}
	return parts, nil
}

// checkAbsent returns ErrAbsent when the state's Secret does not exist under its
// name either. One that has lost its labels is not absent: Terraform would not
// find it, and overwrite it with an empty state.
func (s *Store) checkAbsent(ctx context.Context, key string) error {
	secret, err := s.secret(ctx, SecretName(key))
	if err != nil {
		return err
	}
	return s.object("Secret", secret.Name).unreadable("it has lost labels that Terraform finds it by; put back %v", labels(key))
}

// partName returns the name of the state's nth Secret, from 0.
func partName(key string, n int) string {
	if n == 0 {
		return SecretName(key)
	}
	return fmt.Sprintf("%s-part-%d", SecretName(key), n)
}

// partNumber is the inverse of partName.
func partNumber(key, name string) (int, bool) {
	if name == SecretName(key) {
		return 0, true
	}
	digits, ok := strings.CutPrefix(name, SecretName(key)+"-part-")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0 && partName(key, n) == name
}

// unpack joins the parts and returns the state's JSON.
//
// What follows the end of the gzip stream is ignored, as Terraform does: parts of
// an older, larger state that its writer had no time to delete.
func (s *Store) unpack(key string, parts []corev1.Secret) ([]byte, error) {
	var packed bytes.Buffer
	for _, part := range parts {
		packed.Write(part.Data[dataKey])
	}
	first := s.object("Secret", parts[0].Name)
	stream, err := gzip.NewReader(&packed)
	if err != nil {
		return nil, first.unreadable("its key %q is not gzipped (%v); restore it from a backup", dataKey, err)
	}
	stream.Multistream(false)
	state, err := io.ReadAll(stream)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, first.unreadable("the state breaks off after %d of its Secrets; restore the missing one, %s, from a backup", len(parts), partName(key, len(parts)))
	case err != nil:
		return nil, first.unreadable("its parts do not belong together (%v): a writer was killed between them; restore them from a backup", err)
	}
	return state, nil
}

// gunzip returns what was gzipped as a whole.
func gunzip(packed []byte) ([]byte, error) {
	stream, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(stream)
}
