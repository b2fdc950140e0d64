package terraform

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// slow makes one resource at once and one that takes its time.
const slow = `
variable "sleep" { default = "env" } # env sleep 60
variable "seconds" { default = 60 }
resource "terraform_data" "quick" {}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.quick]
  provisioner "local-exec" {
    interpreter = [var.sleep, "sleep"]
    command     = var.seconds
  }
}
`

func (f *fixture) slowRequest(seconds int) *runner.Request {
	return f.request(map[string]string{"main.tf": slow},
		withVariables(fmt.Sprintf(`{"seconds": %d}`, seconds)))
}

func withTimeout(d time.Duration) func(*v1alpha1.Run) {
	return func(r *v1alpha1.Run) { r.Spec.Timeout = metav1.Duration{Duration: d} }
}

// wantSlowStopped fails unless the state has what was made and no lock is held.
func (f *fixture) wantSlowStopped(o outcome) {
	f.Helper()
	if got := strings.Join(f.addresses(), " "); got != "terraform_data.quick terraform_data.slow" {
		f.Errorf("want both resources in the state, got %s", got)
	}
	for _, r := range f.state().Resources {
		if r.Name == "slow" && r.Instances[0].Status != "tainted" {
			f.Errorf("want the interrupted resource tainted, got %+v", r)
		}
	}
	if id := f.lockHolder(); id != "" {
		f.Errorf("the lock %s is still held", id)
	}
	if o.run.Status.ApplyStartedAt == nil || !o.result.ApplyStarted {
		f.Error("the run does not say that the apply had started")
	}
}

func TestRunner_Run_signal(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start := time.Now()
	o := f.execute(ctx, f.run("signal", f.slowRequest(60)), when("Provisioning with", cancel))
	f.wantReason(o, v1alpha1.RunReasonInterrupted)
	f.wantSlowStopped(o)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("Terraform was not interrupted: it took %s", took)
	}
}

func TestRunner_Run_timeout(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	start := time.Now()
	o := f.execute(t.Context(), f.run("timeout", f.slowRequest(60), withTimeout(6*time.Second)))
	f.wantReason(o, v1alpha1.RunReasonTimedOut)
	f.wantSlowStopped(o)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("the timeout was not kept: it took %s", took)
	}
	if !strings.Contains(o.run.Status.Message, "6s") {
		t.Errorf("the message does not name the timeout: %s", o.run.Status.Message)
	}
}

// TestRunner_Run_progress checks that the status shows what is under way.
func TestRunner_Run_progress(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	cfg := f.run("progress", f.slowRequest(4))
	done := make(chan outcome)
	go func() { done <- f.execute(t.Context(), cfg) }()
	want := "Applying 2 of 2: terraform_data.slow"
	seen := false
	for {
		select {
		case o := <-done:
			f.wantReason(o, v1alpha1.RunReasonSucceeded)
			if !seen {
				t.Errorf("the status never had the message %q", want)
			}
			return
		case <-time.After(200 * time.Millisecond):
			run := &v1alpha1.Run{}
			if err := f.client.Get(t.Context(), cfg.Run, run); err != nil {
				t.Fatal(err)
			}
			seen = seen || run.Status.Message == want && run.Status.Phase == v1alpha1.RunApplying && run.Status.Plan.Create == 2
		}
	}
}

// TestRunner_Run_killed kills Terraform as the kernel does when memory runs out.
func TestRunner_Run_killed(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	cfg := f.run("killed", f.slowRequest(60))
	o := f.execute(t.Context(), cfg, when("Provisioning with", func() { killTerraform(t, cfg) }))
	f.wantReason(o, v1alpha1.RunReasonOutOfMemory)
	if !strings.Contains(o.run.Status.Message, "1Gi") {
		t.Errorf("the message does not name the memory limit: %s", o.run.Status.Message)
	}
	if id := f.lockHolder(); id != "" {
		t.Errorf("the runner has not released the lock %s of its dead Terraform", id)
	}
}

// TestRunner_Run_providerKilled has the kernel count a kill, and an apply fail.
func TestRunner_Run_providerKilled(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	req := f.request(map[string]string{"main.tf": slow}, withVariables(`{"sleep": "/nonexistent"}`))
	cfg := f.run("provider", req)
	o := f.execute(t.Context(), cfg, when("Creating...", func() {
		if err := os.WriteFile(cfg.MemoryEvents, []byte("low 0\noom 1\noom_kill 1\n"), 0o600); err != nil {
			t.Error(err)
		}
	}))
	f.wantReason(o, v1alpha1.RunReasonOutOfMemory)
}

