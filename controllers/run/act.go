package run

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/pod"
)

// act carries a decision out.
func (r *Reconciler) act(ctx context.Context, o *observed, d decision) error {
	switch d.action {
	case create:
		return r.createPod(ctx, o)
	case explain:
		return r.patch(ctx, o.run, func(s *v1alpha1.RunStatus) { s.Message = truncate(d.message) })
	case stop:
		return r.deletePod(ctx, o.pod)
	case finish:
		return r.finish(ctx, o.run, d.result)
	case tidy:
		return r.tidy(ctx, o)
	default: // wait
		return nil
	}
}

// createPod makes the pod. That the API server refuses it, for a quota say, is told
// in the Run and tried again.
func (r *Reconciler) createPod(ctx context.Context, o *observed) error {
	err := r.client.Create(ctx, pod.Build(o.run, r.pod))
	switch {
	case err == nil || apierrors.IsAlreadyExists(err):
		return nil
	case apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err):
		return r.patch(ctx, o.run, func(s *v1alpha1.RunStatus) {
			s.Message = truncate("the API server refuses the runner pod: " + err.Error())
		})
	}
	return fmt.Errorf("create pod %s: %w", o.run.Name, err)
}

func (r *Reconciler) deletePod(ctx context.Context, p *corev1.Pod) error {
	if err := r.client.Delete(ctx, p, client.Preconditions{UID: &p.UID}); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete pod %s: %w", p.Name, err)
	}
	return nil
}

// finish records a result. The optimistic lock fails when the runner has reported
// at the same moment: the next look then finds the Run finished.
func (r *Reconciler) finish(ctx context.Context, run *v1alpha1.Run, result runner.Result) error {
	now := metav1.NewTime(r.clock.Now())
	return r.patch(ctx, run, func(s *v1alpha1.RunStatus) {
		s.Finish(result.Reason, truncate(result.Message), now)
		if result.Plan != nil {
			s.Plan = result.Plan
		}
		if result.ApplyStarted && s.ApplyStartedAt == nil {
			s.ApplyStartedAt = &now
		}
	})
}

// tidy removes the request and the plan that was applied, which hold secrets, and
// the pod: one that never took the Run at once, that of a Run that has not failed when it has ended. The pod of a
// failed Run stays for its log until the next Run of the object.
func (r *Reconciler) tidy(ctx context.Context, o *observed) error {
	if err := r.deleteRequest(ctx, o.run); err != nil {
		return err
	}
	if err := r.deleteUsedPlan(ctx, o.run); err != nil {
		return err
	}
	if o.pod == nil || !o.pod.DeletionTimestamp.IsZero() {
		return nil
	}
	ended, taken := terminated(o.pod) != nil, o.run.Status.PodUID != ""
	if !taken || ended && o.run.Status.Phase != v1alpha1.RunFailed {
		return r.deletePod(ctx, o.pod)
	}
	return nil
}

// deleteRequest deletes the Secret with the request. The cache knows whether it is
// there, so that finished Runs cost no request.
func (r *Reconciler) deleteRequest(ctx context.Context, run *v1alpha1.Run) error {
	request := &metav1.PartialObjectMetadata{}
	request.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := r.metadata.Get(ctx, client.ObjectKeyFromObject(run), request)
	if err == nil {
		err = r.client.Delete(ctx, request)
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete the request Secret %s: %w", run.Name, err)
	}
	return nil
}

// deleteUsedPlan deletes the plan that the Run was to apply, as the cache knows it: a
// run that tries again makes another, and is approved if that has the same id.
func (r *Reconciler) deleteUsedPlan(ctx context.Context, run *v1alpha1.Run) error {
	if run.Spec.Approved == nil {
		return nil
	}
	plan := []client.ListOption{client.InNamespace(run.Namespace), client.MatchingLabels{v1alpha1.LabelPlan: run.Spec.Approved.Run}}
	parts := &metav1.PartialObjectMetadataList{}
	parts.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := r.metadata.List(ctx, parts, plan...); err != nil {
		return fmt.Errorf("list the plan of Run %s: %w", run.Spec.Approved.Run, err)
	}
	for i := range parts.Items {
		if err := r.client.Delete(ctx, &parts.Items[i]); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete the plan %s: %w", parts.Items[i].Name, err)
		}
	}
	return nil
}

// patch changes the Run's status, if change does, against the version that was
// read.
func (r *Reconciler) patch(ctx context.Context, run *v1alpha1.Run, change func(*v1alpha1.RunStatus)) error {
	base := run.DeepCopy()
	change(&run.Status)
	if equality.Semantic.DeepEqual(base.Status, run.Status) {
		return nil
	}
	patch := client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})
	if err := r.client.Status().Patch(ctx, run, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("write the status of Run %s: %w", run.Name, err)
	}
	return nil
}

// truncate bounds a message to what the status may hold.
func truncate(s string) string {
	const most = 4000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
