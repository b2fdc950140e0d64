package infrastructure

import (
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// keptHistory is the number of finished runs in the status, without those that have
// looked for drift and found none.
const keptHistory = 5

// report writes into the status what the Runs say.
func report(o *observed) {
	s := &o.infra.Status
	s.Run = nil
	if last := o.last(); last != nil && !last.Status.Phase.Finished() {
		s.Run = &v1alpha1.CurrentRun{
			Name: last.Name, Operation: last.Spec.Operation, Phase: last.Status.Phase, Message: last.Status.Message,
			Resources: last.Status.Resources,
		}
	}
	if applied := o.applied(); applied != nil {
		s.Module = &v1alpha1.AppliedModule{ModuleReference: applied.Spec.Module}
		s.ProviderConfig = applied.Spec.ProviderConfig
	}
	if s.Module != nil {
		s.Module.Available = o.available
	}
	s.Plan = nil
	if last := o.last(); last != nil && last.Status.Phase == v1alpha1.RunPlanned {
		s.Plan = last.Status.Plan
	}
	if last := o.lastChange(); last != nil && last.Status.Phase.Finished() {
		s.Warnings = last.Status.Warnings
	}
	setDrifted(o)
	for i := range o.runs {
		if request := o.runs[i].Spec.ReconcileRequest; request != "" && request == o.infra.Annotations[v1alpha1.AnnotationReconcile] {
			s.LastHandledReconcileAt = request
		}
	}
	s.History = history(o.runs)
}

// answerStalled says of an object that no run can help that what was asked for is
// answered: it was looked at again.
func answerStalled(infra *v1alpha1.Infrastructure) {
	at := infra.Annotations[v1alpha1.AnnotationReconcile]
	if at != "" && meta.IsStatusConditionTrue(infra.Status.Conditions, v1alpha1.ConditionStalled) {
		infra.Status.LastHandledReconcileAt = at
	}
}

func history(runs []v1alpha1.Run) []v1alpha1.RunSummary {
	var h []v1alpha1.RunSummary
	for i := range runs {
		run := &runs[i]
		uneventful := looks(run) && run.Status.Phase == v1alpha1.RunSucceeded
		if run.Status.Phase.Finished() && run.Status.FinishedAt != nil && len(h) < keptHistory && !uneventful {
			h = append(h, v1alpha1.RunSummary{
				Run: run.Name, Operation: run.Spec.Operation, Outcome: run.Status.Reason, FinishedAt: *run.Status.FinishedAt,
			})
		}
	}
	return h
}