// killTerraform kills the Terraform that runs in the config's working directory.
func killTerraform(t *testing.T, cfg Config) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		exe, _ := os.Readlink(filepath.Join(filepath.Dir(link), "exe"))
		if cwd, _ := os.Readlink(link); cwd != cfg.path(moduleDir) || filepath.Base(exe) != "terraform" {
			continue
		}
		if err := exec.Command("kill", "-KILL", filepath.Base(filepath.Dir(link))).Run(); err != nil {
			t.Error(err)
		}
		return
	}
	t.Error("no Terraform to kill")
}

func TestRunner_Run_locked(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	f.hold(lockInfo{ID: "5f0c", Operation: "OperationTypeApply", Who: "ann@laptop", Created: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)})
	o := f.execute(t.Context(), f.run("locked", f.slowRequest(1)))
	f.wantReason(o, v1alpha1.RunReasonLocked)
	for _, want := range []string{"ann@laptop", "2026-01-02T03:04:05Z", "5f0c"} {
		if !strings.Contains(o.run.Status.Message, want) {
			t.Errorf("the message does not name %s: %s", want, o.run.Status.Message)
		}
	}
	if o.run.Status.ApplyStartedAt != nil {
		t.Error("the run says that the apply had started")
	}
	if id := f.lockHolder(); id != "5f0c" {
		t.Errorf("want the lock left alone, its holder is %q", id)
	}
}

// hold takes the state's lock as another Terraform would.
func (f *fixture) hold(info lockInfo) {
	f.Helper()
	annotation, err := json.Marshal(info)
	if err != nil {
		f.Fatal(err)
	}
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: f.namespace, Name: "lock-tfstate-default-test",
			Annotations: map[string]string{lockInfoAnnotation: string(annotation)},
		},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: ptr.To(info.ID)},
	}
	if err := f.client.Create(f.Context(), lease); err != nil {
		f.Fatal(err)
	}
}

func TestRunner_Run_notTaken(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	cases := map[string]struct {
		reason string
		status v1alpha1.RunStatus
	}{
		"other":    {"A run that another pod has is left alone.", v1alpha1.RunStatus{Phase: v1alpha1.RunApplying, PodUID: "another"}},
		"finished": {"A run that the controller has given up is left alone.", v1alpha1.RunStatus{Phase: v1alpha1.RunFailed, Reason: v1alpha1.RunReasonPodNotStarted}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f.T = t
			cfg := f.run(name, f.slowRequest(1))
			run := &v1alpha1.Run{}
			if err := f.client.Get(t.Context(), cfg.Run, run); err != nil {
				t.Fatal(err)
			}
			run.Status = tc.status
			if err := f.client.Status().Update(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			o := f.execute(t.Context(), cfg)
			if o.code != runner.ExitNotTaken || o.run.ResourceVersion != run.ResourceVersion {
				t.Errorf("%s\nwant exit code %d and no write, got %d and %+v", tc.reason, runner.ExitNotTaken, o.code, o.run.Status)
			}
			if f.secret("tfstate-default-test") != nil {
				t.Errorf("%s\nTerraform was started", tc.reason)
			}
		})
	}
}

func TestRunner_Run_gone(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	cfg := f.run("gone", f.slowRequest(1))
	cfg.Run = types.NamespacedName{Namespace: f.namespace, Name: "other"}
	log := &watchedLog{}
	if code := New(cfg, f.client, log).Run(t.Context()); code != runner.ExitNotTaken {
		t.Errorf("want exit code %d for a run that is gone, got %d\n%s", runner.ExitNotTaken, code, &log.buffer)
	}
}

