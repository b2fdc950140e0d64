package terraform

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner/policy"
)

// policyTimeout is how long policies may take to judge a plan; the default set takes
// some ten milliseconds.
const policyTimeout = time.Minute

// policyDeniedError says what policies have against a plan, masked.
type policyDeniedError struct {
	denials []policy.Finding
	more    int
}

// Error tells the first denial; the Run's diagnostics have the others.
func (e *policyDeniedError) Error() string {
	message := sentence(e.denials[0], "denies")
	if more := len(e.denials) - 1 + e.more; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	return message
}

// policyInvalidError says why a plan could not be judged.
type policyInvalidError struct{ err error }

func (e *policyInvalidError) Error() string { return e.err.Error() }

func (e *policyInvalidError) Unwrap() error { return e.err }

// loadPolicies reads the default set and the policies of the bundle and the platform
// team. Its error is a policyInvalidError: without policies nothing is applied.
func loadPolicies(cfg Config) (*policy.Policies, error) {
	sources := []fs.FS{policy.Library()}
	for _, dir := range cfg.PolicyDirs {
		sources = append(sources, os.DirFS(dir))
	}
	p, err := policy.Load(sources...)
	if err != nil {
		return nil, &policyInvalidError{err}
	}
	return p, nil
}

// obeyPolicies judges the plan of an apply or a preview, unless there is no policy for what it makes
// or changes: to read the plan takes the start of the provider.
func (s *session) obeyPolicies(ctx context.Context) error {
	if s.run.Spec.Operation != v1alpha1.OperationApply && !s.isPreview() {
		return nil
	}
	p, err := loadPolicies(s.cfg)
	if err != nil || !p.Concern(s.progress.made) {
		return err
	}
	plan, err := s.showPlan(ctx)
	if err != nil {
		return err
	}
	s.warnings, err = s.checkPolicies(ctx, p, plan.json)
	return err
}

// checkPolicies judges a plan, the JSON of terraform show. What policies have against it
// goes to the log and the diagnostics, and comes back masked: warnings, and denials as a
// policyDeniedError. A plan that cannot be judged gives a policyInvalidError.
func (s *session) checkPolicies(ctx context.Context, p *policy.Policies, plan []byte) (warnings []string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, policyTimeout, fmt.Errorf("it took longer than %s", policyTimeout))
	defer cancel()
	found, err := p.Evaluate(ctx, plan)
	if err != nil {
		return nil, &policyInvalidError{err}
	}
	for i := range found.Denials {
		s.masked(&found.Denials[i])
		s.note(found.Denials[i], "error", "denies")
	}
	for i := range found.Warnings {
		s.masked(&found.Warnings[i])
		s.note(found.Warnings[i], "warning", "warns of")
		warnings = append(warnings, sentence(found.Warnings[i], "warns of"))
	}
	if found.MoreWarnings > 0 {
		warnings = append(warnings, fmt.Sprintf("and %d more warnings", found.MoreWarnings))
	}
	if len(found.Denials) > 0 {
		return warnings, &policyDeniedError{found.Denials, found.MoreDenials}
	}
	return warnings, nil
}

// masked blots out secrets: messages and addresses may quote the plan.
func (s *session) masked(f *policy.Finding) {
	f.Address, f.Message = s.log.mask.apply(f.Address), oneLine(s.log.mask.apply(f.Message))
}

// note writes a finding to the log and the diagnostics.
func (s *session) note(f policy.Finding, severity, verb string) {
	s.log.printf("%s: %s", severity, sentence(f, verb))
	s.diagnostics.add(severity, "policy "+f.Policy+" "+verb+" the plan", f.Message, f.Address)
}

// sentence says what a policy has against a resource or, where it names none, the plan.
func sentence(f policy.Finding, verb string) string {
	return fmt.Sprintf("policy %s %s %s: %s", f.Policy, verb, cmp.Or(f.Address, "the plan"), f.Message)
}
