package policy

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// maxFindings is how many denials, and how many warnings, are told.
const maxFindings = 20

// Findings are what policies have against a plan, sorted, each once.
type Findings struct {
	// Denials speak against applying it, Warnings do not; at most 20 of each.
	Denials, Warnings []Finding
	// MoreDenials and MoreWarnings are how many there are besides.
	MoreDenials, MoreWarnings int
}

// Finding is what a policy has against a resource, or against the plan.
type Finding struct {
	// Policy is the policy's name.
	Policy string
	// Address is the resource's; empty when the policy names none.
	Address string
	// Message is the policy's. It may quote the plan, secrets included.
	Message string
}

// Evaluate judges a plan, the JSON of `terraform show -json PLAN`. It ends with ctx. An
// error means that the plan is not judged.
func (p *Policies) Evaluate(ctx context.Context, plan []byte) (Findings, error) {
	var f Findings
	if len(p.rules) == 0 {
		return f, nil
	}
	exceptions, results, err := p.query(ctx, plan)
	if err != nil {
		return f, err
	}
	for i, r := range p.rules {
		if slices.Contains(exceptions, any(r.exception)) {
			continue
		}
		list, _ := results[i].([]any) // a rule that is a set
		for _, result := range list {
			finding, err := r.finding(result)
			if err != nil {
				return Findings{}, err
			}
			if r.warns {
				f.Warnings = append(f.Warnings, finding)
			} else {
				f.Denials = append(f.Denials, finding)
			}
		}
	}
	f.Denials, f.MoreDenials = tidy(f.Denials)
	f.Warnings, f.MoreWarnings = tidy(f.Warnings)
	return f, nil
}

// query evaluates all rules at once, as they share what they ask of the plan, and
// conftest's exceptions.
// Source: https://www.conftest.dev/exceptions/
func (p *Policies) query(ctx context.Context, plan []byte) (exceptions, results []any, err error) {
	input, err := ast.ValueFromReader(bytes.NewReader(plan))
	if err != nil {
		// The error could quote the plan.
		return nil, nil, errors.New("the plan is not JSON")
	}
	queries := []string{fmt.Sprintf("[e | e := data.%s.exception[_][_]]", namespace)}
	for _, r := range p.rules {
		queries = append(queries, fmt.Sprintf("data.%s.%s", namespace, r.query))
	}
	set, err := rego.New(
		rego.Compiler(p.compiler),
		rego.Query("["+strings.Join(queries, ", ")+"]"),
		rego.ParsedInput(input),
	).Eval(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, nil, fmt.Errorf("evaluate the policies: %w", context.Cause(ctx))
	case err != nil:
		return nil, nil, fmt.Errorf("evaluate the policies: %w", err)
	}
	values := set[0].Expressions[0].Value.([]any) // the query is an array
	return values[0].([]any), values[1:], nil
}

// finding reads one member of the rule's set.
func (r rule) finding(result any) (Finding, error) {
	f := Finding{Policy: r.policy}
	switch result := result.(type) {
	case string:
		f.Message = result
	case map[string]any:
		f.Message, _ = result["msg"].(string)
		f.Address, _ = result["address"].(string)
	}
	if strings.TrimSpace(f.Message) == "" {
		return f, fmt.Errorf("policy %s: the rule %s gives a result without a message: wanted a string, or an object with a string msg", r.file, r.name)
	}
	return f, nil
}

// tidy sorts, drops what is said twice, and tells how many there are beyond what is
// kept.
func tidy(all []Finding) ([]Finding, int) {
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Message, b.Message))
	})
	all = slices.Compact(all)
	kept := min(len(all), maxFindings)
	return all[:kept], len(all) - kept
}
