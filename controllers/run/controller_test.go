package run

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

func TestReconciler_create(t *testing.T) {
	for _, tc := range []struct {
		name   string
		behind func(e *env)
	}{
		{"A pod is made once.", func(*env) {}},
		{"A pod that the cache does not know yet is not made again.", func(e *env) { e.api.stale["Pod"] = nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.reconcile()
			first := e.pod()
			if first == nil || !metav1.IsControlledBy(first, e.run()) || first.Spec.Containers[0].Image != "bundle" {
				t.Fatalf("the pod is %+v", first)
			}
			tc.behind(e)
			for range 2 {
				e.reconcile()
			}
			if again := e.pod(); again.UID != first.UID {
				t.Error("another pod was made")
			}
		})
	}
}

// A pod of the Run's name that is not the Run's is neither used nor removed.
func TestReconciler_foreignPod(t *testing.T) {
	e := newEnv(t)
	theirs := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: e.name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "runner", Image: "theirs"}}},
	}
	e.must(apiServer.Create(t.Context(), theirs))
	e.reconcile()
	e.pass(11 * time.Minute)
	e.reconcile()
	e.wantEnd(v1alpha1.RunReasonPodRejected)
	e.reconcile()
	if p := e.pod(); p == nil || p.UID != theirs.UID {
		t.Error("their pod was removed")
	}
}

func TestReconciler_quota(t *testing.T) {
	setUp := func(t *testing.T) (*env, *corev1.ResourceQuota) {
		e := newEnv(t)
		none := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")}
		quota := &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "no-pods"},
			Spec:       corev1.ResourceQuotaSpec{Hard: none},
		}
		e.must(apiServer.Create(t.Context(), quota))
		quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
		e.must(apiServer.Status().Update(t.Context(), quota))
		// Admission learns of a quota by a watch.
		for range 100 {
			if result := e.reconcile(); result.RequeueAfter != createRetry {
				t.Fatalf("result is %+v", result)
			}
			if e.run().Status.Message != "" {
				break
			}
			e.must(client.IgnoreNotFound(apiServer.Delete(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: e.name}})))
			time.Sleep(50 * time.Millisecond)
		}
		return e, quota
	}
	t.Run("The refusal is told, once, and tried again.", func(t *testing.T) {
		e, quota := setUp(t)
		if got := e.run().Status; !strings.Contains(got.Message, "exceeded quota: no-pods") || got.Phase != v1alpha1.RunPending {
			t.Fatalf("status is %+v", got)
		}
		e.api.writes = nil
		e.reconcile()
		if diff := cmp.Diff([]string{"create Pod"}, e.api.writes); diff != "" {
			t.Errorf("writes, -want +got:\n%s", diff)
		}
		e.must(apiServer.Delete(t.Context(), quota))
		for range 100 {
			if e.reconcile(); e.pod() != nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		e.reconcile()
		if got := e.run().Status.Message; e.pod() == nil || got != "" {
			t.Errorf("there is a pod: %t; the message is %q still", e.pod() != nil, got)
		}
	})
	t.Run("In the end it is given up.", func(t *testing.T) {
		e, _ := setUp(t)
		e.pass(11 * time.Minute)
		e.reconcile()
		e.wantEnd(v1alpha1.RunReasonPodRejected, "exceeded quota: no-pods")
	})
}

func TestReconciler_end(t *testing.T) {
	message := func(result runner.Result) func(*corev1.Pod) {
		return exited("runner", 1, "Error", string(result.TerminationMessage()))
	}
	for _, tc := range []struct {
		name   string
		end    func(e *env)
		reason v1alpha1.RunReason
		part   string
	}{
		{"A pod that is gone is lost.", func(e *env) { e.take(); e.removePod() }, v1alpha1.RunReasonPodLost, "is gone and left no result"},
		{"A container that was killed for memory.", func(e *env) {
			e.take()
			e.setPod(exited("runner", 137, "OOMKilled", ""))
		}, v1alpha1.RunReasonOutOfMemory, "memory"},
		{"A pod that was evicted.", func(e *env) { e.take(); e.setPod(evicted) }, v1alpha1.RunReasonEvicted, "low on memory"},
		{"A result that the runner could only leave in its termination message.", func(e *env) {
			e.take()
			e.setPod(message(runner.Result{Reason: v1alpha1.RunReasonSucceeded, Message: "Applied: 1 created"}))
		}, v1alpha1.RunReasonSucceeded, "Applied: 1 created"},
		{"A failure that the runner could only leave in its termination message.", func(e *env) {
			e.take()
			e.setPod(message(runner.Result{Reason: v1alpha1.RunReasonApplyFailed, Message: "no"}))
		}, v1alpha1.RunReasonApplyFailed, "no"},
		{"An image that cannot be pulled.", func(e *env) {
			e.setPod(waiting("ImagePullBackOff", "manifest unknown"))
			e.reconcile()
			if got := e.run().Status; got.Phase.Finished() || !strings.Contains(got.Message, "manifest unknown") {
				e.Errorf("before it is given up, status is %+v", got)
			}
			e.pass(11 * time.Minute)
		}, v1alpha1.RunReasonImagePullFailed, "manifest unknown"},
		{"A pod that no node takes.", func(e *env) { e.setPod(unschedulable); e.pass(11 * time.Minute) }, v1alpha1.RunReasonPodUnschedulable, "0/3 nodes"},
		{"A runner that outlives its timeout.", func(e *env) {
			e.schedule()
			e.take()
			e.setPod(runs)
			e.pass(33 * time.Minute)
			e.reconcile()
			if e.pod().DeletionTimestamp == nil {
				e.Error("the pod was not asked to end")
			}
			e.reconcile()
			if e.run().Status.Phase.Finished() {
				e.Error("the run is told to be over while its pod is there")
			}
			e.removePod()
		}, v1alpha1.RunReasonTimedOut, "30m0s"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.reconcile()
			tc.end(e)
			e.reconcile()
			e.wantEnd(tc.reason, tc.part)
		})
	}
}

