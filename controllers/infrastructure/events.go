package infrastructure

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/state"
)

// outcomeChanged sends one event when Ready has changed its status or its reason.
func (r *Reconciler) outcomeChanged(ctx context.Context, before, after *v1alpha1.Infrastructure) {
	was := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(after.Status.Conditions, v1alpha1.ConditionReady)
	if is == nil || was != nil && was.Status == is.Status && was.Reason == is.Reason {
		return
	}
	kind := corev1.EventTypeNormal
	if is.Status == metav1.ConditionFalse && !expected(is.Reason) {
		kind = corev1.EventTypeWarning
	}
	r.event(ctx, after, kind, is.Reason, "Reconcile", "%s", truncate(is.Message))
}

// expected tells whether an object is not Ready for a reason that is nobody's fault.
func expected(reason string) bool {
	switch reason {
	case v1alpha1.ReasonInputMissing, v1alpha1.ReasonSuspended, v1alpha1.ReasonDependencyNotReady, v1alpha1.ReasonDependants:
		return true
	}
	return false
}

// lockBroken says that the lock of a lost pod was broken.
func (r *Reconciler) lockBroken(ctx context.Context, infra *v1alpha1.Infrastructure, lock *state.Lock) {
	r.event(ctx, infra, corev1.EventTypeWarning, "LockBroken", "Unlock",
		"Broke lock %s of pod %s, which no longer exists", lock.ID, lock.Pod())
}

// notKept says why no copy of the state is kept.
func (r *Reconciler) notKept(ctx context.Context, infra *v1alpha1.Infrastructure, err error) {
	r.event(ctx, infra, corev1.EventTypeWarning, "StateNotKept", "Keep", "%s",
		truncate("No copy of the state could be kept; it is tried again: "+err.Error()))
}

// destroyed says that nothing is left.
func (r *Reconciler) destroyed(ctx context.Context, infra *v1alpha1.Infrastructure) {
	r.event(ctx, infra, corev1.EventTypeNormal, "Destroyed", "Destroy", "Everything is destroyed")
}

// orphaned says what is left, and where.
func (r *Reconciler) orphaned(ctx context.Context, o *observed) {
	r.event(ctx, o.infra, corev1.EventTypeNormal, "Orphaned", "Orphan",
		"The resources are left as they are; their state is in Secret %s/%s, and an Infrastructure of the same name takes them up again",
		r.namespace, state.SecretName(o.key))
}

// driftChanged sends an event when drift was found, or put back.
func (r *Reconciler) driftChanged(ctx context.Context, before, after *v1alpha1.Infrastructure) {
	was := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionDrifted)
	is := meta.FindStatusCondition(after.Status.Conditions, v1alpha1.ConditionDrifted)
	switch {
	case is != nil && (was == nil || was.Reason != is.Reason || was.Message != is.Message):
		r.event(ctx, after, corev1.EventTypeWarning, is.Reason, "Reconcile", "%s", truncate(is.Message))
	case is == nil && was != nil && was.Status == metav1.ConditionTrue:
		r.event(ctx, after, corev1.EventTypeNormal, "DriftGone", "Reconcile", "The resources are what was applied again")
	}
}

// warned sends an event for what policies warn of since the last run.
func (r *Reconciler) warned(ctx context.Context, before, after *v1alpha1.Infrastructure) {
	for _, warning := range after.Status.Warnings {
		if !slices.Contains(before.Status.Warnings, warning) {
			r.event(ctx, after, corev1.EventTypeWarning, "PolicyWarning", "Plan", "%s", truncate(warning))
		}
	}
}

// event sends an event, unless the namespace is being deleted: it takes none then.
func (r *Reconciler) event(ctx context.Context, infra *v1alpha1.Infrastructure, kind, reason, action, note string, args ...any) {
	ns := namespaceMetadata()
	err := r.client.Get(ctx, client.ObjectKey{Name: infra.Namespace}, ns)
	if err == nil && !ns.DeletionTimestamp.IsZero() {
		return
	}
	r.recorder.Eventf(infra, nil, kind, reason, action, note, args...)
}

// truncate bounds a message to what an event may hold, 1024 bytes.
func truncate(s string) string {
	if len(s) <= 1024 {
		return s
	}
	return s[:1000] + " …"
}
