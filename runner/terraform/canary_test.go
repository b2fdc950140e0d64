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
	for where, said := range map[string]string{"log": o.log, "status": string(status), "termination message": string(result)} {
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