func TestReconciler_terminationMessage(t *testing.T) {
	e := newEnv(t)
	e.reconcile()
	e.take()
	result := runner.Result{Reason: v1alpha1.RunReasonApplyFailed, Message: "no", Plan: &v1alpha1.PlanSummary{Create: 3}, ApplyStarted: true}
	e.setPod(exited("runner", 1, "Error", string(result.TerminationMessage())))
	e.reconcile()
	got := e.run().Status
	if diff := cmp.Diff(result.Plan, got.Plan); diff != "" {
		t.Errorf("plan, -want +got:\n%s", diff)
	}
	if got.ApplyStartedAt == nil {
		t.Error("that resources were changed is lost, and with it that they have to be destroyed")
	}
}

// The cache is behind with the Run or with its pod.
func TestReconciler_stale(t *testing.T) {
	t.Run("A pod that the cache does not know yet is not lost.", func(t *testing.T) {
		e := newEnv(t)
		e.reconcile()
		e.take()
		e.api.stale["Pod"] = nil
		e.reconcile()
		if e.run().Status.Phase.Finished() {
			t.Errorf("status is %+v", e.run().Status)
		}
	})
	t.Run("A pod that was made anew, of which the cache knows the first, is not lost.", func(t *testing.T) {
		e := newEnv(t)
		e.reconcile()
		first := e.pod()
		e.removePod()
		e.reconcile()
		e.take()
		e.api.stale["Pod"] = first
		e.reconcile()
		if e.run().Status.Phase.Finished() {
			t.Errorf("status is %+v", e.run().Status)
		}
	})
	t.Run("A run that the runner has finished keeps the runner's result.", func(t *testing.T) {
		e := newEnv(t)
		e.reconcile()
		e.take()
		e.api.stale["Run"] = e.run()
		e.setRun(func(s *v1alpha1.RunStatus) { s.Finish(v1alpha1.RunReasonSucceeded, "Applied", metav1.Now()) })
		e.removePod()
		if _, err := e.tryReconcile(); !apierrors.IsConflict(err) {
			t.Errorf("got %v, want a conflict", err)
		}
		e.wantEnd(v1alpha1.RunReasonSucceeded, "Applied")
		delete(e.api.stale, "Run")
		e.reconcile()
		e.wantEnd(v1alpha1.RunReasonSucceeded, "Applied")
	})
	t.Run("A run that a pod has just taken is not given up.", func(t *testing.T) {
		e := newEnv(t)
		e.reconcile()
		e.api.stale["Run"] = e.run()
		e.take()
		e.pass(11 * time.Minute)
		if _, err := e.tryReconcile(); !apierrors.IsConflict(err) {
			t.Errorf("got %v, want a conflict", err)
		}
		if e.run().Status.Phase.Finished() {
			t.Errorf("status is %+v", e.run().Status)
		}
	})
}

func TestReconciler_tidy(t *testing.T) {
	finish := func(reason v1alpha1.RunReason) func(e *env) {
		return func(e *env) {
			e.setRun(func(s *v1alpha1.RunStatus) { s.Finish(reason, "", metav1.Now()) })
		}
	}
	done := func(e *env) { e.setPod(exited("runner", 0, "Completed", "")) }
	for _, tc := range []struct {
		name string
		// end are the steps to the end, with a reconcile after each.
		end []func(e *env)
		pod bool
	}{
		{"The pod of a run that succeeded goes when it has ended.", []func(e *env){(*env).take, finish(v1alpha1.RunReasonSucceeded), done}, false},
		{"So does that of a run whose plan is kept.", []func(e *env){(*env).take, finish(v1alpha1.RunReasonPlanned), done}, false},
		{"It stays until then.", []func(e *env){(*env).take, finish(v1alpha1.RunReasonSucceeded)}, true},
		{"The pod of a run that failed stays for its log.", []func(e *env){(*env).take, done, func(*env) {}}, true},
		{"A pod that never took its run goes at once.", []func(e *env){finish(v1alpha1.RunReasonSuperseded)}, false},
		{"A pod that came too late goes at once.", []func(e *env){
			func(e *env) { e.removePod(); finish(v1alpha1.RunReasonSuperseded)(e) },
			func(e *env) {
				unfinished := e.run()
				unfinished.Status = v1alpha1.RunStatus{Phase: v1alpha1.RunPending, AdmittedAt: unfinished.Status.AdmittedAt}
				e.api.stale["Run"] = unfinished
				e.reconcile()
				if e.pod() == nil {
					e.Error("no pod came too late")
				}
				delete(e.api.stale, "Run")
			},
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.reconcile()
			for _, step := range tc.end {
				step(e)
				_, err := e.tryReconcile()
				e.must(err)
			}
			if e.requested() {
				t.Error("the request, which holds secrets, is left")
			}
			if got := e.pod() != nil; got != tc.pod {
				t.Errorf("there is a pod: %t, want %t", got, tc.pod)
			}
			e.api.writes = nil
			for range 2 {
				if result := e.reconcile(); !result.IsZero() {
					t.Errorf("result is %+v, want nothing more to do", result)
				}
			}
			if len(e.api.writes) > 0 {
				t.Errorf("a finished run has the writes %q, want none", e.api.writes)
			}
		})
	}
}

