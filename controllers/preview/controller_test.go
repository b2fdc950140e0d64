package preview

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// A Preview has its plan made, shows it, leaves nothing in the system namespace, and goes
// when its time is over.
func TestReconciler(t *testing.T) {
	e := newEnv(t)
	p := e.create()
	e.reconcile()
	e.want(metav1.ConditionUnknown, v1alpha1.ReasonProgressing, "Waiting for the runner pod")
	run := e.run()
	wantSpec := v1alpha1.RunSpec{
		Infrastructure: v1alpha1.InfrastructureReference{Namespace: e.namespace, Name: "orders"},
		Operation:      v1alpha1.OperationPlan,
		Trigger:        v1alpha1.TriggerPreview,
		Module:         run.Spec.Module,
		InputsDigest:   run.Spec.InputsDigest,
		Timeout:        metav1.Duration{Duration: 30 * time.Minute},
	}
	if diff := cmp.Diff(wantSpec, run.Spec); diff != "" {
		t.Errorf("the Run's spec, -want +got:\n%s", diff)
	}
	if key := run.Labels[v1alpha1.LabelKey]; key != "" || run.Labels[v1alpha1.LabelPreview] != string(p.UID) {
		t.Errorf("the Run's labels are %v: it would be taken for one of the object's", run.Labels)
	}
	if key := state.Key(e.namespace, "orders"); run.Name[:strings.LastIndex(run.Name, "-")] == key || len(run.Name) > 63 {
		t.Errorf("the Run's name is %s: its pod could write to the state", run.Name)
	}
	secret := &corev1.Secret{}
	e.must(apiServer.Get(t.Context(), client.ObjectKeyFromObject(run), secret))
	if req, err := runner.ParseRequest(secret.Data); err != nil || req.Operation != v1alpha1.OperationPlan || string(req.Variables) != `{"name":"orders"}` {
		t.Errorf("the request is %+v, %v", req, err)
	}

	run.Status.Phase, run.Status.PodUID, run.Status.Message = v1alpha1.RunPlanning, "1", "Planning"
	e.must(apiServer.Status().Update(t.Context(), run))
	e.reconcile()
	e.want(metav1.ConditionUnknown, v1alpha1.ReasonProgressing, "Planning")

	e.finish(v1alpha1.RunReasonPlanned, "Plan: 1 to create", "+ terraform_data.this")
	e.reconcile()
	e.want(metav1.ConditionTrue, v1alpha1.ReasonPlanned, "Plan: 1 to create")
	if got := e.preview().Status; got.Plan == nil || got.Plan.Create != 1 || got.Module == nil || got.Module.Version != "1.2.0" || got.Run != nil {
		t.Errorf("the status is %+v", got)
	}
	if got := e.diff(); got != "+ terraform_data.this" {
		t.Errorf("the diff is %q", got)
	}
	e.reconcile()
	if left := e.left(); len(left) > 0 || len(e.preview().Finalizers) > 0 {
		t.Errorf("left behind: %q, finalizers %q", left, e.preview().Finalizers)
	}
	e.api.writes = nil
	if result := e.reconcile(); result.RequeueAfter != time.Hour || len(e.api.writes) > 0 {
		t.Errorf("an ended Preview has the result %+v and the writes %q", result, e.api.writes)
	}
	e.clock.SetTime(e.clock.Now().Add(time.Hour))
	e.reconcile()
	if e.preview() != nil {
		t.Error("the Preview is still there when its time is over")
	}
}

