package terraform

import (
	"fmt"
	"time"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// progress is how far Terraform is, as its events tell. It is not safe for
// concurrent use; snapshot returns a copy.
type progress struct {
	phase   v1alpha1.RunPhase
	plan    *v1alpha1.PlanSummary
	planned v1alpha1.PlanSummary
	// lost are the types of the resources that the plan deletes, replaces or forgets.
	lost   []string
	done   int
	active []activeChange
	// applied is set once Terraform said that the apply is complete.
	applied bool
}

// activeChange is a resource that Terraform is at work on.
type activeChange struct {
	address string
	elapsed time.Duration
}

// progressStatus is what a Run's status shows of the progress.
type progressStatus struct {
	Phase   v1alpha1.RunPhase     `json:"phase"`
	Message string                `json:"message"`
	Plan    *v1alpha1.PlanSummary `json:"plan,omitempty"`
}

// enter starts a phase.
func (p *progress) enter(phase v1alpha1.RunPhase) {
	p.phase = phase
	p.active = nil
}

// observe takes one event in.
func (p *progress) observe(e event) {
	switch {
	case e.Type == eventPlannedChange && e.Change != nil && p.phase == v1alpha1.RunPlanning:
		countChange(&p.planned, e.Change.Action)
		if action := e.Change.Action; action != "create" && action != "update" {
			p.lost = append(p.lost, e.Change.Resource.Type)
		}
	case e.Type == eventChangeSummary && e.Changes != nil && e.Changes.Operation == "plan":
		plan := p.planned
		p.plan = &plan
	case e.Type == eventChangeSummary && e.Changes != nil:
		p.applied = true
	case e.Hook != nil && e.Hook.Action != "read":
		p.observeHook(e.Type, e.Hook)
	}
}

func (p *progress) observeHook(kind string, hook *eventHook) {
	address := hook.Resource.Address
	switch kind {
	case eventApplyStart:
		p.active = append(p.active, activeChange{address: address})
	case eventApplyProgress:
		for i := range p.active {
			if p.active[i].address == address {
				p.active[i].elapsed = time.Duration(hook.Elapsed) * time.Second
			}
		}
	case eventApplyComplete, eventApplyErrored:
		for i := range p.active {
			if p.active[i].address == address {
				p.active = append(p.active[:i:i], p.active[i+1:]...)
				break
			}
		}
		if kind == eventApplyComplete {
			p.done++
		}
	}
}

// adopt takes over a plan that an earlier run has made.
func (p *progress) adopt(plan *v1alpha1.PlanSummary) {
	p.plan, p.planned = plan, *plan
}

func countChange(plan *v1alpha1.PlanSummary, action string) {
	switch action {
	case "create":
		plan.Create++
	case "update":
		plan.Update++
	case "replace":
		plan.Replace++
	case "delete":
		plan.Delete++
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
	switch {
	case p.phase == v1alpha1.RunInitializing:
		s.Message = "Initializing Terraform"
	case p.phase == v1alpha1.RunPlanning:
		s.Message = "Planning"
	case p.total() == 0:
		s.Message = string(p.phase)
	case len(p.active) == 0:
		s.Message = fmt.Sprintf("%s %d of %d", p.phase, p.done, p.total())
	default:
		first := p.active[0]
		s.Message = fmt.Sprintf("%s %d of %d: %s", p.phase, min(p.done+1, p.total()), p.total(), first.address)
		if first.elapsed > 0 {
			s.Message += fmt.Sprintf(" (%s)", first.elapsed)
		}
	}
	return s
}
