package infrastructure

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/state"
)

// keepRetry is the time to the next try to make a copy of a state.
const keepRetry = time.Minute

// copies notes by state key what is known of the copies, so that a state is read once
// for each Run. It begins empty after a restart, and the cache knows the most of it then.
type copies struct {
	sync.Mutex
	// kept is the Run whose state is copied, or was copied before.
	kept map[string]string
	// failed is why that failed, to send one event for it.
	failed map[string]string
}

// keepState makes sure that there is a copy of the state as the last Run has left it.
// When it cannot be made that is told, hinders nothing, and is tried again.
func (r *Reconciler) keepState(ctx context.Context, o *observed) {
	run := o.changedState()
	if run == nil || r.isKept(ctx, o.key, run.Name) {
		return
	}
	r.keepNow(ctx, o, run.Name)
}

// keepStateAsRead is keepState for a state that was just read: somebody may have changed
// it since the last Run, by hand.
func (r *Reconciler) keepStateAsRead(ctx context.Context, o *observed, current *state.State) {
	secret := secretMetadata()
	err := r.secrets.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: state.CopyName(o.key, current.Serial)}, secret)
	if err == nil && state.IsCopyOf(secret, current) {
		return
	}
	run := ""
	if last := o.changedState(); last != nil && !r.isKept(ctx, o.key, last.Name) {
		run = last.Name
	}
	r.keepNow(ctx, o, run)
}

// isKept tells whether the state as a Run has left it is copied. The cache knows the
// copies that were made for Runs; that a Run has left the state as it was is known to
// nobody but the one who has looked.
func (r *Reconciler) isKept(ctx context.Context, key, run string) bool {
	r.copies.Lock()
	known := r.copies.kept[key] == run
	r.copies.Unlock()
	if known {
		return true
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	err := r.secrets.List(ctx, list, client.InNamespace(r.namespace), client.MatchingLabels{v1alpha1.LabelKey: key}, client.HasLabels{v1alpha1.LabelStateCopy})
	made := err == nil && slices.ContainsFunc(list.Items, func(secret metav1.PartialObjectMetadata) bool { return state.CopyOf(&secret) == run })
	if made {
		r.copies.note(key, run, nil)
	}
	return made
}

// keepNow makes the copy. What is gone is reported where it is needed.
func (r *Reconciler) keepNow(ctx context.Context, o *observed, run string) {
	err := r.state.Keep(ctx, o.key, run, r.clock.Now())
	if errors.Is(err, state.ErrAbsent) {
		return
	}
	if fresh := r.copies.note(o.key, run, err); err == nil {
		return
	} else if fresh {
		r.notKept(ctx, o.infra, err)
	}
	log.FromContext(ctx).Error(err, "No copy of the state is kept")
	o.notKept = true
}

// note notes what came of a try, and tells whether it failed for a new reason.
func (c *copies) note(key, run string, err error) (fresh bool) {
	c.Lock()
	defer c.Unlock()
	if c.kept == nil {
		c.kept, c.failed = map[string]string{}, map[string]string{}
	}
	if err == nil {
		delete(c.failed, key)
		if run != "" {
			c.kept[key] = run
		}
		return false
	}
	fresh = c.failed[key] != kindOf(err)
	c.failed[key] = kindOf(err)
	return fresh
}

// forget forgets what is known of a key.
func (c *copies) forget(key string) {
	c.Lock()
	defer c.Unlock()
	delete(c.kept, key)
	delete(c.failed, key)
}

// kindOf tells errors apart, but not by what changes from one try to the next.
func kindOf(err error) string {
	for _, kind := range []error{state.ErrForbidden, state.ErrUnreadable} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return "other: " + string(apierrors.ReasonForError(err))
}

func secretMetadata() *metav1.PartialObjectMetadata {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return secret
}