// What cannot be planned is said, and no Run is made for it.
func TestReconciler_refused(t *testing.T) {
	raw := func(s string) apiextensionsv1.JSON { return apiextensionsv1.JSON{Raw: []byte(s)} }
	other := func(e *env, modify ...func(*v1alpha1.Infrastructure)) *v1alpha1.Infrastructure {
		infra := &v1alpha1.Infrastructure{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "orders"}, Spec: queue()}
		for _, m := range modify {
			m(infra)
		}
		e.must(apiServer.Create(e.Context(), infra))
		return infra
	}
	for _, tc := range []struct {
		name   string
		before func(e *env)
		modify func(*v1alpha1.InfrastructureSpec)
		reason string
		fields []string
		parts  []string
	}{
		{"All faults of the variables.", nil, func(s *v1alpha1.InfrastructureSpec) {
			s.Variables = map[string]apiextensionsv1.JSON{"size": raw(`"big"`), "sise": raw("1")}
		}, v1alpha1.ReasonInvalidVariables, []string{"spec.variables", "spec.variables[sise]", "spec.variables[size]"}, nil},
		{"An unknown module.", nil, func(s *v1alpha1.InfrastructureSpec) { s.Module = "queues" },
			v1alpha1.ReasonModuleNotFound, []string{"spec.module"}, []string{`did you mean "queue"?`}},
		{"A Secret that is not there.", nil, func(s *v1alpha1.InfrastructureSpec) {
			s.VariablesFrom = []v1alpha1.VariablesSource{{SecretRef: &v1alpha1.NameReference{Name: "nothing"}}}
		}, v1alpha1.ReasonInputMissing, nil, []string{"it cannot be planned now: ", `Secret "nothing"`}},
		{"A dependency that is not there.", nil, func(s *v1alpha1.InfrastructureSpec) {
			s.DependsOn = []v1alpha1.NameReference{{Name: "nothing"}}
		}, v1alpha1.ReasonDependencyNotReady, nil, []string{"it cannot be planned now: ", `Infrastructure "nothing"`}},
		{"Another module than the one that is applied.", func(e *env) {
			infra := other(e)
			e.must(apiServer.Create(e.Context(), &v1alpha1.Run{
				ObjectMeta: metav1.ObjectMeta{Namespace: e.system, Name: "orders-1", Labels: map[string]string{v1alpha1.LabelKey: state.Key(e.namespace, "orders")}},
				Spec: v1alpha1.RunSpec{
					Infrastructure: v1alpha1.InfrastructureReference{Namespace: e.namespace, Name: "orders", UID: infra.UID}, Operation: v1alpha1.OperationApply,
					Module: v1alpha1.ModuleReference{Name: "topic"},
				},
				Status: v1alpha1.RunStatus{Phase: v1alpha1.RunSucceeded},
			}))
			run := &v1alpha1.Run{}
			e.must(apiServer.Get(e.Context(), client.ObjectKey{Namespace: e.system, Name: "orders-1"}, run))
			run.Status.Finish(v1alpha1.RunReasonSucceeded, "", metav1.Now())
			e.must(apiServer.Status().Update(e.Context(), run))
		}, func(*v1alpha1.InfrastructureSpec) {}, v1alpha1.ReasonModuleChanged, []string{"spec.module"}, []string{"topic is applied"}},
		{"An object that is being deleted.", func(e *env) {
			e.must(apiServer.Delete(e.Context(), other(e, func(i *v1alpha1.Infrastructure) { i.Finalizers = []string{v1alpha1.Finalizer} })))
		}, func(*v1alpha1.InfrastructureSpec) {}, v1alpha1.ReasonDestroying, nil, []string{"is being deleted"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			if tc.before != nil {
				tc.before(e)
			}
			left := e.left()
			e.create(tc.modify)
			e.reconcile()
			e.want(metav1.ConditionFalse, tc.reason, tc.parts...)
			var fields []string
			for _, fault := range e.preview().Status.Faults {
				fields = append(fields, fault.Field)
			}
			slices.Sort(fields)
			if diff := cmp.Diff(tc.fields, fields); diff != "" {
				t.Errorf("faults, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(left, e.left()); diff != "" || len(e.preview().Finalizers) > 0 {
				t.Errorf("something was made, finalizers %q, -before +after:\n%s", e.preview().Finalizers, diff)
			}
		})
	}
}

