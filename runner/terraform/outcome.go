package terraform

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// step is a part of a Run.
type step int

const (
	stepRequest step = iota
	stepInit
	stepPlan
	stepGate
	stepRecord
	stepApply
)

// ending is all that decides how a Run ended.
type ending struct {
	operation v1alpha1.Operation
	// step is the last one, and err why it failed, nil when it did not.
	step step
	err  error
	// errors are Terraform's, masked.
	errors []v1alpha1.Diagnostic
	// plan is set once the plan is made, kept when it changes something and is saved or
	// only shown instead of applied, and preview when it was to be shown only.
	plan    *v1alpha1.PlanSummary
	kept    bool
	preview bool
	// warnings are those of policies, masked.
	warnings []string
	// resources are those that Terraform has begun to change, masked.
	resources []v1alpha1.ResourceProgress
	// applyStarted says that Terraform was told to change resources, allChanged
	// that it said of every planned change that it is complete, and applied that
	// it said so of the whole apply, its state included.
	applyStarted, allChanged, applied bool
	// stop is why Terraform was asked to stop, nil when it was not.
	stop error
	// timeout is the run's, for the message.
	timeout time.Duration
	// oomKills counts processes of the container killed for want of memory during
	// the run; memoryLimit is its limit in bytes.
	oomKills    int
	memoryLimit int64
	// stateLate says that the runner has saved the state in Terraform's stead;
	// stateLost is why that failed.
	stateLate bool
	stateLost error
}

// Why Terraform was asked to stop.
var (
	errInterrupted = errors.New("the pod was asked to end")
	errCancelled   = errors.New("the run was cancelled")
	errTimedOut    = errors.New("the run's timeout is over")
)

// result decides how the Run ended. What it returns is not masked.
func (e ending) result() runner.Result {
	r := runner.Result{Plan: e.plan, ApplyStarted: e.applyStarted}
	r.Reason, r.Message = e.reason()
	switch {
	case e.stateLost != nil:
		r.Message += fmt.Sprintf(". The state could not be saved: %v", e.stateLost)
	case e.stateLate:
		r.Message += ". The state was saved late: the API server could not be reached when Terraform wanted to write it"
	}
	return r
}

func (e ending) reason() (v1alpha1.RunReason, string) {
	lock := foreignLock(e.errors)
	switch {
	case e.err == nil && e.preview && e.kept:
		return v1alpha1.RunReasonPlanned, previewMessage(e.plan)
	case e.err == nil && e.preview:
		return v1alpha1.RunReasonSucceeded, "No changes"
	case e.err == nil && e.kept:
		return v1alpha1.RunReasonPlanned, describePlan(e.operation, e.plan)
	case e.succeeded():
		return v1alpha1.RunReasonSucceeded, successMessage(e.operation, e.plan)
	case e.oomKills > 0 || (e.stop == nil && isKilled(e.err)):
		return v1alpha1.RunReasonOutOfMemory, "Terraform or a provider was killed for want of memory" + memoryLimit(e.memoryLimit)
	case lock != nil:
		return v1alpha1.RunReasonLocked, lock.String()
	case errors.Is(e.stop, errTimedOut):
		return v1alpha1.RunReasonTimedOut, fmt.Sprintf("The run did not end within its timeout of %s; Terraform was stopped%s", e.timeout, e.during())
	case errors.Is(e.stop, errCancelled):
		return v1alpha1.RunReasonCancelled, "The run was cancelled; Terraform was stopped" + e.during()
	case e.stop != nil:
		return v1alpha1.RunReasonInterrupted, "The pod was asked to end; Terraform was stopped" + e.during()
	}
	if denied := (*policyDeniedError)(nil); errors.As(e.err, &denied) {
		return v1alpha1.RunReasonPolicyDenied, denied.Error()
	}
	if invalid := (*policyInvalidError)(nil); errors.As(e.err, &invalid) {
		return v1alpha1.RunReasonPolicyInvalid, oneLine(invalid.Error())
	}
	return e.step.reason(), e.failure()
}

// succeeded tells whether Terraform did all it was asked for. It may have, and
// be asked to stop just then; and once the runner has saved a state that
// Terraform could not save, an apply with no other fault has.
func (e ending) succeeded() bool {
	if e.err == nil || e.applied {
		return true
	}
	saved := e.stateLate && e.stateLost == nil
	return saved && e.allChanged && !slices.ContainsFunc(e.errors, func(d v1alpha1.Diagnostic) bool { return !isSaveError(d) })
}

func (s step) reason() v1alpha1.RunReason {
	switch s {
	case stepRequest:
		return v1alpha1.RunReasonInvalidRequest
	case stepInit:
		return v1alpha1.RunReasonInitFailed
	case stepPlan, stepGate:
		return v1alpha1.RunReasonPlanFailed
	case stepRecord:
		return v1alpha1.RunReasonSnapshotFailed
	default:
		return v1alpha1.RunReasonApplyFailed
	}
}

// during says how far a run was that Terraform stopped.
func (e ending) during() string {
	if e.applyStarted {
		return " during the apply"
	}
	return " before it changed anything"
}

// failure describes the first error: Terraform's own, or else what the step says.
func (e ending) failure() string {
	for _, d := range e.errors {
		if isSaveError(d) && e.stateLate {
			continue
		}
		paragraph, _, _ := strings.Cut(d.Detail, "\n\n")
		return oneLine(describe(d.Summary, d.Address, paragraph))
	}
	return oneLine(e.err.Error())
}

// isSaveError tells the errors of a Terraform that cannot write to its backend.
func isSaveError(d v1alpha1.Diagnostic) bool {
	switch d.Summary {
	case "Failed to save state", "Failed to persist state to backend", "Error releasing the state lock", "Error saving state":
		return true
	}
	return false
}

// isKilled tells whether a command was ended by SIGKILL.
func isKilled(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func memoryLimit(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf("; the runner's memory limit is %s", resource.NewQuantity(bytes, resource.BinarySI))
}

// previewMessage says what a plan would do that changes something.
func previewMessage(plan *v1alpha1.PlanSummary) string {
	forget := int32(0)
	for _, change := range plan.Changes {
		if change.Action == v1alpha1.ChangeForget {
			forget++
		}
	}
	var parts []string
	for _, n := range []struct {
		count int32
		what  string
	}{{plan.Create, "create"}, {plan.Update, "update"}, {plan.Replace, "replace"}, {plan.Delete, "delete"}, {forget, "forget"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", n.count, n.what))
		}
	}
	if len(parts) == 0 {
		return "Plan: no resource changes, but outputs do"
	}
	return "Plan: " + strings.Join(parts, ", ")
}

func successMessage(op v1alpha1.Operation, plan *v1alpha1.PlanSummary) string {
	switch {
	case op == v1alpha1.OperationDestroy && plan != nil:
		return fmt.Sprintf("Destroyed: %d deleted", plan.Delete)
	case plan == nil || plan.Total() == 0:
		return "Nothing to change"
	}
	return fmt.Sprintf("Applied: %d created, %d updated, %d replaced, %d deleted", plan.Create, plan.Update, plan.Replace, plan.Delete)
}
