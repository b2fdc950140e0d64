package terraform

import (
	"slices"
	"unicode/utf8"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Bounds of the API on diagnostics and messages.
const (
	maxDiagnostics = 10
	maxSummary     = 1024
	maxDetail      = 2048
	maxMessage     = 1024
)

// diagnostics collects errors and warnings, Terraform's and the policies', masked and
// bounded.
type diagnostics struct {
	mask mask
	all  []v1alpha1.Diagnostic
}

// observe takes one event in. An apply repeats the warnings of its plan; they
// are kept once.
func (d *diagnostics) observe(e event) {
	if e.Type != eventDiagnosticType || e.Diagnostic == nil {
		return
	}
	severity := "warning"
	if e.Diagnostic.Severity == "error" {
		severity = "error"
	}
	d.add(severity, e.Diagnostic.Summary, e.Diagnostic.Detail, e.Diagnostic.Address)
}

func (d *diagnostics) add(severity, summary, detail, address string) {
	diagnostic := v1alpha1.Diagnostic{
		Severity: severity,
		Summary:  cut(d.mask.apply(summary), maxSummary),
		Detail:   cut(d.mask.apply(detail), maxDetail),
		Address:  d.mask.apply(address),
	}
	if !slices.Contains(d.all, diagnostic) {
		d.all = append(d.all, diagnostic)
	}
}

// status returns what a Run's status holds: errors first.
func (d *diagnostics) status() []v1alpha1.Diagnostic {
	sorted := append(d.errors(), slices.DeleteFunc(slices.Clone(d.all), isError)...)
	return sorted[:min(len(sorted), maxDiagnostics)]
}

func (d *diagnostics) errors() []v1alpha1.Diagnostic {
	return slices.DeleteFunc(slices.Clone(d.all), func(d v1alpha1.Diagnostic) bool { return !isError(d) })
}

func isError(d v1alpha1.Diagnostic) bool { return d.Severity == "error" }

// cut shortens s to at most n bytes at a rune's border and marks the cut.
func cut(s string, n int) string {
	const mark = "…"
	if len(s) <= n {
		return s
	}
	n -= len(mark)
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + mark
}
