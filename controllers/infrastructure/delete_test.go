package infrastructure

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
)

// wantNothingLeft checks that the object is gone with all that was kept for it.
func (e *env) wantNothingLeft() {
	e.Helper()
	if !e.gone() {
		e.Errorf("the object is there: %+v", e.object().Status.Conditions)
	}
	e.wantRuns(0)
	if left := requestsOf(e); len(left) > 0 {
		e.Errorf("the Secrets %q are left", left)
	}
	if left := list(e.Context(), e.T, &coordinationv1.LeaseList{}, e.system).Items; len(left) > 0 {
		e.Errorf("the Lease %s is left", left[0].Name)
	}
	if left := list(e.Context(), e.T, &corev1.PodList{}, e.system).Items; len(left) > 0 {
		e.Errorf("the pod %s is left", left[0].Name)
	}
}

func TestReconciler_delete(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.delete()
	e.reconcile()
	e.want(v1alpha1.ReasonDestroying)
	e.wantRuns(2)
	run := e.last()
	if run.Spec.Operation != v1alpha1.OperationDestroy || run.Spec.Module.Name != "queue" {
		t.Errorf("the run is %+v", run.Spec)
	}
	req := e.request(run)
	if req.Operation != v1alpha1.OperationDestroy || string(req.Variables) != `{"name":"orders"}` || len(req.Files) == 0 {
		t.Errorf("the request is %+v", req)
	}
	e.take(run)
	e.reconcile()
	e.want(v1alpha1.ReasonDestroying, "Planning")
	if e.secret("orders") == nil {
		t.Error("the output Secret is gone before the resources are")
	}
	e.succeed(nil)
	e.reconcile()
	e.wantNothingLeft()
	e.wantEvent("Destroyed")
}

func TestReconciler_deleteEarly(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before func(e *env)
	}{
		{"Before it was looked at.", func(e *env) {
			e.create(func(i *v1alpha1.Infrastructure) { i.Finalizers = []string{v1alpha1.Finalizer} })
		}},
		{"With a fault.", func(e *env) {
			e.create(func(i *v1alpha1.Infrastructure) { i.Spec.Module = "none" })
			e.reconcile()
		}},
		{"Before a pod has taken its run.", func(e *env) { e.create(); e.reconcile() }},
		{"After a run that touched nothing.", func(e *env) {
			e.create()
			e.reconcile()
			e.writeState(0, nil)
			e.fail(v1alpha1.RunReasonPlanFailed)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			tc.before(e)
			e.delete()
			for range 3 {
				if !e.gone() {
					e.reconcile()
				}
			}
			e.wantNothingLeft()
		})
	}
}

func TestReconciler_deleteDuringRun(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	e.begin(e.last())
	e.delete()
	for range 2 {
		e.reconcile()
		e.want(v1alpha1.ReasonDestroying, "Planning")
	}
	e.wantRuns(1)
	if got := e.last().Status.Phase; got != v1alpha1.RunApplying {
		t.Errorf("the apply is %s, want it to go on", got)
	}
	e.writeState(1, nil)
	e.finish(e.last(), v1alpha1.RunReasonApplyFailed, "half of it is there")
	e.reconcile()
	e.wantRuns(2)
	e.succeed(nil)
	e.reconcile()
	e.wantNothingLeft()
}

// The destroy needs nothing that a chart, a platform team or a new bundle removes.
func TestReconciler_deleteWithout(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(e *env)
	}{
		{"The module has left the catalogue.", func(e *env) {
			e.r.catalogue = &modules.Catalogue{}
		}},
		{"The ConfigMap of its variables is gone.", func(e *env) { e.remove(&corev1.ConfigMap{}, e.namespace, "in") }},
		{"The ProviderConfig is gone.", func(e *env) { e.removeConfig("aws") }},
		{"Its Runs are gone.", func(e *env) {
			for _, run := range e.runs() {
				e.remove(&v1alpha1.Run{}, e.system, run.Name)
			}
		}},
		{"Its output Secret is gone.", func(e *env) { e.remove(&corev1.Secret{}, e.namespace, "orders") }},
		{"Its status is gone.", func(e *env) {
			infra := e.object()
			infra.Status = v1alpha1.InfrastructureStatus{ObservedGeneration: -1}
			e.must(apiServer.Status().Update(e.Context(), infra))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.newConfig("aws")
			e.put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "in"}})
			e.create(bucketOf("aws"), func(i *v1alpha1.Infrastructure) {
				i.Spec.VariablesFrom = []v1alpha1.VariablesSource{{ConfigMapRef: &v1alpha1.NameReference{Name: "in"}}}
			})
			e.reconcile()
			e.succeed(queueOutputs())
			e.reconcile()
			e.want(v1alpha1.ReasonInSync)
			e.delete()
			tc.spoil(e)
			e.reconcile()
			req := e.request(e.last())
			if req.Operation != v1alpha1.OperationDestroy || len(req.Files) == 0 || !strings.Contains(string(req.Provider), "eu-central-1") ||
				e.last().Spec.Credentials.SecretName != "aws" {
				t.Errorf("the request is %+v of %+v", req, e.last().Spec)
			}
			e.succeed(nil)
			e.reconcile()
			e.remove(&corev1.Secret{}, e.system, "aws")
			e.wantNothingLeft()
		})
	}
}

