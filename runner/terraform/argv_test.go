package terraform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// TestRunner_Run_argv checks what a run costs: which commands of Terraform it
// starts.
func TestRunner_Run_argv(t *testing.T) {
	const (
		version = "version -json"
		plan    = "plan -no-color -input=false -detailed-exitcode -lock-timeout=0s -out=WORK/plan -var-file=WORK/variables.tfvars.json -lock=true -parallelism=10 -refresh=true -json"
		destroy = "plan -no-color -input=false -detailed-exitcode -lock-timeout=0s -out=WORK/plan -var-file=WORK/variables.tfvars.json -lock=true -parallelism=10 -refresh=true -destroy -json"
		apply   = "apply -no-color -auto-approve -input=false -lock=true -parallelism=10 -refresh=true -json WORK/plan"
		initial = "init -no-color -input=false -backend=true -get=true -upgrade=false -json"
	)
	f := newFixture(t, server.Config, server.Kubeconfig)
	module := map[string]string{"main.tf": counted}
	child := map[string]string{"main.tf": `module "child" { source = "./child" }`, "child/main.tf": ""}
	cases := []struct {
		name, reason string
		request      *runner.Request
		want         []string
	}{
		{"apply", "An apply is one plan and one apply.", f.request(module, withVariables(`{"n": 1}`)), []string{version, plan, apply}},
		{"nothing", "Nothing to change is one plan.", f.request(module, withVariables(`{"n": 1}`)), []string{version, plan}},
		{"destroy", "A destroy is one plan and one apply.", f.request(module, withVariables(`{"n": 1}`), func(r *runner.Request) { r.Operation = v1alpha1.OperationDestroy }), []string{version, destroy, apply}},
		{"child", "A module with child modules needs an init.", f.request(child), []string{version, plan, initial, plan}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			f.T = t
			cfg := f.run(tc.name, tc.request)
			calls := filepath.Join(t.TempDir(), "calls")
			cfg.TerraformBinary = script(t, `echo "$*" >> `+calls+"\nexec "+f.terraform+` "$@"`)
			f.wantReason(f.execute(t.Context(), cfg), v1alpha1.RunReasonSucceeded)
			b, err := os.ReadFile(calls)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(b), cfg.WorkDir, "WORK")), "\n")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
