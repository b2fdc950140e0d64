package terraform

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

func TestEnding_result(t *testing.T) {
	failed := errors.New("exit status 1")
	killed := exec.Command("sh", "-c", "kill -KILL $$").Run()
	diagnostic := func(summary, detail, address string) v1alpha1.Diagnostic {
		return v1alpha1.Diagnostic{Severity: "error", Summary: summary, Detail: detail, Address: address}
	}
	saveErrors := []v1alpha1.Diagnostic{
		diagnostic("Failed to save state", "Error saving state: connection refused", ""),
		diagnostic("Failed to persist state to backend", "written to errored.tfstate", ""),
		diagnostic("Error releasing the state lock", "connection refused", ""),
	}
	const lockDetail = "Error message: the state is already locked by another terraform client\nLock Info:\n" +
		"  ID:        5f0c\n  Path:      \n  Operation: OperationTypePlan\n  Who:       ann@laptop\n  Version:   1.11.4\n" +
		"  Created:   2026-01-02 03:04:05.123456789 +0000 UTC\n  Info:      \n"
	const late = ". The state was saved late: the API server could not be reached when Terraform wanted to write it"
	plan := &v1alpha1.PlanSummary{Create: 2, Delete: 1}

	cases := map[string]struct {
		reason string
		end    ending
		want   runner.Result
	}{
		"applied": {
			"All went well.",
			ending{operation: v1alpha1.OperationApply, step: stepApply, plan: plan, applyStarted: true},
			runner.Result{Reason: v1alpha1.RunReasonSucceeded, Message: "Applied: 2 created, 0 updated, 0 replaced, 1 deleted", Plan: plan, ApplyStarted: true},
		},
		"applied and stopped": {
			"A signal that comes when all is done changes nothing.",
			ending{operation: v1alpha1.OperationDestroy, step: stepApply, err: failed, plan: plan, applyStarted: true, applied: true, stop: errInterrupted},
			runner.Result{Reason: v1alpha1.RunReasonSucceeded, Message: "Destroyed: 1 deleted", Plan: plan, ApplyStarted: true},
		},
		"saved late": {
			"An apply whose only fault was the API server has succeeded once its state is saved.",
			ending{operation: v1alpha1.OperationApply, step: stepApply, err: failed, errors: saveErrors, plan: plan, applyStarted: true, allChanged: true, stateLate: true},
			runner.Result{Reason: v1alpha1.RunReasonSucceeded, Message: "Applied: 2 created, 0 updated, 0 replaced, 1 deleted" + late, Plan: plan, ApplyStarted: true},
		},
		"saved late in part": {
			"An apply that was halted has not.",
			ending{step: stepApply, err: failed, errors: append([]v1alpha1.Diagnostic{diagnostic("connection refused", "", "")}, saveErrors...), applyStarted: true, stateLate: true},
			runner.Result{Reason: v1alpha1.RunReasonApplyFailed, Message: "connection refused" + late, ApplyStarted: true},
		},
		"saved late with another fault": {
			"An apply whose outputs failed has not, though all is made.",
			ending{step: stepApply, err: failed, errors: append(saveErrors[:2:2], diagnostic("Invalid output", "", "output.x")), applyStarted: true, allChanged: true, stateLate: true},
			runner.Result{Reason: v1alpha1.RunReasonApplyFailed, Message: "Invalid output (output.x)" + late, ApplyStarted: true},
		},
		"not saved": {
			"A state that could not be saved is said to be lost.",
			ending{step: stepApply, err: failed, errors: saveErrors, applyStarted: true, allChanged: true, stateLate: true, stateLost: errors.New("push the state: refused")},
			runner.Result{Reason: v1alpha1.RunReasonApplyFailed, Message: "exit status 1. The state could not be saved: push the state: refused", ApplyStarted: true},
		},
		"locked": {
			"A lock of someone else is theirs.",
			ending{step: stepPlan, err: failed, errors: []v1alpha1.Diagnostic{diagnostic("Error acquiring the state lock", lockDetail, "")}},
			runner.Result{Reason: v1alpha1.RunReasonLocked, Message: "the state is locked by ann@laptop since 2026-01-02T03:04:05Z (OperationTypePlan, lock 5f0c)"},
		},
		"lock unavailable": {
			"An API server that does not answer is not a lock.",
			ending{step: stepPlan, err: failed, errors: []v1alpha1.Diagnostic{diagnostic("Error acquiring the state lock", "Error message: connection refused", "")}},
			runner.Result{Reason: v1alpha1.RunReasonPlanFailed, Message: "Error acquiring the state lock: Error message: connection refused"},
		},
		"timed out": {
			"A timeout names itself and how far the run was.",
			ending{step: stepPlan, err: failed, stop: errTimedOut, timeout: time.Minute},
			runner.Result{Reason: v1alpha1.RunReasonTimedOut, Message: "The run did not end within its timeout of 1m0s; Terraform was stopped before it changed anything"},
		},
		"interrupted": {
			"So does an interruption.",
			ending{step: stepApply, err: failed, stop: errInterrupted, applyStarted: true},
			runner.Result{Reason: v1alpha1.RunReasonInterrupted, Message: "The pod was asked to end; Terraform was stopped during the apply", ApplyStarted: true},
		},
		"killed": {
			"A Terraform that is killed was killed for want of memory.",
			ending{step: stepApply, err: killed, applyStarted: true, memoryLimit: 512 << 20},
			runner.Result{Reason: v1alpha1.RunReasonOutOfMemory, Message: "Terraform or a provider was killed for want of memory; the runner's memory limit is 512Mi", ApplyStarted: true},
		},
		"killed after a stop": {
			"Unless the runner has done it, when Terraform did not stop in time.",
			ending{step: stepApply, err: killed, stop: errInterrupted, applyStarted: true},
			runner.Result{Reason: v1alpha1.RunReasonInterrupted, Message: "The pod was asked to end; Terraform was stopped during the apply", ApplyStarted: true},
		},
		"provider killed": {
			"The kernel's count tells of a provider.",
			ending{step: stepPlan, err: failed, errors: []v1alpha1.Diagnostic{diagnostic("Plugin did not respond", "", "")}, oomKills: 1},
			runner.Result{Reason: v1alpha1.RunReasonOutOfMemory, Message: "Terraform or a provider was killed for want of memory"},
		},
		"first error": {
			"The message is the first error, where it is, and the first paragraph of its detail, in one line.",
			ending{step: stepApply, err: failed, errors: []v1alpha1.Diagnostic{diagnostic("creating bucket", "no\nsuch thing\n\nmore", "aws_s3_bucket.this"), diagnostic("other", "", "")}, applyStarted: true},
			runner.Result{Reason: v1alpha1.RunReasonApplyFailed, Message: "creating bucket (aws_s3_bucket.this): no such thing", ApplyStarted: true},
		},
		"no diagnostic": {
			"Without a diagnostic it is what the command said.",
			ending{step: stepInit, err: errors.New("exit status 2\nusage")},
			runner.Result{Reason: v1alpha1.RunReasonInitFailed, Message: "exit status 2 usage"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.end.result()); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDiagnostics_status(t *testing.T) {
	d := &diagnostics{mask: newMask(nil, []string{"TOKEN=canary-of-" + strings.Repeat("x", 3000)})}
	warning := event{Type: eventDiagnosticType, Diagnostic: &eventDiagnostic{Severity: "warning", Summary: "w"}}
	d.observe(warning)
	d.observe(warning)
	for i := range 12 {
		d.observe(event{Type: eventDiagnosticType, Diagnostic: &eventDiagnostic{
			Severity: "error", Summary: fmt.Sprintf("%02d ", i) + strings.Repeat("é", 600), Detail: "canary-of-" + strings.Repeat("x", 3000),
		}})
	}
	got := d.status()
	if len(got) != maxDiagnostics {
		t.Fatalf("want %d diagnostics, got %d", maxDiagnostics, len(got))
	}
	for _, g := range got {
		if g.Severity != "error" {
			t.Errorf("want errors before warnings, got %v", got)
		}
		if len(g.Summary) > maxSummary || !strings.HasSuffix(g.Summary, "é…") {
			t.Errorf("want the summary cut at a character's border, got %d bytes ending in %q", len(g.Summary), g.Summary[len(g.Summary)-6:])
		}
		// A secret that is cut first would not be recognised any more.
		if g.Detail != masked {
			t.Errorf("want the secret masked, got %q", g.Detail)
		}
	}
	d = &diagnostics{mask: newMask(nil, nil)}
	d.observe(warning)
	d.observe(warning)
	if got := d.status(); len(got) != 1 {
		t.Errorf("want a repeated warning once, got %v", got)
	}
}
