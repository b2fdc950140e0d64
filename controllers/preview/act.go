package preview

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/runner"
)

const (
	// startPatience is how long it is tried to start a Run before the Preview ends with
	// what hinders it: somebody waits for it.
	startPatience = 5 * time.Minute
	// soon is the time of the next look at what the cache is behind with, or at a
	// namespace that goes.
	soon = time.Second
)

// Bounds of the API on faults.
const (
	maxFaults = 50
	maxField  = 512
	maxFault  = 4096
)

// act carries a decision out and returns what the conditions are to say, if anything.
func (r *Reconciler) act(ctx context.Context, o *observed, d decision) (status.Outcome, error) {
	switch d.action {
	case start:
		return r.start(ctx, o)
	case follow:
		return r.follow(o), nil
	case conclude:
		return r.conclude(ctx, o)
	case lament:
		return r.end(o, status.Stalled(v1alpha1.ReasonPlanFailed, 0, "its run %s is gone: somebody has deleted it; create another Preview", runName(o.preview)).Outcome), nil
	case release:
		return status.Outcome{}, r.release(ctx, o)
	case expire:
		err := r.client.Delete(ctx, o.preview, client.Preconditions{UID: &o.preview.UID})
		return status.Outcome{}, wrap(client.IgnoreNotFound(err), "delete the Preview, whose time is over")
	default: // keep
		return status.Outcome{}, nil
	}
}

// start makes the Run, unless something is wrong with what is asked for, or it has to
// wait: somebody waits for an answer, so that is one.
func (r *Reconciler) start(ctx context.Context, o *observed) (status.Outcome, error) {
	if current, err := r.isCurrent(ctx, o.preview); err != nil || !current {
		return waiting("Waiting for the latest state of the Preview"), err
	}
	run, req, err := r.planner.Preview(ctx, o.preview)
	if fault := (*status.Error)(nil); errors.As(err, &fault) {
		return r.refuse(o, fault), nil
	}
	if err == nil {
		if err = r.addFinalizer(ctx, o); err == nil {
			err = r.planner.CreateRun(ctx, run, req)
		}
	}
	switch {
	case err == nil:
	case o.now.Sub(o.preview.CreationTimestamp.Time) > startPatience:
		return r.end(o, status.Stalled(v1alpha1.ReasonPlanFailed, 0, "no run could be started within %s: %s", startPatience, err).Outcome), nil
	default:
		return status.Outcome{}, err
	}
	o.preview.Status.Module = &run.Spec.Module
	o.run = run
	return r.follow(o), nil
}

// isCurrent makes sure by a live read that the Preview is as it was read: of one that has
// ended meanwhile another Run would be started.
func (r *Reconciler) isCurrent(ctx context.Context, preview *v1alpha1.Preview) (bool, error) {
	current := &v1alpha1.Preview{}
	err := r.live.Get(ctx, client.ObjectKeyFromObject(preview), current)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return current.ResourceVersion == preview.ResourceVersion, wrap(err, "read the Preview")
}

// addFinalizer makes sure that a Run does not outlive its Preview.
func (r *Reconciler) addFinalizer(ctx context.Context, o *observed) error {
	if !controllerutil.AddFinalizer(o.preview, v1alpha1.FinalizerPreview) {
		return nil
	}
	patch := client.MergeFromWithOptions(o.stored, client.MergeFromWithOptimisticLock{})
	if err := r.client.Patch(ctx, o.preview, patch); err != nil {
		return fmt.Errorf("add the finalizer: %w", err)
	}
	o.stored = o.preview.DeepCopy()
	return nil
}

// refuse ends a Preview that cannot be planned as it is.
func (r *Reconciler) refuse(o *observed, fault *status.Error) status.Outcome {
	for _, f := range fault.Faults[:min(len(fault.Faults), maxFaults)] {
		o.preview.Status.Faults = append(o.preview.Status.Faults, v1alpha1.Fault{Field: truncate(f.Field, maxField), Message: truncate(f.Detail, maxFault)})
	}
	outcome := fault.Outcome
	if !outcome.NeedsPerson() {
		outcome = status.Stalled(outcome.Reason(), 0, "it cannot be planned now: %s", outcome.Message()).Outcome
	}
	return r.end(o, outcome)
}

// follow tells how far the Run is.
func (r *Reconciler) follow(o *observed) status.Outcome {
	run := o.run
	phase := run.Status.Phase
	if phase == "" {
		phase = v1alpha1.RunPending
	}
	message := run.Status.Message
	if message == "" {
		message = "Waiting for the runner pod"
	}
	o.preview.Status.Run = &v1alpha1.CurrentRun{Name: run.Name, Operation: run.Spec.Operation, Phase: phase, Message: message}
	o.preview.Status.Module = &run.Spec.Module
	return status.Progressing(v1alpha1.ReasonProgressing, message, 0)
}