func TestReconciler_deleteWithoutCredentials(t *testing.T) {
	setUp := func(t *testing.T) *env {
		e := newEnv(t)
		e.newConfig("aws")
		e.create(bucketOf("aws"))
		e.reconcile()
		e.succeed(queueOutputs())
		e.reconcile()
		e.remove(&corev1.Secret{}, e.system, "aws")
		e.delete()
		return e
	}
	t.Run("They are waited for.", func(t *testing.T) {
		e := setUp(t)
		if result := e.reconcile(); result.RequeueAfter <= 0 {
			t.Error("nobody would look again")
		}
		e.want(v1alpha1.ReasonInputMissing, "ProviderConfig aws", `Secret "aws"`, e.system)
		e.wantRuns(1)
		e.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.system, Name: "aws"}})
		e.reconcile()
		e.wantRuns(2)
	})
	t.Run("Those that have replaced them are used.", func(t *testing.T) {
		e := setUp(t)
		config := &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "aws"}}
		e.must(apiServer.Get(t.Context(), client.ObjectKeyFromObject(config), config))
		config.Spec.Credentials.SecretName = "rotated"
		e.must(apiServer.Update(t.Context(), config))
		e.reconcile()
		e.want(v1alpha1.ReasonInputMissing, `Secret "rotated"`)
		e.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.system, Name: "rotated"}})
		e.reconcile()
		if got := e.last().Spec; got.Operation != v1alpha1.OperationDestroy || got.Credentials.SecretName != "rotated" {
			t.Errorf("the run is %+v", got)
		}
	})
}

func TestReconciler_deleteStateMissing(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(e *env)
		want  func(e *env) string
	}{
		{"The snapshot is gone.", func(e *env) { e.remove(&corev1.Secret{}, e.system, state.SnapshotName(e.key())) },
			func(e *env) string { return state.SnapshotName(e.key()) }},
		{"The state is gone.", func(e *env) { e.remove(&corev1.Secret{}, e.system, state.SecretName(e.key())) },
			func(e *env) string { return state.SecretName(e.key()) }},
		{"Both are gone.", func(e *env) {
			e.remove(&corev1.Secret{}, e.system, state.SnapshotName(e.key()))
			e.remove(&corev1.Secret{}, e.system, state.SecretName(e.key()))
		}, func(e *env) string { return state.SnapshotName(e.key()) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.ready()
			tc.spoil(e)
			e.delete()
			left := requestsOf(e)
			e.api.forgetWrites()
			if result := e.reconcile(); result.RequeueAfter <= 0 {
				t.Error("nobody would look again")
			}
			e.want(v1alpha1.ReasonStateMissing, tc.want(e), "restore it from a backup", v1alpha1.Finalizer)
			if diff := cmp.Diff([]string{"patch status Infrastructure orders"}, e.api.writes); diff != "" {
				t.Errorf("writes, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(left, requestsOf(e)); diff != "" {
				t.Errorf("Secrets, -before +after:\n%s", diff)
			}
			e.wantRuns(1)
			// It is restored.
			e.put(snapshotOf(e))
			e.writeState(1, nil)
			e.reconcile()
			e.wantRuns(2)
		})
	}
}

// snapshotOf makes a snapshot anew, as a backup would have it.
func snapshotOf(e *env) *corev1.Secret {
	e.Helper()
	o := &observed{infra: e.object(), key: e.key()}
	o.infra.DeletionTimestamp = nil
	req, err := e.r.request(e.Context(), o)
	e.must(err)
	data, err := req.SecretData()
	e.must(err)
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.system, Name: req.Snapshot, Labels: req.Labels}, Data: data}
}

