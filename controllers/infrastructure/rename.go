package infrastructure

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
)

// The output Secret's name can change at any time, and the controller can be
// interrupted at any time. So that no Secret is left behind without looking through
// all of the namespace, the status in the API server names every Secret that there
// can be, at most two: that of status.outputs, and status.nextOutputSecret, which is
// noted before a Secret of that name is written. A further name takes the place of
// the latter only once its Secret is removed.

// writtenName is the name of the output Secret that was written last; empty when
// none was.
func writtenName(s *v1alpha1.InfrastructureStatus) string {
	if s.Outputs == nil {
		return ""
	}
	return s.Outputs.SecretName
}

// isOnlyName tells whether the status names that output Secret and no other.
func isOnlyName(s *v1alpha1.InfrastructureStatus, name string) bool {
	return writtenName(s) == name && s.NextOutputSecret == ""
}

// noteSecretName makes sure that the status in the API server names the output
// Secret that is about to be written.
func (r *Reconciler) noteSecretName(ctx context.Context, o *observed, name string) error {
	if err := r.checkNames(ctx, o); err != nil {
		return err
	}
	next := o.infra.Status.NextOutputSecret
	if writtenName(&o.infra.Status) == name || next == name {
		return nil
	}
	if next != "" {
		if err := r.removeSecret(ctx, o.infra, next); err != nil {
			return err
		}
	}
	noted := o.stored.DeepCopy()
	noted.Status.NextOutputSecret = name
	if err := status.Patch(ctx, r.client, o.stored, noted); err != nil {
		return err
	}
	o.stored.Status.NextOutputSecret, o.infra.Status.NextOutputSecret = name, name
	return nil
}

// checkNames makes sure by a live read that the object and its names are what was
// observed: on a cache that is behind, a Secret would be written under a name that
// is not wanted any more, and a note be lost.
func (r *Reconciler) checkNames(ctx context.Context, o *observed) error {
	var live v1alpha1.Infrastructure
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(o.infra), &live); err != nil {
		return fmt.Errorf("read the object: %w", err)
	}
	if live.UID != o.stored.UID || live.Generation != o.stored.Generation ||
		writtenName(&live.Status) != writtenName(&o.stored.Status) || live.Status.NextOutputSecret != o.stored.Status.NextOutputSecret {
		return status.ErrBehind
	}
	return nil
}

// removeFormerSecret removes the output Secret that was written, or is noted, under
// another name than the present one, and the note.
func (r *Reconciler) removeFormerSecret(ctx context.Context, o *observed, name string) error {
	for _, former := range []string{writtenName(&o.infra.Status), o.infra.Status.NextOutputSecret} {
		if former == "" || former == name {
			continue
		}
		if err := r.removeSecret(ctx, o.infra, former); err != nil {
			return err
		}
	}
	o.infra.Status.NextOutputSecret = ""
	return nil
}

// removeSecret deletes the Secret if it is there and the object's own.
func (r *Reconciler) removeSecret(ctx context.Context, infra *v1alpha1.Infrastructure, name string) error {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := r.live.Get(ctx, client.ObjectKey{Namespace: infra.Namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) || err == nil && !metav1.IsControlledBy(secret, infra) {
		return nil
	}
	if err == nil {
		err = r.client.Delete(ctx, secret, client.Preconditions{UID: &secret.UID})
	}
	return wrap(client.IgnoreNotFound(err), "delete former output Secret %s", name)
}
