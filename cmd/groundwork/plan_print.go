package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// planned is a plan as -o json and yaml have it: the status of its Preview, and whose it
// is.
type planned struct {
	Namespace             string `json:"namespace"`
	Name                  string `json:"name"`
	*v1alpha1.PlanSummary `json:",inline"`
	Warnings              []string `json:"warnings,omitempty"`

	// changes tells whether the plan changes anything.
	changes bool
}

func plannedOf(infra *v1alpha1.Infrastructure, p *v1alpha1.Preview) planned {
	ready := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady)
	return planned{infra.Namespace, infra.Name, p.Status.Plan, p.Status.Warnings, ready != nil && ready.Reason != v1alpha1.ReasonNoChanges}
}

// printPlanned prints plans as data: one, if there was one to be made, or a list.
func printPlanned(w io.Writer, form string, made []planned, wanted int) error {
	switch {
	case form == formText:
		return nil
	case wanted > 1:
		return printData(w, form, append([]planned{}, made...))
	case len(made) == 1:
		return printData(w, form, made[0])
	}
	return nil
}

// printPreview prints what came of a Preview for people: Terraform's account of the plan,
// what policies and Terraform say, and what would wait.
func (s *session) printPreview(c *cobra.Command, infra *v1alpha1.Infrastructure, p *v1alpha1.Preview) error {
	w := c.OutOrStdout()
	diff, err := s.diff(c.Context(), p, c.ErrOrStderr())
	if err != nil {
		return err
	}
	if plan := p.Status.Plan; plan != nil {
		fmt.Fprintf(w, "%s/%s, %s %s: %s\n", infra.Namespace, infra.Name, p.Status.Module.Name, p.Status.Module.Version, counts(plan))
		if diff != "" {
			fmt.Fprintf(w, "\n%s\n\n", strings.Trim(diff, "\n"))
		} else {
			printChanges(w, plan)
		}
	}
	for _, d := range p.Status.Diagnostics {
		if d.Severity == "error" || !isPolicy(d) {
			fmt.Fprintf(w, "%s: %s\n", strings.ToUpper(d.Severity[:1])+d.Severity[1:], diagnosis(d))
		}
	}
	for _, warning := range p.Status.Warnings {
		fmt.Fprintf(w, "Warning: %s\n", warning)
	}
	printWaits(w, infra.Spec.Approval, p.Status.Plan)
	return nil
}

// isPolicy tells a policy's warning, which status.warnings has too.
func isPolicy(d v1alpha1.Diagnostic) bool { return strings.HasPrefix(d.Summary, "policy ") }

// diagnosis is a diagnostic in one line, or with the lines of its detail below.
func diagnosis(d v1alpha1.Diagnostic) string {
	text := d.Summary
	if d.Address != "" {
		text += " (" + d.Address + ")"
	}
	if d.Detail != "" {
		text += ": " + strings.ReplaceAll(strings.TrimSpace(d.Detail), "\n", "\n  ")
	}
	return text
}

// printWaits says which of the changes would wait for approval.
func printWaits(w io.Writer, approval v1alpha1.ApprovalMode, plan *v1alpha1.PlanSummary) {
	if plan == nil || approval == v1alpha1.ApprovalAuto {
		return
	}
	if approval == v1alpha1.ApprovalManual {
		if len(plan.Changes) > 0 {
			fmt.Fprintln(w, "Once applied, this waits for approval, as every change does: spec.approval is Manual.")
		}
		return
	}
	var lost []string
	for _, change := range plan.Changes {
		if change.Destructive {
			lost = append(lost, fmt.Sprintf("  %s %s", strings.ToLower(string(change.Action)), change.Address))
		}
	}
	if len(lost) > 0 {
		fmt.Fprintf(w, "Once applied, this waits for approval, because it loses what is stored:\n%s\n", strings.Join(lost, "\n"))
	}
}
