package runner

import (
	"encoding/json"
	"fmt"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// MaxTerminationMessage is what kubelet keeps of a termination message, in bytes.
// Source: https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
const MaxTerminationMessage = 4096

// Result is how a Run ended, as the runner's termination message holds it.
type Result struct {
	// Reason is RunReasonSucceeded or why the Run failed.
	Reason v1alpha1.RunReason `json:"reason"`
	// Message is for people; never secret.
	Message string `json:"message"`
	// Plan counts the planned changes; nil when there was no plan.
	Plan *v1alpha1.PlanSummary `json:"plan,omitempty"`
	// ApplyStarted says that Terraform began to change resources.
	ApplyStarted bool `json:"applyStarted,omitempty"`
}

// TerminationMessage returns the result as JSON of at most MaxTerminationMessage
// bytes: the plan without its changes, and a long message is cut.
func (r Result) TerminationMessage() []byte {
	if r.Plan != nil {
		counts := *r.Plan
		counts.Changes = nil
		r.Plan = &counts
	}
	for {
		b, err := json.Marshal(r)
		if err == nil && len(b) <= MaxTerminationMessage {
			return b
		}
		r.Message = cut(r.Message, len(r.Message)/2)
	}
}

// ParseResult reads a termination message. It fails when the message is not a
// result, as that of a killed container is not.
func ParseResult(message string) (Result, error) {
	var r Result
	if err := json.Unmarshal([]byte(message), &r); err != nil || r.Reason == "" {
		return Result{}, fmt.Errorf("the termination message is not a runner's result: %.200q", message)
	}
	return r, nil
}

// cut shortens s to n bytes at a rune's border and marks the cut.
func cut(s string, n int) string {
	for n > 0 && n < len(s) && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