// A run that fails, or that somebody takes away, ends the Preview; what was made of the
// plan is shown.
func TestReconciler_failed(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	e.finish(v1alpha1.RunReasonPolicyDenied, "policy x denies the plan", "+ terraform_data.this")
	e.reconcile()
	e.want(metav1.ConditionFalse, v1alpha1.ReasonPolicyDenied, "policy x")
	if e.diff() == "" || e.preview().Status.Plan == nil {
		t.Error("the plan that is denied is not shown")
	}
	e.reconcile()
	if left := e.left(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}

	e = newEnv(t)
	e.create()
	e.reconcile()
	e.must(apiServer.Delete(t.Context(), e.run()))
	e.reconcile()
	e.want(metav1.ConditionFalse, v1alpha1.ReasonPlanFailed, "is gone")
	e.reconcile()
	if left := e.left(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A Preview that is deleted takes along what is in the system namespace, and needs its own
// namespace for nothing.
func TestReconciler_deleted(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	e.must(apiServer.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.namespace}}))
	e.must(apiServer.Delete(t.Context(), e.preview()))
	e.reconcile()
	if left := e.left(); len(left) > 0 || e.preview() != nil {
		t.Errorf("left behind: %q, the Preview %+v", left, e.preview())
	}
}

// A namespace that is being deleted takes no Secret; its Preview waits to be deleted too.
func TestReconciler_namespaceTerminating(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	e.must(apiServer.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.namespace}}))
	e.finish(v1alpha1.RunReasonPlanned, "Plan: 1 to create", "+ terraform_data.this")
	for range 2 {
		if result := e.reconcile(); result.RequeueAfter != soon {
			t.Errorf("the result is %+v", result)
		}
	}
	e.must(apiServer.Delete(t.Context(), e.preview()))
	e.reconcile()
	if left := e.left(); len(left) > 0 || e.preview() != nil {
		t.Errorf("left behind: %q, the Preview %+v", left, e.preview())
	}
}

// A cache that is behind starts no second Run, and takes no end back.
func TestReconciler_staleCache(t *testing.T) {
	e := newEnv(t)
	e.create()
	before := e.preview()
	e.api.noRuns = true
	e.reconcile()
	name := e.run().Name
	e.api.stale = before
	e.reconcile()
	if got := e.run().Name; got != name {
		t.Errorf("another Run was made: %s", got)
	}

	e.api.noRuns, e.api.stale = false, nil
	underWay := e.preview()
	e.finish(v1alpha1.RunReasonSucceeded, "No changes", "No changes.")
	e.reconcile()
	e.reconcile()
	e.want(metav1.ConditionTrue, v1alpha1.ReasonNoChanges)
	for _, stale := range []*v1alpha1.Preview{before, underWay} {
		e.api.stale = stale
		e.reconcile()
		e.want(metav1.ConditionTrue, v1alpha1.ReasonNoChanges)
		if left := e.left(); len(left) > 0 {
			t.Errorf("a Run was made for what has ended: %q", left)
		}
	}
}

// Whichever write fails, or is done without an answer, one Run is made and nothing stays.
func TestReconciler_crashes(t *testing.T) {
	// life takes a Preview through all it does; each write may be its last.
	life := func(e *env) {
		e.create()
		reported := false
		for range 20 {
			if _, err := e.tryReconcile(); err != nil && !errors.Is(err, errInjected) {
				e.Fatal(err)
			}
			if runs := e.runs(); len(runs) == 1 && !reported && e.preview().Status.Run != nil {
				reported = true
				e.finish(v1alpha1.RunReasonPlanned, "Plan: 1 to create", "+ terraform_data.this")
			}
		}
	}
	e := newEnv(t)
	life(e)
	writes := slices.Clone(e.api.writes)
	if len(writes) < 9 {
		t.Fatalf("the writes are %q", writes)
	}
	for n, write := range writes {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %s, done: %t", n, write, done), func(t *testing.T) {
				e := newEnv(t)
				e.api.failAt, e.api.failDone = n, done
				life(e)
				e.want(metav1.ConditionTrue, v1alpha1.ReasonPlanned)
				if e.diff() == "" {
					t.Error("there is no diff")
				}
				if left := e.left(); len(left) > 0 || len(e.preview().Finalizers) > 0 {
					t.Errorf("left behind: %q, finalizers %q", left, e.preview().Finalizers)
				}
				made := 0
				for i, w := range e.api.writes {
					if w == "create Run" && (i != n || done) {
						made++
					}
				}
				if made != 1 {
					t.Errorf("%d Runs were made: the writes are %q", made, e.api.writes)
				}
			})
		}
	}
}
