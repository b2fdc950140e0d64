package terraform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// leaky says all it knows, in every way it can: names, provisioner output,
// errors, outputs. None of its variables is sensitive to Terraform.
const leaky = `
variable "password" { type = string }
variable "key" { type = string }
variable "users" { type = map(object({ tokens = list(string), pin = number })) }
variable "document" { type = string }

resource "terraform_data" "loud" {
  for_each = toset([var.password])
  input    = var.users
  provisioner "local-exec" {
    interpreter = ["sh", "-c"]
    command     = "printf '%s\n' \"$A\" \"$B\" \"$C\" \"$D\"; env"
    environment = { A = var.password, B = var.key, C = jsonencode(var.users), D = var.document }
  }
}
resource "terraform_data" "failing" {
  depends_on = [terraform_data.loud]
  lifecycle {
    postcondition {
      condition     = self.id == ""
      error_message = "No ${var.password}, ${jsonencode(var.key)}, ${jsonencode(var.users)}, ${var.document}, ${urlencode(var.password)}, ${base64encode(var.password)}."
    }
  }
}
output "password" { value = var.password }
`

// TestRunner_Run_canaries plants secrets and looks for them in all that a run
// says.
func TestRunner_Run_canaries(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	variables := map[string]any{
		"password": `canary1"\<x>&${y}`,
		"key":      "-----BEGIN KEY-----\ncanary2line1\n  canary2line2\n-----END KEY-----\n",
		"users":    map[string]any{"ann": map[string]any{"tokens": []string{"canary3", "canary4 with space"}, "pin": 90210}},
		"document": `{"inner": {"secret": "canary5"}}`,
	}
	encoded, err := json.Marshal(variables)
	if err != nil {
		t.Fatal(err)
	}
	cfg := f.run("canaries", f.request(map[string]string{"main.tf": leaky}, withVariables(string(encoded)), func(r *runner.Request) {
		r.Sensitive = []string{"password", "key", "users", "document"}
	}))
	cfg.Environ = append(cfg.Environ, "AWS_ACCESS_KEY_ID=canary6", "AWS_SECRET_ACCESS_KEY=canary7/+=", "AWS_SESSION_TOKEN=canary8", "AWS_REGION=eu-central-1")
	o := f.execute(t.Context(), cfg)
	f.wantReason(o, v1alpha1.RunReasonApplyFailed)

	status, err := json.Marshal(o.run.Status)
	if err != nil {
		t.Fatal(err)
	}
	result, err := json.Marshal(o.result)
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := f.keptLog("canaries")
	for where, said := range map[string]string{"log": o.log, "kept log": kept, "status": string(status), "termination message": string(result)} {
		for _, canary := range []string{"canary", "90210", "BEGIN KEY", "Y2FuYXJ5"} {
			if strings.Contains(said, canary) {
				t.Errorf("%s has the secret %s:\n%s", where, canary, said)
			}
		}
		if !strings.Contains(said, masked) {
			t.Errorf("%s shows no sign of the secrets; does the module still leak?\n%s", where, said)
		}
	}
	if !strings.Contains(o.log, "AWS_REGION=eu-central-1") {
		t.Error("the log has the environment masked that holds no secret")
	}
}

// TestRunner_Run_stderr has a Terraform that says a secret where no JSON is.
func TestRunner_Run_stderr(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	cfg := f.run("stderr", f.request(map[string]string{"main.tf": counted}))
	cfg.Environ = append(cfg.Environ, "AWS_SECRET_ACCESS_KEY=canary7")
	cfg.TerraformBinary = script(t, `case $1 in version) exec `+f.terraform+` "$@";; esac
echo "panic: $AWS_SECRET_ACCESS_KEY" | tee /dev/stderr
exit 2`)
	o := f.execute(t.Context(), cfg)
	f.wantReason(o, v1alpha1.RunReasonPlanFailed)
	if strings.Contains(o.log, "canary") || strings.Count(o.log, "panic: "+masked) != 2 {
		t.Errorf("want what was said on stdout and stderr masked, got %s", o.log)
	}
	if want := "terraform plan ended without a plan"; !strings.Contains(o.run.Status.Message, want) || o.run.Status.ApplyStartedAt != nil {
		t.Errorf("want %q and nothing touched, got %+v", want, o.run.Status)
	}

	cfg = f.run("code", f.request(map[string]string{"main.tf": counted}))
	cfg.Environ = append(cfg.Environ, "AWS_SECRET_ACCESS_KEY=canary7")
	cfg.TerraformBinary = script(t, `case $1 in version) exec `+f.terraform+` "$@";; esac
echo "broken: $AWS_SECRET_ACCESS_KEY" >&2
exit 1`)
	o = f.execute(t.Context(), cfg)
	f.wantReason(o, v1alpha1.RunReasonPlanFailed)
	for where, said := range map[string]string{"log": o.log, "status": o.run.Status.Message, "termination message": o.result.Message} {
		if strings.Contains(said, "canary") || !strings.Contains(said, "broken: "+masked) {
			t.Errorf("%s: want the secret masked, got %s", where, said)
		}
	}
}
