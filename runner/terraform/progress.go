package terraform

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// progress is how far Terraform is, as its events tell. It is not safe for
// concurrent use; snapshot returns a copy.
type progress struct {
	phase   v1alpha1.RunPhase
	plan    *v1alpha1.PlanSummary
	planned v1alpha1.PlanSummary
	// made and lost are the types of the resources that the plan makes or changes, and
	// of those that it deletes, replaces or forgets.
	made, lost []string
	done       int
	// changes are those that Terraform has begun, in that order.
	changes []resourceChange
	// applied is set once Terraform said that the apply is complete.
	applied bool
}

// keptResources is how many resources a Run's status shows.
const keptResources = 20

// resourceChange is the change of a resource that Terraform has begun.
type resourceChange struct {
	v1alpha1.ResourceProgress
	// elapsed is how long it has taken, as Terraform says now and then.
	elapsed time.Duration
}

// progressStatus is what a Run's status shows of the progress.
type progressStatus struct {
	Phase   v1alpha1.RunPhase     `json:"phase"`
	Message string                `json:"message"`
	Plan    *v1alpha1.PlanSummary `json:"plan,omitempty"`

	Resources []v1alpha1.ResourceProgress `json:"resources,omitempty"`
}

// enter starts a phase.
func (p *progress) enter(phase v1alpha1.RunPhase) { p.phase = phase }

// observe takes one event in.
func (p *progress) observe(e event) {
	switch {
	case e.Type == eventPlannedChange && e.Change != nil && p.phase == v1alpha1.RunPlanning:
		p.observeChange(e.Change)
	case e.Type == eventChangeSummary && e.Changes != nil && e.Changes.Operation == "plan":
		plan := p.planned
		p.plan = &plan
	case e.Type == eventChangeSummary && e.Changes != nil:
		p.applied = true
	case e.Hook != nil && e.Hook.Action != "read":
		p.observeHook(e.Type, e.Hook, metav1.NewTime(e.Time))
	}
}

func (p *progress) observeHook(kind string, hook *eventHook, at metav1.Time) {
	if kind == eventApplyStart {
		p.changes = append(p.changes, resourceChange{ResourceProgress: v1alpha1.ResourceProgress{
			Address: hook.Resource.Address, Action: hookAction(hook.Action), StartedAt: at,
		}})
		return
	}
	i := slices.IndexFunc(p.changes, func(c resourceChange) bool {
		return c.FinishedAt == nil && c.Address == hook.Resource.Address
	})
	if i < 0 {
		return
	}
	switch change := &p.changes[i]; kind {
	case eventApplyProgress:
		change.elapsed = time.Duration(hook.Elapsed) * time.Second
	case eventApplyComplete:
		change.FinishedAt = &at
		p.done++
	case eventApplyErrored:
		change.FinishedAt, change.Failed = &at, true
	}
}

// hookAction is the action of a hook as a Run's status has it.
func hookAction(action string) v1alpha1.ChangeAction {
	switch action {
	case "create":
		return v1alpha1.ChangeCreate
	case "delete":
		return v1alpha1.ChangeDelete
	}
	return v1alpha1.ChangeUpdate
}

// observeChange takes a planned change in.
func (p *progress) observeChange(c *eventChange) {
	kind := c.Resource.Type
	switch c.Action {
	case "create":
		p.planned.Create++
		p.made = append(p.made, kind)
	case "update":
		p.planned.Update++
		p.made = append(p.made, kind)
	case "replace":
		p.planned.Replace++
		p.made, p.lost = append(p.made, kind), append(p.lost, kind)
	case "delete":
		p.planned.Delete++
		p.lost = append(p.lost, kind)
	default: // such as one that Terraform is to forget
		p.lost = append(p.lost, kind)
	}
}

// adopt takes over a plan that an earlier run has made.
func (p *progress) adopt(summary *v1alpha1.PlanSummary, changes []change) {
	p.plan, p.planned = summary, *summary
	for _, c := range changes {
		p.made = append(p.made, c.kind)
	}
}

// total is the number of changes that an apply goes through: a replacement is a
// deletion and a creation.
func (p *progress) total() int {
	return int(p.planned.Create + p.planned.Update + 2*p.planned.Replace + p.planned.Delete)
}

// status returns what to show, such as "Applying 3 of 7: aws_db_instance.this
// (2m10s)": the change that has been under way longest.
func (p *progress) status() progressStatus {
	s := progressStatus{Phase: p.phase, Plan: p.plan}
	for _, c := range p.changes[max(0, len(p.changes)-keptResources):] {
		s.Resources = append(s.Resources, c.ResourceProgress)
	}
	first := slices.IndexFunc(p.changes, func(c resourceChange) bool { return c.FinishedAt == nil })
	switch {
	case p.phase == v1alpha1.RunInitializing:
		s.Message = "Initializing Terraform"
	case p.phase == v1alpha1.RunPlanning:
		s.Message = "Planning"
	case p.total() == 0:
		s.Message = string(p.phase)
	case first < 0:
		s.Message = fmt.Sprintf("%s %d of %d", p.phase, p.done, p.total())
	default:
		change := p.changes[first]
		s.Message = fmt.Sprintf("%s %d of %d: %s", p.phase, min(p.done+1, p.total()), p.total(), change.Address)
		if change.elapsed > 0 {
			s.Message += fmt.Sprintf(" (%s)", change.elapsed)
		}
	}
	return s
}
