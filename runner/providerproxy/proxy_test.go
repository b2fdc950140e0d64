package providerproxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-exec/tfexec"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/groundwork-dev/groundwork/hack/testenv"
)

const source = "registry.terraform.io/hashicorp/aws"

// offline needs no cloud to be planned, and asks the provider for what it knows of
// resources, data sources, functions and two of its configurations.
const offline = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}
provider "aws" {
  alias                       = "other"
  region                      = "us-east-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}
data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::${provider::aws::arn_parse("arn:aws:s3:::logs").resource}/*"]
  }
}
resource "aws_iam_policy" "read" {
  policy = data.aws_iam_policy_document.read.json
}
resource "aws_sqs_queue" "jobs" {
  provider                   = aws.other
  visibility_timeout_seconds = 60
}
`

// TestProxy makes the same plan with a proxy and without, and one that the provider
// refuses.
func TestProxy(t *testing.T) {
	terraform, mirror := testenv.Terraform(t), testenv.ProviderMirror(t)
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(offline)
	reattach := ""
	run := func(args ...string) (string, error) {
		cmd := exec.Command(terraform, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_REATTACH_PROVIDERS="+reattach)
		var problems bytes.Buffer
		cmd.Stderr = &problems
		out, err := cmd.Output()
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, &problems)
		}
		return string(out), err
	}
	plan := func() string {
		t.Helper()
		if out, err := run("plan", "-no-color", "-out=plan"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		shown, err := run("show", "-json", "plan")
		if err != nil {
			t.Fatalf("%v\n%s", err, shown)
		}
		var content map[string]any
		if err := json.Unmarshal([]byte(shown), &content); err != nil {
			t.Fatal(err)
		}
		delete(content, "timestamp")
		text, err := json.MarshalIndent(content, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if out, err := run("init", "-plugin-dir="+mirror); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := plan()

	used, err := ConfigTypes(dir)
	if err != nil {
		t.Fatal(err)
	}
	proxy := startProxy(t, used)
	if reattach = reattachText(t, proxy); len(proxy.schema) > 200<<10 {
		t.Errorf("the schemas of four types take %d bytes", len(proxy.schema))
	}
	if diff := cmp.Diff(want, plan()); diff != "" {
		t.Errorf("the proxy changes the plan (-without +with):\n%s", diff)
	}
	write(strings.Replace(offline, "= 60", "= -1", 1))
	if out, err := run("plan", "-no-color"); err == nil || !strings.Contains(err.Error(), "expected visibility_timeout_seconds to be in the range") {
		t.Errorf("what the provider refuses: %v\n%s", err, out)
	}
	deadline := time.Now().Add(10 * time.Second)
	for len(processes(t)) != 1 {
		if time.Sleep(50 * time.Millisecond); time.Now().After(deadline) {
			t.Fatalf("after three commands, these processes are there, want one for the next: %v", processes(t))
		}
	}
	proxy.Close()
	if children := processes(t); len(children) != 0 {
		t.Errorf("these processes have outlived the proxy: %v", children)
	}
}

func startProxy(t *testing.T, used sets.Set[string]) *Proxy {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(testenv.ProviderMirror(t), source, "*", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("found no provider: %v", err)
	}
	executable, err := Executable(dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := Start(t.Context(), Options{
		Executable: executable, Dir: t.TempDir(), Env: os.Environ(), Types: used,
		Stderr: func() io.Writer { return io.Discard },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	return proxy
}

func reattachText(t *testing.T, p *Proxy) string {
	t.Helper()
	text, err := json.Marshal(tfexec.ReattachInfo{source: p.Reattach()})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// processes are the command lines of this process's children.
func processes(t *testing.T) []string {
	t.Helper()
	stats, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range stats {
		pids, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for pid := range strings.FieldsSeq(string(pids)) {
			command, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
			if err == nil {
				all = append(all, string(command))
			}
		}
	}
	return all
}