// conclude brings the result of the Run to the Preview.
func (r *Reconciler) conclude(ctx context.Context, o *observed) (status.Outcome, error) {
	run, s := o.run, &o.preview.Status
	written, err := r.copyDiff(ctx, o)
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return waiting("Waiting for the namespace to be gone"), nil
	}
	if err != nil {
		return status.Outcome{}, err
	}
	if written {
		s.Diff = &v1alpha1.PreviewDiff{SecretName: diffName(o.preview)}
	}
	s.Module, s.Plan = &run.Spec.Module, run.Status.Plan
	s.Warnings, s.Diagnostics = run.Status.Warnings, run.Status.Diagnostics
	return r.end(o, outcomeOf(&run.Status)), nil
}

// outcomeOf says how a finished Run has ended.
func outcomeOf(s *v1alpha1.RunStatus) status.Outcome {
	switch {
	case s.Phase == v1alpha1.RunPlanned:
		return status.Planned(v1alpha1.ReasonPlanned, s.Message)
	case s.Phase == v1alpha1.RunSucceeded:
		return status.Planned(v1alpha1.ReasonNoChanges, s.Message)
	case s.Reason == v1alpha1.RunReasonPolicyDenied:
		return status.Stalled(v1alpha1.ReasonPolicyDenied, 0, "%s", s.Message).Outcome
	}
	return status.Stalled(v1alpha1.ReasonPlanFailed, 0, "%s: %s", s.Reason, s.Message).Outcome
}

// end notes that the Preview has ended; what is left of it in the system namespace goes
// next, when that is written.
func (r *Reconciler) end(o *observed, outcome status.Outcome) status.Outcome {
	now := metav1.NewTime(o.now)
	o.preview.Status.FinishedAt, o.preview.Status.Run = &now, nil
	return outcome
}

// diffName is the name of the Secret with the diff, which nobody else can have taken.
func diffName(p *v1alpha1.Preview) string { return "preview-" + string(p.UID) }

// copyDiff writes what the runner has left of the plan into the Preview's namespace; false
// when it has left nothing.
func (r *Reconciler) copyDiff(ctx context.Context, o *observed) (bool, error) {
	left := &corev1.Secret{}
	err := r.live.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: runner.DiffSecret(o.run.Name)}, left)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the diff of Run %s: %w", o.run.Name, err)
	}
	p := o.preview
	secret := corev1ac.Secret(diffName(p), p.Namespace).
		WithLabels(map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}).
		WithOwnerReferences(metav1ac.OwnerReference().
			WithAPIVersion(v1alpha1.GroupVersion().String()).WithKind("Preview").
			WithName(p.Name).WithUID(p.UID).WithController(true)).
		WithType(corev1.SecretTypeOpaque).
		WithData(map[string][]byte{v1alpha1.DiffKey: left.Data[v1alpha1.DiffKey]})
	err = r.client.Apply(ctx, secret, client.FieldOwner(fieldOwner), client.ForceOwnership)
	return err == nil, wrap(err, "write the diff %s", diffName(p))
}

// release removes what is left in the system namespace, the Run last, and then the
// finalizer. The Run's pod goes with the Run.
func (r *Reconciler) release(ctx context.Context, o *observed) error {
	name := runName(o.preview)
	for _, secret := range []string{name, runner.DiffSecret(name)} {
		obj := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: secret}}
		if err := r.client.Delete(ctx, obj); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete the Secret %s: %w", secret, err)
		}
	}
	if o.run != nil {
		if err := r.client.Delete(ctx, o.run, client.Preconditions{UID: &o.run.UID}); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete Run %s: %w", name, err)
		}
	}
	controllerutil.RemoveFinalizer(o.preview, v1alpha1.FinalizerPreview)
	patch := client.MergeFromWithOptions(o.stored, client.MergeFromWithOptimisticLock{})
	return wrap(client.IgnoreNotFound(r.client.Patch(ctx, o.preview, patch)), "remove the finalizer")
}

// waiting is the outcome of a Preview that is looked at again in a moment.
func waiting(message string) status.Outcome {
	return status.Progressing(v1alpha1.ReasonProgressing, message, soon)
}

func truncate(s string, n int) string {
	const mark = "…"
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len(mark)], "") + mark
}

// wrap adds what was tried to an error, if there is one.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