// The plan that a Run was approved to apply goes with its end, and no other.
func TestReconciler_tidyPlan(t *testing.T) {
	e := newEnv(t)
	ns := e.namespace
	plan := func(run, name string) *corev1.Secret {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, Labels: map[string]string{v1alpha1.LabelPlan: run}}}
		e.must(apiServer.Create(t.Context(), secret))
		return secret
	}
	used := []*corev1.Secret{plan("k-1", "k-1-plan"), plan("k-1", "k-1-plan-part-1")}
	other := plan("k-2", "k-2-plan")
	run := &v1alpha1.Run{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "k-3"}, Spec: e.run().Spec}
	run.Spec.Approved = &v1alpha1.ApprovedPlan{ID: "0123", Run: "k-1"}
	e.must(apiServer.Create(t.Context(), run))
	run.Status.Finish(v1alpha1.RunReasonApplyFailed, "", metav1.Now())
	e.must(apiServer.Status().Update(t.Context(), run))
	if _, err := e.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(run)}); err != nil {
		t.Fatal(err)
	}
	for _, secret := range used {
		if err := apiServer.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); !apierrors.IsNotFound(err) {
			t.Errorf("%s is left: %v", secret.Name, err)
		}
	}
	e.must(apiServer.Get(t.Context(), client.ObjectKeyFromObject(other), other))
}

// Whatever write fails, before or after it was done, the Run comes to its end.
func TestReconciler_interrupted(t *testing.T) {
	for _, done := range []bool{false, true} {
		for n := 0; ; n++ {
			e := newEnv(t)
			e.api.failAt, e.api.failDone = n, done
			settle := func() {
				for range 3 {
					if _, err := e.tryReconcile(); err != nil && !errors.Is(err, errInjected) {
						t.Fatal(err)
					}
				}
			}
			settle()
			e.take()
			e.setPod(exited("runner", 0, "Completed", string(runner.Result{Reason: v1alpha1.RunReasonSucceeded}.TerminationMessage())))
			settle()
			e.wantEnd(v1alpha1.RunReasonSucceeded)
			if e.requested() || e.pod() != nil {
				t.Errorf("write %d failed (done: %t): the request is left: %t, the pod: %t", n, done, e.requested(), e.pod() != nil)
			}
			if n >= len(e.api.writes) {
				if n < 4 {
					t.Errorf("a run has the writes %q", e.api.writes)
				}
				break
			}
		}
	}
}

// A Run that is gone, or being deleted, is nobody's business.
func TestReconciler_gone(t *testing.T) {
	e := newEnv(t)
	e.must(apiServer.Delete(t.Context(), e.run()))
	e.reconcile()
	if len(e.api.writes) > 0 {
		t.Errorf("writes are %q", e.api.writes)
	}
}

// The pod has the image of the Run's bundle; a Run whose bundle is gone ends, so that
// another can be decided on.
func TestReconciler_bundle(t *testing.T) {
	newRunOf := func(e *env, bundle string) {
		run := e.run()
		e.name = "shop-orders-k-2"
		run.ObjectMeta = metav1.ObjectMeta{Namespace: e.namespace, Name: e.name, Labels: run.Labels}
		run.Spec.Module.Bundle = bundle
		e.must(apiServer.Create(t.Context(), run))
		e.admit()
		e.r.pod.ExtraImages = map[string]string{"data": "data-bundle"}
	}
	t.Run("A bundle that is there.", func(t *testing.T) {
		e := newEnv(t)
		newRunOf(e, "data")
		e.reconcile()
		if got := e.pod().Spec.Containers[0].Image; got != "data-bundle" {
			t.Errorf("the pod has the image %s", got)
		}
	})
	t.Run("A bundle that is gone.", func(t *testing.T) {
		e := newEnv(t)
		newRunOf(e, "gone")
		e.reconcile()
		e.wantEnd(v1alpha1.RunReasonSuperseded, "bundle gone")
	})
}
