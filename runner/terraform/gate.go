package terraform

import (
	"context"
	"fmt"
	"slices"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// verdict is what becomes of a plan.
type verdict int

const (
	// carryOutPlan: it is applied.
	carryOutPlan verdict = iota
	// keepPlan: it is saved for a later run.
	keepPlan
	// dropPlan: all that it would change drifts without harm.
	dropPlan
)

// gate decides what becomes of a plan that changes something, and saves it when
// it is to be kept. Only then, or when there is something to decide, is the plan
// read: for that Terraform starts the provider once more.
func (s *session) gate(ctx context.Context) (verdict, error) {
	if !s.judged() {
		return carryOutPlan, nil
	}
	plan, err := s.showPlan(ctx)
	if err != nil {
		return 0, err
	}
	changes := changesOf(plan.Plan, s.req.StatefulTypes)
	if s.run.Spec.Trigger == v1alpha1.TriggerDrift {
		changes = harmful(changes, s.req.HarmlessDrift)
	}
	id, err := planID(s.req.Base, s.req.InputsDigest, changes)
	if err != nil {
		return 0, err
	}
	s.progress.plan = summaryOf(id, changes, s.log.mask)
	v := judge(&s.run.Spec, id, changes)
	if v == keepPlan {
		err = s.savePlan(ctx, id)
	}
	return v, err
}

// judged tells whether there is something to decide about the plan.
func (s *session) judged() bool {
	spec := &s.run.Spec
	switch {
	case spec.Operation == v1alpha1.OperationDestroy:
		return false
	case spec.Operation == v1alpha1.OperationPlan, spec.Trigger == v1alpha1.TriggerDrift,
		spec.Approved != nil, spec.Approval == v1alpha1.ApprovalManual:
		return true
	case spec.Approval == v1alpha1.ApprovalOnDestructive:
		return slices.ContainsFunc(s.progress.lost, func(kind string) bool { return slices.Contains(s.req.StatefulTypes, kind) })
	}
	return false
}

// judge says what becomes of a plan with the given id and changes.
func judge(run *v1alpha1.RunSpec, id string, changes []change) verdict {
	switch {
	case run.Trigger == v1alpha1.TriggerDrift && len(changes) == 0:
		return dropPlan
	case run.Operation == v1alpha1.OperationPlan:
		return keepPlan
	case run.Approved != nil && run.Approved.ID == id:
		return carryOutPlan
	case run.Approval == v1alpha1.ApprovalManual && len(changes) > 0,
		run.Approval == v1alpha1.ApprovalOnDestructive && slices.ContainsFunc(changes, change.destructive):
		return keepPlan
	}
	return carryOutPlan
}

// harmful drops the changes of nothing but attributes that drift without harm, each
// written as TYPE.ATTRIBUTE.
func harmful(changes []change, harmless []string) []change {
	return slices.DeleteFunc(slices.Clone(changes), func(c change) bool {
		return c.action == v1alpha1.ChangeUpdate && !slices.ContainsFunc(c.attributes, func(name string) bool {
			return !slices.Contains(harmless, c.kind+"."+name)
		})
	})
}

// describePlan says in a line what a kept plan is about.
func describePlan(op v1alpha1.Operation, plan *v1alpha1.PlanSummary) string {
	what := "waits for approval"
	if op == v1alpha1.OperationPlan {
		what = "would put back what has drifted"
	}
	return fmt.Sprintf("Plan %s %s: %s", plan.ID, what, runner.Describe(plan))
}
