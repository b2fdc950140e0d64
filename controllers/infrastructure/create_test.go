package infrastructure

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/state"
)

func TestReconciler_create(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()

	run := runName(e.key(), 1)
	want := []string{"patch Infrastructure orders", "create Secret " + run, "create Run " + run, "patch status Infrastructure orders"}
	if diff := cmp.Diff(want, e.api.writes); diff != "" {
		t.Errorf("writes, -want +got:\n%s", diff)
	}
	if !controllerutil.ContainsFinalizer(e.object(), v1alpha1.Finalizer) {
		t.Error("there is no finalizer")
	}
	e.want(v1alpha1.ReasonProgressing, "queue")
	got := e.last()
	wantSpec := v1alpha1.RunSpec{
		Infrastructure: v1alpha1.InfrastructureReference{Namespace: e.namespace, Name: "orders", UID: e.object().UID, Generation: 1},
		Operation:      v1alpha1.OperationApply,
		Module:         got.Spec.Module,
		InputsDigest:   got.Spec.InputsDigest,
		Trigger:        v1alpha1.TriggerChange,
		Approval:       v1alpha1.ApprovalOnDestructive,
		Timeout:        metav1.Duration{Duration: 30 * time.Minute},
	}
	if diff := cmp.Diff(wantSpec, got.Spec); diff != "" {
		t.Errorf("spec of the Run, -want +got:\n%s", diff)
	}
	req := e.request(got)
	if string(req.Variables) != `{"name":"orders"}` || req.Snapshot != state.SnapshotName(e.key()) || len(req.Files) == 0 ||
		req.Module.Name != "queue" || req.Module.Version != "1.2.0" || req.InputsDigest != got.Spec.InputsDigest {
		t.Errorf("the request is %+v", req)
	}
	if diff := cmp.Diff([]string{"password"}, req.Sensitive); diff != "" {
		t.Errorf("sensitive variables, -want +got:\n%s", diff)
	}
}

func TestReconciler_createOnce(t *testing.T) {
	for _, tc := range []struct {
		name string
		// between goes on between the first reconcile and the second.
		between func(e *env)
		// writes are those of the second one.
		writes []string
	}{
		{"A run that is pending is not started again.", func(*env) {}, []string{"patch status Infrastructure orders"}},
		{"A run that the cache does not know yet is not started again.", func(e *env) { e.api.runs = &v1alpha1.RunList{} }, nil},
		{"A run that the cache does not know yet, whose request was removed since, is not started again.", func(e *env) {
			e.api.runs = &v1alpha1.RunList{}
			e.succeed(queueOutputs())
		}, nil},
		{"The pod of a run that the cache does not know yet is left alone.", func(e *env) {
			e.api.runs = &v1alpha1.RunList{}
			e.newPod(e.last())
			e.take(e.last())
		}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.create()
			e.reconcile()
			tc.between(e)
			e.api.forgetWrites()
			e.reconcile()
			if diff := cmp.Diff(tc.writes, e.api.writes); diff != "" {
				t.Errorf("writes, -want +got:\n%s", diff)
			}
			e.wantRuns(1)
			e.want(v1alpha1.ReasonProgressing)
		})
	}
}

