package infrastructure

import (
	"fmt"
	"strings"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
)

// keptPlan is the newest Run when its plan was kept and is still what the object
// asks for; nil otherwise.
func (o *observed) keptPlan() *v1alpha1.Run {
	last := o.last()
	if last == nil || last.Status.Phase != v1alpha1.RunPlanned || last.Status.Plan == nil ||
		!o.infra.DeletionTimestamp.IsZero() || o.reconcileRequest() != "" ||
		o.request == nil || last.Spec.InputsDigest != o.request.InputsDigest {
		return nil
	}
	return last
}

// approved is the plan that the object's annotation approves, if it is the newest
// that was kept and nothing has succeeded since: an approval holds for one change.
func (o *observed) approved() *v1alpha1.ApprovedPlan {
	id := o.infra.Annotations[v1alpha1.AnnotationApprove]
	if id == "" || o.request == nil {
		return nil
	}
	for i := range o.runs {
		run := &o.runs[i]
		switch {
		case run.Status.Phase == v1alpha1.RunSucceeded:
			return nil
		case run.Status.Phase != v1alpha1.RunPlanned:
			continue
		case run.Status.Plan == nil || run.Status.Plan.ID != id || run.Spec.InputsDigest != o.request.InputsDigest:
			return nil
		}
		return &v1alpha1.ApprovedPlan{ID: id, Run: run.Name, By: approver(o.infra, id)}
	}
	return nil
}

// approver is the user that the API server has noted for the approval of a plan;
// empty when it has noted none.
func approver(infra *v1alpha1.Infrastructure, id string) string {
	noted, by, _ := strings.Cut(infra.Annotations[v1alpha1.AnnotationApprovedBy], " ")
	if noted != id {
		return ""
	}
	return by
}

// awaitsApproval says to wait for the approval of the last Run's plan.
func awaitsApproval(o *observed) (decision, bool) {
	kept := o.keptPlan()
	if kept == nil || kept.Spec.Trigger == v1alpha1.TriggerDrift || kept.Spec.Approval != o.infra.Spec.Approval || o.approved() != nil {
		return decision{}, false
	}
	return decision{keep, status.Waiting(v1alpha1.ReasonApprovalRequired, 0, "%s. %s",
		kept.Status.Message, howToApprove(o.infra, kept.Status.Plan.ID)).Outcome}, true
}

// howToApprove is the command that approves a plan.
func howToApprove(infra *v1alpha1.Infrastructure, id string) string {
	text := fmt.Sprintf("To approve it: kubectl -n %s annotate infra %s %s=%s --overwrite", infra.Namespace, infra.Name, v1alpha1.AnnotationApprove, id)
	if other := infra.Annotations[v1alpha1.AnnotationApprove]; other != "" && other != id {
		text += fmt.Sprintf(" (the annotation approves %.63s, which is another plan)", other)
	}
	return text
}