// An apply is not started a second time on a state that was lost.
func TestReconciler_applyStateMissing(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.remove(&corev1.Secret{}, e.system, state.SecretName(e.key()))
	e.update(func(i *v1alpha1.Infrastructure) {
		i.Spec.Variables = values("name", `"changed"`)
		i.Annotations = map[string]string{v1alpha1.AnnotationReconcile: "1"}
	})
	e.reconcile()
	e.want(v1alpha1.ReasonStateMissing, state.SecretName(e.key()), "second time")
	e.wantRuns(1)
	if got := e.object().Status.LastHandledReconcileAt; got != "1" {
		t.Errorf("an object that is stalled has the request %q answered, want 1", got)
	}
}

// forgetting is an object that is destroyed, with all that can be left: a failed
// run's pod and request, a superseded run, an abandoned lock.
func forgetting(t *testing.T) *env {
	e := newEnv(t)
	e.ready()
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"changed"`) })
	e.reconcile()
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"again"`) })
	e.reconcile()
	e.delete()
	e.reconcile()
	e.succeed(nil)
	e.newPod(e.last())
	e.lock("root@" + runName(e.key(), 1))
	return e
}

// A forget that breaks off anywhere, before or after a write was done, is taken up
// again: nothing is lost before, and nothing left after.
func TestReconciler_forgetInterrupted(t *testing.T) {
	want := []string{
		"delete Pod key-3", "update Lease lock-tfstate-default-key",
		"delete Secret tfstate-default-key", "delete Lease lock-tfstate-default-key", "delete Secret groundwork-snapshot-key",
		"delete all Secret ", "delete Run key-1", "delete Run key-3", "patch Infrastructure orders",
	}
	for _, done := range []bool{false, true} {
		for n := 0; ; n++ {
			e := forgetting(t)
			e.api.forgetWrites()
			failed := ""
			e.api.fail = func(i int, write string) (bool, bool) {
				if i == n {
					failed = write
				}
				return i == n, done
			}
			for range 20 {
				if e.gone() {
					break
				}
				_, _ = e.tryReconcile() // an error is tried again
				e.reapPods()
				e.pass(time.Minute)
			}
			if failed == "" {
				if diff := cmp.Diff(want, withoutKey(e, e.api.writes...)); diff != "" {
					t.Errorf("writes of a forget, -want +got:\n%s", diff)
				}
				break
			}
			t.Run(fmt.Sprintf("%q fails (done: %t).", withoutKey(e, failed)[0], done), func(t *testing.T) {
				e.T = t
				e.wantNothingLeft()
			})
		}
	}
}

// withoutKey returns writes with "key" in place of the object's key.
func withoutKey(e *env, writes ...string) []string {
	var plain []string
	for _, write := range writes {
		plain = append(plain, strings.ReplaceAll(write, e.key(), "key"))
	}
	return plain
}

// reapPods lets pods that are asked to end be gone, as kubelet does.
func (e *env) reapPods() {
	e.Helper()
	for _, pod := range list(e.Context(), e.T, &corev1.PodList{}, e.system).Items {
		if pod.DeletionTimestamp != nil {
			e.removePod(&pod)
		}
	}
}

// The cache does not know a Run yet that is under way, so that all looks destroyed.
func TestReconciler_forgetStale(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.api.runs = &v1alpha1.RunList{}
	e.reconcile()
	e.take(e.last())
	e.newPod(e.last())
	e.delete()
	e.reconcileBehind()
	e.wantRuns(1)
	if pods := list(t.Context(), t, &corev1.PodList{}, e.system).Items; len(pods) != 1 || pods[0].DeletionTimestamp != nil {
		t.Error("the pod of the run under way was removed")
	}
}

// An object that is created anew takes up what an earlier one of its name has left,
// after a look at it.
func TestReconciler_recreated(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.update(func(i *v1alpha1.Infrastructure) { i.Finalizers = nil })
	e.delete()
	e.remove(&corev1.Secret{}, e.namespace, "orders")
	e.create()
	e.reconcile()
	e.want(v1alpha1.ReasonProgressing)
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
	e.wantRuns(2)
	e.delete()
	e.reconcile()
	e.succeed(nil)
	e.reconcile()
	e.wantNothingLeft()
}
