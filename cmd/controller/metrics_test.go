package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/state"
)

// metricsEnv is an API server with the controller's binary, and the test as its runner.
type metricsEnv struct {
	*testing.T
	api                         client.Client
	binary, library, kubeconfig string
	// address is that of the controller's metrics.
	address string
}

// newMetricsEnv builds the binary.
func newMetricsEnv(t *testing.T) *metricsEnv {
	t.Helper()
	dir := t.TempDir()
	e := &metricsEnv{T: t, binary: filepath.Join(dir, "controller"), library: filepath.Join(dir, "modules"), address: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", e.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	must(t, os.MkdirAll(filepath.Join(e.library, "queue"), 0o700))
	must(t, os.WriteFile(filepath.Join(e.library, "queue", "main.tf"), []byte(`output "url" { value = "u" }`), 0o600))
	config, kubeconfig := testenv.Start(t)
	config.QPS = -1
	e.kubeconfig = kubeconfig
	var err error
	e.api, err = client.New(config, client.Options{Scheme: testenv.Scheme(v1alpha1.AddToScheme)})
	must(t, err)
	for _, ns := range []string{systemNamespace, "shop"} {
		must(t, e.api.Create(t.Context(), newNamespace(ns)))
	}
	return e
}

// start runs the binary, with a module queue in a version, and returns what ends it.
func (e *metricsEnv) start(version string) (stop func()) {
	e.Helper()
	must(e.T, os.WriteFile(filepath.Join(e.library, "queue", "module.yaml"), []byte("version: "+version+"\nsummary: For tests\n"), 0o600))
	must(e.T, os.WriteFile(filepath.Join(e.library, "queue", "version.tf"), []byte("# "+version), 0o600))
	cmd := exec.Command(e.binary, "--namespace", systemNamespace, "--modules-dir", e.library, "--runner-image", "bundle", "--max-failed-upgrades=1",
		"--webhook=false", "--log-level=error", "--metrics-bind-address", e.address, "--health-probe-bind-address", "0")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+e.kubeconfig)
	var log bytes.Buffer
	cmd.Stderr = &log
	must(e.T, cmd.Start())
	return func() {
		must(e.T, cmd.Process.Signal(os.Interrupt))
		if err := cmd.Wait(); err != nil || e.Failed() {
			e.Errorf("the controller ends with %v:\n%s", err, log.String())
		}
	}
}

// scrape returns the metrics as Prometheus gets them; empty while there are none.
func (e *metricsEnv) scrape() string {
	e.Helper()
	resp, err := http.Get("http://" + e.address + "/metrics")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		e.Fatalf("scrape: %s, %v: %s", resp.Status, err, text)
	}
	return string(text)
}

// create makes an object of module queue.
func (e *metricsEnv) create(name string, modify func(*v1alpha1.InfrastructureSpec)) *v1alpha1.Infrastructure {
	e.Helper()
	infra := &v1alpha1.Infrastructure{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       v1alpha1.InfrastructureSpec{Module: "queue"},
	}
	if modify != nil {
		modify(&infra.Spec)
	}
	must(e.T, e.api.Create(e.Context(), infra))
	return infra
}

// shows waits until a scrape has all these pieces of lines, and returns it. What the API
// server has comes to the controller's cache a little later.
func (e *metricsEnv) shows(pieces ...string) string {
	e.Helper()
	var text string
	for _, piece := range pieces {
		eventually(e.T, "a metric with "+piece, func() bool {
			text = e.scrape()
			return strings.Contains(text, piece)
		})
	}
	return text
}

// finish waits for a Run of the object, and ends it as its runner does, after ten
// seconds.
func (e *metricsEnv) finish(name string, number int, reason v1alpha1.RunReason, modify func(*v1alpha1.RunStatus)) *v1alpha1.Run {
	e.Helper()
	run := &v1alpha1.Run{}
	key := client.ObjectKey{Namespace: systemNamespace, Name: fmt.Sprintf("%s-%d", state.Key("shop", name), number)}
	eventually(e.T, "the admission of Run "+key.Name, func() bool {
		return e.api.Get(e.Context(), key, run) == nil && run.Status.AdmittedAt != nil
	})
	base := run.DeepCopy()
	started := metav1.NewTime(run.CreationTimestamp.Add(2 * time.Second))
	run.Status.PodUID, run.Status.StartedAt = "1", &started
	if modify != nil {
		modify(&run.Status)
	}
	run.Status.Finish(reason, "", metav1.NewTime(run.CreationTimestamp.Add(10*time.Second)))
	must(e.T, e.api.Status().Patch(e.Context(), run, client.MergeFrom(base)))
	return run
}

// apply lets the object's first Run apply something without resources.
func (e *metricsEnv) apply(name string) *v1alpha1.Run {
	e.Helper()
	key := state.Key("shop", name)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(`{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l", "outputs": {"url": {"type": "string", "value": "u"}}, "resources": []}`))
	must(e.T, err)
	must(e.T, w.Close())
	must(e.T, e.api.Create(e.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: systemNamespace, Name: state.SecretName(key), Annotations: map[string]string{"encoding": "gzip"},
			Labels: map[string]string{"tfstate": "true", "tfstateSecretSuffix": key, "tfstateWorkspace": "default", "app.kubernetes.io/managed-by": "terraform"},
		},
		Data: map[string][]byte{"tfstate": packed.Bytes()},
	}))
	return e.finish(name, 1, v1alpha1.RunReasonSucceeded, applied)
}

// applied is the status of a Run that came to apply its plan.
func applied(s *v1alpha1.RunStatus) {
	at := metav1.NewTime(s.StartedAt.Add(3 * time.Second))
	s.ApplyStartedAt = &at
}

