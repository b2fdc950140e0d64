package terraform

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/runner"
)

// policyDirs writes policies to a bundle's and a platform team's folder.
func policyDirs(t *testing.T, bundle, platform map[string]string) []string {
	t.Helper()
	var dirs []string
	for _, files := range []map[string]string{bundle, platform} {
		dir := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// policySession is a session whose log goes to out, with a secret in its environment.
func policySession(out *bytes.Buffer) *session {
	m := newMask(nil, []string{"TOKEN=hunter2-hunter2"})
	return &session{
		Runner:      &Runner{log: &podLog{mask: m, out: out, now: time.Now}},
		diagnostics: diagnostics{mask: m},
	}
}

func TestSession_checkPolicies(t *testing.T) {
	const head = "package main\n\n"
	const bucket = `{"resource_changes": [{"address": "aws_s3_bucket_acl.this", "mode": "managed", "type": "aws_s3_bucket_acl",
		"change": {"actions": ["create"], "after": {"acl": "public-read"}, "after_unknown": {}}}]}`
	const publicRead = "the ACL public-read opens the bucket to everybody: use private, and grant what is needed with a bucket policy"
	cases := map[string]struct {
		bundle, platform map[string]string
		plan             string
		warnings         []string
		err              string
		diagnostics      []v1alpha1.Diagnostic
	}{
		"A plan without faults passes.": {plan: `{"resource_changes": []}`},
		"The default set needs no files.": {
			plan: bucket, err: "policy public_bucket denies aws_s3_bucket_acl.this: " + publicRead,
			diagnostics: []v1alpha1.Diagnostic{{Severity: "error", Summary: "policy public_bucket denies the plan", Detail: publicRead, Address: "aws_s3_bucket_acl.this"}},
		},
		"The platform team wins over the bundle, and both over the default set.": {
			bundle:   map[string]string{"public_bucket.rego": head + `deny contains "of the bundle"`, "a.rego": head + `deny contains "of the bundle"`},
			platform: map[string]string{"a.rego": head + `deny contains "of the platform"`},
			plan:     bucket,
			err:      "policy a denies the plan: of the platform (and 1 more)",
			diagnostics: []v1alpha1.Diagnostic{
				{Severity: "error", Summary: "policy a denies the plan", Detail: "of the platform"},
				{Severity: "error", Summary: "policy public_bucket denies the plan", Detail: "of the bundle"},
			},
		},
		"A warning denies nothing.": {
			platform: map[string]string{"a.rego": head + `warn contains {"msg": "beware\nof it", "address": "x.y"}`},
			plan:     "{}", warnings: []string{"policy a warns of x.y: beware of it"},
			diagnostics: []v1alpha1.Diagnostic{{Severity: "warning", Summary: "policy a warns of the plan", Detail: "beware of it", Address: "x.y"}},
		},
		"What a message quotes of the plan is masked.": {
			platform: map[string]string{"a.rego": head + "deny contains {\"msg\": input.x, \"address\": input.x}\n\nwarn contains input.x\n"},
			plan:     `{"x": "it is hunter2-hunter2"}`,
			warnings: []string{"policy a warns of the plan: it is (sensitive)"},
			err:      "policy a denies it is (sensitive): it is (sensitive)",
			diagnostics: []v1alpha1.Diagnostic{
				{Severity: "error", Summary: "policy a denies the plan", Detail: "it is (sensitive)", Address: "it is (sensitive)"},
				{Severity: "warning", Summary: "policy a warns of the plan", Detail: "it is (sensitive)"},
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := loadPolicies(Config{PolicyDirs: policyDirs(t, c.bundle, c.platform)})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			s := policySession(&out)
			warnings, err := s.checkPolicies(t.Context(), p, []byte(c.plan))
			if denied := (*policyDeniedError)(nil); errors.As(err, &denied) != (c.err != "") || err != nil && err.Error() != c.err {
				t.Errorf("want the denial %q, got %v", c.err, err)
			}
			if diff := cmp.Diff(c.warnings, warnings); diff != "" {
				t.Errorf("warnings: -want, +got:\n%s", diff)
			}
			if diff := cmp.Diff(c.diagnostics, s.diagnostics.all); diff != "" {
				t.Errorf("diagnostics: -want, +got:\n%s", diff)
			}
			if lines := strings.Count(out.String(), "\n"); lines != len(c.diagnostics) || strings.Contains(out.String(), "hunter2") {
				t.Errorf("log: want %d lines and no secret, got\n%s", len(c.diagnostics), out.String())
			}
		})
	}
}

// A policy sees a plan as Terraform itself shows it.
func TestSession_checkPolicies_shown(t *testing.T) {
	cfg := Config{WorkDir: t.TempDir(), TerraformBinary: testenv.Terraform(t), Environ: os.Environ(), PolicyDirs: policyDirs(t, nil, map[string]string{"a.rego": `package main

deny contains {"msg": sprintf("%s of %s", [r.change.after.input, input.variables.name.value]), "address": r.address} if {
	some r in input.resource_changes
	input.complete
}
`})}
	for name, text := range map[string]string{
		cfg.path(moduleDir, "main.tf"): "variable \"name\" {}\n\nresource \"terraform_data\" \"this\" {\n  input = \"hello\"\n}\n",
		cfg.path(cliConfigFile):        "",
		cfg.path(tempDir, "x"):         "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := policySession(&bytes.Buffer{})
	s.cfg = cfg
	var err error
	if s.tf, err = newTerraform(cfg); err != nil {
		t.Fatal(err)
	}
	if err := s.tf.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.tf.Plan(t.Context(), tfexec.Out(cfg.path(planFile)), tfexec.Var("name=shop")); err != nil {
		t.Fatal(err)
	}
	plan, err := s.showPlan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := loadPolicies(cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := "policy a denies terraform_data.this: hello of shop"
	if _, err := s.checkPolicies(t.Context(), p, plan.json); err == nil || err.Error() != want {
		t.Errorf("want %q, got %v", want, err)
	}
}

// What cannot be judged is not applied.
func TestSession_checkPolicies_invalid(t *testing.T) {
	invalid := (*policyInvalidError)(nil)
	_, err := loadPolicies(Config{PolicyDirs: policyDirs(t, nil, map[string]string{"a.rego": "package main\n\ndeny contains msg if {\n"})})
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "policy a.rego:") {
		t.Errorf("a policy that does not parse: got %v", err)
	}
	p, err := loadPolicies(Config{PolicyDirs: policyDirs(t, nil, map[string]string{"a.rego": "package main\n\ndeny contains 1\n"})})
	if err != nil {
		t.Fatal(err)
	}
	s := policySession(&bytes.Buffer{})
	if _, err := s.checkPolicies(t.Context(), p, []byte("{}")); !errors.As(err, &invalid) || !strings.Contains(err.Error(), "a.rego") {
		t.Errorf("a result that is no message: got %v", err)
	}
	ended, end := context.WithCancelCause(t.Context())
	end(errInterrupted)
	if _, err := s.checkPolicies(ended, p, []byte("{}")); !errors.Is(err, errInterrupted) {
		t.Errorf("a pod that was asked to end: got %v", err)
	}
}

// What a policy denies is not touched, what one warns of is applied, and with a policy
// that does not compile nothing is.
func TestRunner_policy(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	const rules = `package main

deny contains {"msg": "no more than one", "address": r.address} if {
	some r in input.resource_changes
	r.change.actions != ["delete"]
	r.index >= 1
}

warn contains "it is lonely" if count(input.resource_changes) == 1
`
	req := func(n string, modify ...func(*runner.Request)) *runner.Request {
		return f.request(map[string]string{"main.tf": counted}, append(modify, withVariables(`{"n": `+n+`}`))...)
	}
	run := func(name string, policy string, req *runner.Request, modify ...func(*v1alpha1.Run)) outcome {
		cfg := f.run(name, req, modify...)
		cfg.PolicyDirs = policyDirs(t, nil, map[string]string{"team.rego": policy})
		return f.execute(t.Context(), cfg)
	}
	lonely := run("lonely", rules, req("1"))
	f.wantReason(lonely, v1alpha1.RunReasonSucceeded)
	if diff := cmp.Diff([]string{"policy team warns of the plan: it is lonely"}, lonely.run.Status.Warnings); diff != "" {
		t.Errorf("warnings, -want +got:\n%s", diff)
	}
	for name, modify := range map[string]func(*v1alpha1.Run){"denied": mode(v1alpha1.ApprovalAuto), "denied-manual": mode(v1alpha1.ApprovalManual)} {
		denied := run(name, rules, req("2"), modify)
		f.wantReason(denied, v1alpha1.RunReasonPolicyDenied)
		if want := "policy team denies terraform_data.this[1]: no more than one"; denied.run.Status.Message != want || denied.run.Status.ApplyStartedAt != nil {
			t.Errorf("the run is %+v, want the message %q", denied.run.Status, want)
		}
	}
	if got := len(f.addresses()); got != 1 {
		t.Errorf("there are %d resources, want the one from before", got)
	}
	broken := run("broken", "package main\n\ndeny contains msg if", req("3"))
	f.wantReason(broken, v1alpha1.RunReasonPolicyInvalid)
	if !strings.Contains(broken.run.Status.Message, "team.rego:3") {
		t.Errorf("message is %q, want the file and the line", broken.run.Status.Message)
	}
	f.wantReason(run("destroy", "package main\n\ndeny contains \"nothing may be\"", req("1", destroy)), v1alpha1.RunReasonSucceeded)
}
