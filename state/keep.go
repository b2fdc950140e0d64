package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

const (
	// keptCopies is how many copies of a state are kept.
	keptCopies = 3
	// writingTime is more than a copy takes to be written: parts without a first one are
	// left behind by a writer that was killed when they are older.
	writingTime = time.Hour
)

// Keep makes a copy of the state as it is, unless there is one, and deletes all copies
// but the newest three. run is the Run that left the state so, empty for none. It fails
// as Read does, with ErrAbsent when there is no state, and can be repeated.
func (s *Store) Keep(ctx context.Context, key, run string, now time.Time) error {
	secrets, copies, err := s.keepCopy(ctx, key, run, now)
	if err != nil {
		return err
	}
	return s.pruneCopies(ctx, key, secrets, copies, now)
}

// keepCopy makes a copy of the state, unless there is one. It returns the Secrets of
// copies that were there, and all copies that there are, newest first.
func (s *Store) keepCopy(ctx context.Context, key, run string, now time.Time) ([]metav1.PartialObjectMetadata, []Copy, error) {
	content, _, err := s.load(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	state, err := parse(content)
	if err != nil {
		return nil, nil, s.object("Secret", SecretName(key)).unreadable("%v", err)
	}
	secrets, err := s.copySecrets(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	copies := copiesIn(key, secrets)
	if slices.ContainsFunc(copies, state.isOf) {
		return secrets, copies, nil
	}
	c := Copy{
		Serial: state.Serial, Lineage: state.Lineage, Run: run, KeptAt: now.UTC().Truncate(time.Second),
		Resources: state.Resources, TerraformVersion: state.TerraformVersion, Size: len(content),
	}
	if len(copies) > 0 && !copies[0].KeptAt.Before(c.KeptAt) {
		// The newest is the newest by whatever clock.
		c.KeptAt = copies[0].KeptAt.Add(time.Second)
	}
	if err := s.writeCopy(ctx, key, &c, content); err != nil {
		return nil, nil, fmt.Errorf("keep a copy of the state: %w", err)
	}
	copies = slices.DeleteFunc(copies, func(old Copy) bool { return old.Serial == c.Serial })
	return secrets, slices.Insert(copies, 0, c), nil
}

// isOf tells whether a copy is one of this state.
func (s *State) isOf(c Copy) bool { return c.Serial == s.Serial && c.Lineage == s.Lineage }

// writeCopy writes the Secrets of a copy, and notes in it what its parts are.
func (s *Store) writeCopy(ctx context.Context, key string, c *Copy, content []byte) error {
	packed, err := gzipped(content)
	if err != nil {
		return err
	}
	c.parts, c.checksum = (len(packed)+copyPart-1)/copyPart, checksum(packed)
	labels := map[string]string{
		v1alpha1.LabelKey: key, v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelStateCopy: strconv.FormatInt(c.Serial, 10),
	}
	for n := c.parts - 1; n >= 0; n-- {
		part := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: copyPartName(key, c.Serial, n), Labels: labels},
			Immutable:  ptr.To(true),
			Data:       map[string][]byte{keyCopy: packed[n*copyPart : min((n+1)*copyPart, len(packed))]},
		}
		if n == 0 {
			part.Annotations = c.annotations()
		}
		if err := s.createCopyPart(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// createCopyPart creates a Secret of a copy, in place of one that another writer has left
// half-way, or that is of another lineage.
func (s *Store) createCopyPart(ctx context.Context, part *corev1.Secret) error {
	o := s.object("Secret", part.Name)
	err := s.client.Create(ctx, part.DeepCopy())
	if !apierrors.IsAlreadyExists(err) {
		return o.apiError("create", err)
	}
	old, err := s.secret(ctx, part.Name)
	if err == nil {
		if bytes.Equal(old.Data[keyCopy], part.Data[keyCopy]) && maps.Equal(old.Annotations, part.Annotations) && maps.Equal(old.Labels, part.Labels) {
			return nil
		}
		err = s.delete(ctx, "Secret", old)
	}
	if ignoreAbsent(err) != nil {
		return err
	}
	return o.apiError("create", s.client.Create(ctx, part))
}

// pruneCopies deletes all copies but the newest, and what was left by a writer that was
// killed. secrets are those that were there before the newest was written.
func (s *Store) pruneCopies(ctx context.Context, key string, secrets []metav1.PartialObjectMetadata, copies []Copy, now time.Time) error {
	kept := copies[:min(len(copies), keptCopies)]
	pruned := copies[len(kept):]
	var errs []error
	remove := func(which func(name string) bool, of []Copy) {
		for i := range secrets {
			secret := &secrets[i]
			belongs := func(c Copy) bool { return isPartOf(key, c.Serial, secret.Name) }
			if slices.ContainsFunc(kept, belongs) || !which(secret.Name) {
				continue
			}
			if slices.ContainsFunc(of, belongs) || now.Sub(secret.CreationTimestamp.Time) > writingTime {
				errs = append(errs, s.delete(ctx, "Secret", secret))
			}
		}
	}
	first := func(name string) bool {
		return slices.ContainsFunc(pruned, func(c Copy) bool { return name == CopyName(key, c.Serial) })
	}
	// Without its first part a copy is none.
	remove(first, pruned)
	remove(func(name string) bool { return !first(name) }, pruned)
	return errors.Join(errs...)
}
