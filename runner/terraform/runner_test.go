package terraform

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

const counted = `
variable "n" { type = number }
resource "terraform_data" "this" {
  count = var.n
  input = count.index
}
output "n" { value = var.n }
`

func withVariables(json string) func(*runner.Request) {
	return func(r *runner.Request) { r.Variables = []byte(json) }
}

func destroy(r *runner.Request) { r.Operation = v1alpha1.OperationDestroy }

// TestRunner_Run goes through the life of an Infrastructure.
func TestRunner_Run(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	files := map[string]string{"main.tf": counted}
	cases := []struct {
		name, reason string
		request      *runner.Request
		wantPlan     v1alpha1.PlanSummary
		wantApplied  bool
		wantMessage  string
		wantState    int
	}{
		{"create", "An apply makes the resources.", f.request(files, withVariables(`{"n": 2}`)),
			v1alpha1.PlanSummary{Create: 2}, true, "Applied: 2 created, 0 updated, 0 replaced, 0 deleted", 2},
		{"nothing", "An apply without changes does not start to apply.", f.request(files, withVariables(`{"n": 2}`)),
			v1alpha1.PlanSummary{}, false, "Nothing to change", 2},
		{"shrink", "An apply with fewer deletes one.", f.request(files, withVariables(`{"n": 1}`)),
			v1alpha1.PlanSummary{Delete: 1}, true, "Applied: 0 created, 0 updated, 0 replaced, 1 deleted", 1},
		{"destroy", "A destroy deletes the rest.", f.request(files, withVariables(`{"n": 1}`), destroy),
			v1alpha1.PlanSummary{Delete: 1}, true, "Destroyed: 1 deleted", 0},
		{"again", "A destroy of nothing succeeds.", f.request(files, withVariables(`{"n": 1}`), destroy),
			v1alpha1.PlanSummary{}, false, "Destroyed: 0 deleted", 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			f.T = t
			o := f.execute(t.Context(), f.run(tc.name, tc.request))
			f.wantReason(o, v1alpha1.RunReasonSucceeded)
			status := o.run.Status
			if diff := cmp.Diff(&tc.wantPlan, status.Plan); diff != "" {
				t.Errorf("%s\nplan: -want, +got:\n%s", tc.reason, diff)
			}
			if status.Message != tc.wantMessage {
				t.Errorf("%s\nwant the message %q, got %q", tc.reason, tc.wantMessage, status.Message)
			}
			if (status.ApplyStartedAt != nil) != tc.wantApplied || o.result.ApplyStarted != tc.wantApplied {
				t.Errorf("%s\nwant applyStarted %v, got %v in the status and %v in the termination message",
					tc.reason, tc.wantApplied, status.ApplyStartedAt, o.result.ApplyStarted)
			}
			if got := len(f.addresses()); got != tc.wantState {
				t.Errorf("%s\nwant %d resources in the state, got %d", tc.reason, tc.wantState, got)
			}
			if status.PodUID == "" || status.StartedAt == nil {
				t.Errorf("%s\nthe run was not taken: %+v", tc.reason, status)
			}
		})
	}
	f.T = t
	snapshot, err := runner.ParseRequest(f.secret("snapshot").Data)
	if err != nil {
		t.Fatal(err)
	}
	// The snapshot is that of the last apply: a destroy leaves it alone.
	want := f.request(files, withVariables(`{"n": 1}`))
	want.Variables = json.RawMessage(`{"n":1}`)
	if diff := cmp.Diff(want, snapshot); diff != "" {
		t.Errorf("snapshot: -want, +got:\n%s", diff)
	}
}
