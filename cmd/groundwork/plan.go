package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// counts is a plan in one line.
func counts(p *v1alpha1.PlanSummary) string {
	var parts []string
	for _, n := range []struct {
		count int32
		what  string
	}{{p.Create, "create"}, {p.Update, "update"}, {p.Replace, "replace"}, {p.Delete, "delete"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", n.what, n.count))
		}
	}
	if len(parts) == 0 {
		return "no changes"
	}
	return strings.Join(parts, ", ")
}

// printPlan prints what a plan does to each resource; it has no values.
func printPlan(w io.Writer, p *v1alpha1.PlanSummary) {
	fmt.Fprintf(w, "Plan %s: %s\n", p.ID, counts(p))
	printChanges(w, p)
}

// printChanges prints what a plan does to each resource.
func printChanges(w io.Writer, p *v1alpha1.PlanSummary) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, change := range p.Changes {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", strings.ToLower(string(change.Action)), change.Address, why(change))
	}
	t.Flush()
	if rest := p.Total() - len(p.Changes); rest > 0 {
		fmt.Fprintf(w, "  and %d more\n", rest)
	}
}

// why says what changes in a resource, and whether it loses what it stores.
func why(change v1alpha1.ResourceChange) string {
	var parts []string
	if change.Destructive {
		parts = append(parts, "LOSES WHAT IT STORES")
	}
	if len(change.Attributes) > 0 {
		parts = append(parts, strings.Join(change.Attributes, ", "))
	}
	if change.Reason != "" {
		parts = append(parts, change.Reason)
	}
	return strings.Join(parts, "; ")
}