// TestRunner_Run_failures are runs that end before or while they change anything.
func TestRunner_Run_failures(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	main := func(s string) map[string]string { return map[string]string{"main.tf": s} }
	cases := map[string]struct {
		reason  string
		request *runner.Request
		run     func(*v1alpha1.Run)
		config  func(*Config)
		want    v1alpha1.RunReason
		message string
	}{
		"request": {
			reason: "A request that is not the run's is refused.",
			run:    func(r *v1alpha1.Run) { r.Spec.InputsDigest = "sha256:2" },
			want:   v1alpha1.RunReasonInvalidRequest, message: "the request has the inputs sha256:1, the run sha256:2",
		},
		"unreadable": {
			reason: "A request that is not there is refused.",
			config: func(c *Config) { c.RequestDir = t.TempDir() },
			want:   v1alpha1.RunReasonInvalidRequest, message: `no key "request.json"`,
		},
		"traversal": {
			reason:  "A module's file outside of the module is refused.",
			request: f.request(map[string]string{"../evil.tf": ""}),
			want:    v1alpha1.RunReasonInitFailed, message: "evil.tf",
		},
		"shadow": {
			reason:  "A module's file of the runner's own name is refused.",
			request: f.request(map[string]string{"./" + backendFile: "{}"}),
			want:    v1alpha1.RunReasonInitFailed, message: "the runner's own",
		},
		"old": {
			reason: "An old Terraform is refused.",
			config: func(c *Config) { c.TerraformBinary = script(t, `echo '{"terraform_version": "1.8.5"}'`) },
			want:   v1alpha1.RunReasonInitFailed, message: "Terraform 1.8.5: the modules need 1.9.0 or newer",
		},
		"missing": {
			reason: "A Terraform that is not there is named.",
			config: func(c *Config) { c.TerraformBinary = "/nonexistent/terraform" },
			want:   v1alpha1.RunReasonInitFailed, message: "/nonexistent/terraform",
		},
		"provider": {
			reason:  "A provider that the bundle does not have is named.",
			request: f.request(main(`resource "random_pet" "this" {}`)),
			want:    v1alpha1.RunReasonInitFailed, message: "hashicorp/random",
		},
		"plan": {
			reason:  "A plan that fails says why and where.",
			request: f.request(main(`resource "terraform_data" "this" { input = "x" == 1 ? 1 : error }`)),
			want:    v1alpha1.RunReasonPlanFailed, message: "Invalid reference",
		},
		"snapshot": {
			reason:  "What a destroy could not find again is not made.",
			request: f.request(main(counted), withVariables(`{"n": 1}`), func(r *runner.Request) { r.Labels = map[string]string{"a/b/c": "d"} }),
			want:    v1alpha1.RunReasonSnapshotFailed, message: "write the snapshot snapshot",
		},
		"apply": {
			reason:  "An apply that fails names the resource.",
			request: f.request(main(slow), withVariables(`{"sleep": "/nonexistent/sleep"}`)),
			want:    v1alpha1.RunReasonApplyFailed, message: "terraform_data.slow",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, server.Config, server.Kubeconfig)
			if tc.request == nil {
				tc.request = f.request(main(counted), withVariables(`{"n": 1}`))
			}
			tc.request.Backend = f.request(nil).Backend
			modify := []func(*v1alpha1.Run){}
			if tc.run != nil {
				modify = append(modify, tc.run)
			}
			cfg := f.run(name, tc.request, modify...)
			if tc.config != nil {
				tc.config(&cfg)
			}
			o := f.execute(t.Context(), cfg)
			f.wantReason(o, tc.want)
			if !strings.Contains(o.run.Status.Message, tc.message) {
				t.Errorf("%s\nwant %q in the message, got %q", tc.reason, tc.message, o.run.Status.Message)
			}
			if started := o.run.Status.ApplyStartedAt != nil; started != (tc.want == v1alpha1.RunReasonApplyFailed) {
				t.Errorf("%s\nthe run says that the apply had started: %v", tc.reason, started)
			}
		})
	}
}

// script writes an executable shell script.
func script(t *testing.T, body string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRunner_Run_childModule needs the init that the runner otherwise spares.
func TestRunner_Run_childModule(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	o := f.execute(t.Context(), f.run("child", f.request(map[string]string{
		"main.tf":       `module "child" { source = "./child" }`,
		"child/main.tf": `resource "terraform_data" "this" {}`,
	})))
	f.wantReason(o, v1alpha1.RunReasonSucceeded)
	if got := strings.Join(f.addresses(), " "); got != "terraform_data.this" {
		t.Errorf("want the child module's resource in the state, got %s", got)
	}
	if len(o.run.Status.Diagnostics) != 0 {
		t.Errorf("want no diagnostics of the plan that asked for the init, got %v", o.run.Status.Diagnostics)
	}
}