// planned is the status of a Run whose plan is kept.
func planned(s *v1alpha1.RunStatus) {
	s.Plan = &v1alpha1.PlanSummary{ID: "1", Create: 1}
}

// looked lets a look for drift find some, after the Run that has applied the object.
func (e *metricsEnv) looked(name string, first *v1alpha1.Run) {
	e.Helper()
	look := &v1alpha1.Run{ObjectMeta: metav1.ObjectMeta{
		Namespace: systemNamespace, Name: state.Key("shop", name) + "-2", Labels: first.Labels,
	}, Spec: first.Spec}
	look.Spec.Operation, look.Spec.Trigger, look.Spec.Approval = v1alpha1.OperationPlan, v1alpha1.TriggerDrift, ""
	must(e.T, e.api.Create(e.Context(), look))
	e.finish(name, 2, v1alpha1.RunReasonPlanned, planned)
}

// stopped lets the upgrade of the first of two objects fail, so that the other's does not
// begin.
func (e *metricsEnv) stopped(names ...string) {
	e.Helper()
	var first string
	eventually(e.T, "an upgrade", func() bool {
		for _, name := range names {
			if e.api.Get(e.Context(), client.ObjectKey{Namespace: systemNamespace, Name: state.Key("shop", name) + "-2"}, &v1alpha1.Run{}) == nil {
				first = name
			}
		}
		return first != ""
	})
	e.finish(first, 2, v1alpha1.RunReasonApplyFailed, applied)
}

// situations brings about all that a dashboard shows and an alert is about, and returns
// a scrape that has it.
func (e *metricsEnv) situations() string {
	e.Helper()
	e.create("ready", nil)
	e.apply("ready")
	e.create("drifted", nil)
	e.looked("drifted", e.apply("drifted"))
	e.create("approval", func(s *v1alpha1.InfrastructureSpec) { s.Approval = v1alpha1.ApprovalManual })
	e.finish("approval", 1, v1alpha1.RunReasonPlanned, planned)
	e.create("stalled", func(s *v1alpha1.InfrastructureSpec) { s.Module = "missing" })
	e.create("running", nil)
	for name, reason := range map[string]v1alpha1.RunReason{"broken": v1alpha1.RunReasonApplyFailed, "image": v1alpha1.RunReasonImagePullFailed} {
		e.create(name, nil)
		e.finish(name, 1, reason, applied)
	}
	must(e.T, e.api.Create(e.Context(), &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: state.LeaseName(state.Key("shop", "locked"))},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: ptr.To("somebody")},
	}))
	e.create("locked", nil)
	deleted := e.create("deleted", func(s *v1alpha1.InfrastructureSpec) { s.DeletionPolicy = v1alpha1.DeletionPolicyProtect })
	e.apply("deleted")
	suspend := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"suspend": true}}`))
	must(e.T, e.api.Patch(e.Context(), deleted, suspend))
	must(e.T, e.api.Delete(e.Context(), deleted))
	return e.shows(succeeded(3), `reason="UpgradeStopped"`, `groundwork_queue_length{class="Change"} 0`, `condition="Drifted"`, `groundwork_approval_requested`, `condition="Stalled"`,
		`groundwork_runs_under_way`, ended("Plan", v1alpha1.RunReasonPlanned, v1alpha1.TriggerDrift, 1),
		ended("Apply", v1alpha1.RunReasonApplyFailed, v1alpha1.TriggerChange, 1),
		ended("Apply", v1alpha1.RunReasonApplyFailed, v1alpha1.TriggerUpgrade, 1),
		ended("Apply", v1alpha1.RunReasonImagePullFailed, v1alpha1.TriggerChange, 1),
		`reason="Locked"`, `groundwork_infrastructures_suspended`, `groundwork_deletion_requested`)
}

// succeeded is the line that counts the runs that have applied something.
func succeeded(runs int) string {
	return ended(v1alpha1.OperationApply, v1alpha1.RunReasonSucceeded, v1alpha1.TriggerChange, runs)
}

func ended(operation v1alpha1.Operation, outcome v1alpha1.RunReason, trigger v1alpha1.RunTrigger, runs int) string {
	return fmt.Sprintf("groundwork_runs_total{module=\"queue\",operation=%q,outcome=%q,trigger=%q} %d\n", operation, outcome, trigger, runs)
}

// Every query of the dashboard, and what every alert compares, has data in a Prometheus
// that scrapes the controller's binary.
func TestMetrics_queries(t *testing.T) {
	e := newMetricsEnv(t)
	stop := e.start("0.9.0")
	eventually(t, "a scrape", func() bool { return e.scrape() != "" })
	before := []string{"before-a", "before-b"}
	for _, name := range before {
		e.create(name, nil)
		e.apply(name)
	}
	e.shows(`reason="InSync",status="True"} 2`)
	stop()
	t.Cleanup(e.start("1.0.0"))
	eventually(t, "a scrape of the next controller", func() bool { return e.scrape() != "" })
	e.stopped(before...)
	begin := time.Now()
	scrapes := []scraped{{begin, e.situations()}}
	// Rates need something that happens between two scrapes.
	e.create("second", nil)
	e.apply("second")
	scrapes = append(scrapes, scraped{begin.Add(time.Minute), e.shows(succeeded(4))})
	for _, a := range askPrometheus(t, scrapes, append(dashboardQueries(t), alertQueries(t)...)) {
		if a.Error != "" || a.Data == 0 {
			t.Errorf("no data (%s): %s", a.Error, a.Query)
		}
	}
}