// A start that breaks off anywhere is taken up again: one Run, with its own
// request.
func TestReconciler_createInterrupted(t *testing.T) {
	for _, done := range []bool{false, true} {
		for n := range 4 {
			e := newEnv(t)
			e.create()
			e.api.fail = func(i int, _ string) (bool, bool) { return i == n, done }
			if _, err := e.tryReconcile(); err == nil {
				t.Fatalf("write %d has not failed: %q", n, e.api.writes)
			}
			e.api.fail = nil
			// What is wanted changes meanwhile: a request that was left must not be used.
			e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"changed"`) })
			for range 3 {
				e.reconcile()
			}
			current := slices.DeleteFunc(e.runs(), func(r v1alpha1.Run) bool { return r.Status.Reason == v1alpha1.RunReasonSuperseded })
			if len(current) != 1 {
				t.Fatalf("write %d failed (done: %t): there are %d Runs", n, done, len(current))
			}
			if req := e.request(&current[0]); string(req.Variables) != `{"name":"changed"}` || req.InputsDigest != current[0].Spec.InputsDigest {
				t.Errorf("write %d failed (done: %t): the request has %s", n, done, req.Variables)
			}
			if secrets := requestsOf(e); len(secrets) != 1 {
				t.Errorf("write %d failed (done: %t): there are the requests %q", n, done, secrets)
			}
		}
	}
}

// requestsOf names the Secrets in the system namespace.
func requestsOf(e *env) []string {
	var names []string
	for _, secret := range list(e.Context(), e.T, &corev1.SecretList{}, e.system).Items {
		names = append(names, secret.Name)
	}
	return names
}

func TestReconciler_ready(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	e.take(e.last())
	e.reconcile()
	e.want(v1alpha1.ReasonProgressing, "Planning")
	if e.object().Status.Module != nil {
		t.Error("a module is told to be applied before anything was")
	}
	e.begin(e.last())
	e.reconcile()
	if got := e.object().Status; got.Module == nil || got.Module.Name != "queue" || got.Run == nil || got.Run.Phase != v1alpha1.RunApplying {
		t.Errorf("status is %+v", got)
	}
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonInSync, "Applied queue 1.2.0")
	e.wantEvent(v1alpha1.ReasonInSync)

	secret := e.secret("orders")
	if secret == nil {
		t.Fatal("there is no output Secret")
	}
	wantData := map[string][]byte{"url": []byte("https://queue"), "port": []byte("5432")}
	if diff := cmp.Diff(wantData, secret.Data); diff != "" {
		t.Errorf("data, -want +got:\n%s", diff)
	}
	if !metav1.IsControlledBy(secret, e.object()) {
		t.Errorf("the output Secret has the owners %v", secret.OwnerReferences)
	}
	wantLabels := map[string]string{"app.kubernetes.io/managed-by": "groundwork", "reconcile.fluxcd.io/watch": "Enabled"}
	if diff := cmp.Diff(wantLabels, secret.Labels); diff != "" {
		t.Errorf("labels of the output Secret, -want +got:\n%s", diff)
	}
	got := e.object().Status
	wantStatus := v1alpha1.InfrastructureStatus{
		ObservedGeneration: 1,
		Conditions:         got.Conditions,
		Module:             &v1alpha1.AppliedModule{ModuleReference: v1alpha1.ModuleReference{Name: "queue", Version: "1.2.0", Digest: got.Module.Digest}, Available: "1.2.0"},
		Outputs:            &v1alpha1.OutputsStatus{SecretName: "orders", Keys: []string{"port", "url"}, Checksum: checksum(wantData)},
		Binding:            &v1alpha1.NameReference{Name: "orders"},
		Resources:          1,
		History:            got.History,
	}
	if diff := cmp.Diff(wantStatus, got); diff != "" {
		t.Errorf("status, -want +got:\n%s", diff)
	}
	if len(got.History) != 1 || got.History[0].Outcome != v1alpha1.RunReasonSucceeded || !strings.HasSuffix(got.History[0].Run, "-1") {
		t.Errorf("history is %+v", got.History)
	}
}

func TestReconciler_noop(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.api.forgetWrites()
	for range 3 {
		if result := e.reconcile(); result.RequeueAfter < 30*time.Minute {
			t.Errorf("result is %+v, want nothing more to do before it is time to look for drift", result)
		}
	}
	if len(e.api.writes) > 0 {
		t.Errorf("writes are %q, want none", e.api.writes)
	}
}

func TestReconciler_change(t *testing.T) {
	rename := func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"changed"`) }
	for _, tc := range []struct {
		name   string
		before func(e *env)
		change func(*v1alpha1.Infrastructure)
		// runs is how many there are after some reconciles, the last of them with the
		// variables.
		runs      int
		variables string
	}{
		{"A change of an applied object is applied.", func(e *env) { e.succeed(queueOutputs()) }, rename, 2, `{"name":"changed"}`},
		{"A change before a pod has taken the run starts over.", func(*env) {}, rename, 1, `{"name":"changed"}`},
		{"A change after a pod has taken the run waits.", func(e *env) { e.take(e.last()) }, rename, 1, `{"name":"orders"}`},
		{"A change of nothing that the run depends on starts nothing.", func(e *env) { e.succeed(queueOutputs()) },
			func(i *v1alpha1.Infrastructure) { i.Spec.Outputs.SecretName = "other" }, 1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.create()
			e.reconcile()
			tc.before(e)
			e.update(tc.change)
			for range 3 {
				e.reconcile()
			}
			e.wantRuns(tc.runs)
			if tc.variables != "" && string(e.request(e.last()).Variables) != tc.variables {
				t.Errorf("the newest run has the variables %s, want %s", e.request(e.last()).Variables, tc.variables)
			}
		})
	}
}

// A Run that is discarded keeps its number, so that a pod that was about to take it
// finds it finished rather than another one of its name.
func TestReconciler_discard(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	first := e.last()
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"changed"`) })
	e.reconcile()
	discarded := e.last()
	if discarded.UID != first.UID || discarded.Status.Phase != v1alpha1.RunFailed || discarded.Status.Reason != v1alpha1.RunReasonSuperseded {
		t.Errorf("the first run is %+v", discarded.Status)
	}
	e.reconcile()
	if got := e.last().Name; got != runName(e.key(), 2) {
		t.Errorf("the next run is %s, want number 2", got)
	}
	e.wantRuns(1)
	if secrets := requestsOf(e); len(secrets) != 1 || secrets[0] != e.last().Name {
		t.Errorf("there are the Secrets %q, want the request of the second run", secrets)
	}
	e.succeed(queueOutputs())
	e.reconcile()
	if history := e.object().Status.History; len(history) != 1 {
		t.Errorf("history is %+v: a run that nobody carried out is none", history)
	}
}

// A pod takes the Run while the controller, which does not know, discards it.
func TestReconciler_discardTaken(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	e.must(e.api.freezeRuns(t.Context(), e.system))
	e.take(e.last())
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"changed"`) })
	e.reconcileBehind()
	if got := e.last().Status; got.Phase != v1alpha1.RunPlanning {
		t.Errorf("the run is %+v, want it to go on", got)
	}
}

func TestReconciler_prune(t *testing.T) {
	e := newEnv(t)
	e.ready()
	for n := range 15 {
		e.update(func(i *v1alpha1.Infrastructure) {
			i.Spec.Variables = values("name", `"changed"`, "size", string(rune('1'+n%9)))
		})
		e.reconcile()
		e.fail(v1alpha1.RunReasonPlanFailed)
	}
	runs := e.runs()
	if len(runs) != keptRuns+2 || runNumber(&runs[len(runs)-1]) != 1 {
		t.Errorf("%d runs are kept, the oldest of them number %d; want %d and the one that says what is applied, number 1",
			len(runs), runNumber(&runs[len(runs)-1]), keptRuns+1)
	}
}

// A module need not have outputs: its object has an empty Secret.
func TestReconciler_noOutputs(t *testing.T) {
	e := newEnv(t)
	e.create(func(i *v1alpha1.Infrastructure) { i.Spec = v1alpha1.InfrastructureSpec{Module: "grant"} })
	e.reconcile()
	e.succeed(nil)
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
}
