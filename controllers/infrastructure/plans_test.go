package infrastructure

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/state"
)

// keepPlan lets the newest Run keep a plan with the given id.
func (e *env) keepPlan(id string) *v1alpha1.Run {
	e.Helper()
	run := e.last()
	e.take(run)
	e.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: e.system, Name: run.Name + "-plan", Labels: map[string]string{v1alpha1.LabelKey: e.key(), v1alpha1.LabelPlan: run.Name},
	}})
	e.setStatus(run, func(s *v1alpha1.RunStatus) { s.Plan = &v1alpha1.PlanSummary{ID: id, Replace: 1} })
	e.finish(run, v1alpha1.RunReasonPlanned, "Plan "+id+" waits")
	return run
}

// annotate sets an annotation of the object.
func (e *env) annotate(name, value string) {
	e.Helper()
	e.update(func(i *v1alpha1.Infrastructure) { metav1.SetMetaDataAnnotation(&i.ObjectMeta, name, value) })
}

// wantPlans checks whose plans are saved.
func (e *env) wantPlans(runs ...*v1alpha1.Run) {
	e.Helper()
	var list corev1.SecretList
	e.must(apiServer.List(e.Context(), &list, client.InNamespace(e.system), client.HasLabels{v1alpha1.LabelPlan}))
	left := map[string]bool{}
	for _, secret := range list.Items {
		left[secret.Labels[v1alpha1.LabelPlan]] = true
	}
	for _, run := range runs {
		if !left[run.Name] {
			e.Errorf("the plan of %s is gone", run.Name)
		}
	}
	if len(left) != len(runs) {
		e.Errorf("the plans of %v are there, want %d", left, len(runs))
	}
}

func TestReconciler_approval(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"changed"`) })
	e.reconcile()
	base := e.request(e.last()).Base
	if base == "" || base != runName(e.key(), 1) {
		t.Errorf("the plan is made on top of %q", base)
	}
	e.keepPlan("aaaa")
	e.reconcile()
	e.want(v1alpha1.ReasonApprovalRequired, "aaaa", v1alpha1.AnnotationApprove)
	e.wantEvent(v1alpha1.ReasonApprovalRequired)
	if plan := e.object().Status.Plan; plan == nil || plan.ID != "aaaa" {
		t.Errorf("status.plan is %+v", plan)
	}
	e.annotate(v1alpha1.AnnotationApprove, "bbbb")
	e.reconcile()
	e.want(v1alpha1.ReasonApprovalRequired, "bbbb, which is another plan")
	e.wantRuns(2)

	// Something else is wanted before it is approved.
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"again"`) })
	e.annotate(v1alpha1.AnnotationApprove, "aaaa")
	e.reconcile()
	e.wantRuns(3)
	if approved := e.last().Spec.Approved; approved != nil {
		t.Errorf("%+v is approved for other inputs", approved)
	}
	e.wantPlans()
	second := e.keepPlan("cccc")
	e.reconcile()
	e.want(v1alpha1.ReasonApprovalRequired, "cccc")

	e.annotate(v1alpha1.AnnotationApprovedBy, "cccc ann")
	e.annotate(v1alpha1.AnnotationApprove, "cccc")
	e.reconcile()
	e.wantRuns(4)
	if got := e.last().Spec; got.Approved == nil || *got.Approved != (v1alpha1.ApprovedPlan{ID: "cccc", Run: second.Name, By: "ann"}) {
		t.Errorf("the run is %+v", got)
	}
	e.wantPlans(second)
	e.reconcile()
	if e.object().Status.Plan != nil {
		t.Error("status.plan is still there")
	}
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
}

func TestReconciler_drift(t *testing.T) {
	e := newEnv(t)
	e.ready()
	if result := e.reconcile(); result.RequeueAfter <= 0 {
		t.Fatal("nobody would look")
	}
	e.pass(2 * time.Hour)
	e.reconcile()
	e.want(v1alpha1.ReasonInSync, "looking for drift")
	if got := e.last().Spec; got.Operation != v1alpha1.OperationPlan || got.Trigger != v1alpha1.TriggerDrift || got.Approved != nil {
		t.Errorf("the run is %+v", got)
	}
	look := e.keepPlan("aaaa")
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
	if !meta.IsStatusConditionTrue(e.object().Status.Conditions, v1alpha1.ConditionDrifted) || e.object().Status.Plan == nil {
		t.Errorf("status is %+v", e.object().Status)
	}
	e.wantEvent(v1alpha1.ReasonDriftDetected)

	e.annotate(v1alpha1.AnnotationApprove, "aaaa")
	e.reconcile()
	if got := e.last().Spec; got.Operation != v1alpha1.OperationApply || got.Approved == nil || got.Approved.Run != look.Name {
		t.Errorf("the run is %+v", got)
	}
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
	if meta.FindStatusCondition(e.object().Status.Conditions, v1alpha1.ConditionDrifted) != nil {
		t.Error("it is still drifted")
	}

	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Drift.Mode = v1alpha1.DriftCorrect })
	e.pass(2 * time.Hour)
	e.reconcile()
	if got := e.last().Spec; got.Operation != v1alpha1.OperationApply || got.Trigger != v1alpha1.TriggerDrift {
		t.Errorf("the run is %+v", got)
	}
}

// Looks for drift push out no run that says what is applied, and hide no change of what
// is made of the outputs.
func TestReconciler_driftOften(t *testing.T) {
	for _, mode := range []v1alpha1.DriftMode{v1alpha1.DriftReport, v1alpha1.DriftCorrect} {
		t.Run(string(mode), func(t *testing.T) {
			e := newEnv(t)
			e.ready(func(i *v1alpha1.Infrastructure) { i.Spec.Drift.Mode = mode })
			for range keptRuns + 2 {
				e.pass(2 * time.Hour)
				e.reconcile()
				e.take(e.last())
				e.finish(e.last(), v1alpha1.RunReasonSucceeded, "Nothing to change")
				e.reconcile()
				e.want(v1alpha1.ReasonInSync)
			}
			e.wantRuns(1 + keptLooks + 1)
			e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Outputs.Keys = map[string]string{"url": "QUEUE_URL"} })
			e.reconcile()
			e.want(v1alpha1.ReasonInSync)
			if _, ok := e.secret("orders").Data["QUEUE_URL"]; !ok {
				t.Error("the output Secret is as it was")
			}
		})
	}
}

// A look for drift that has to wait leaves the object as it is.
func TestReconciler_driftLocked(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.lock("ada@workstation")
	e.pass(2 * time.Hour)
	if result := e.reconcile(); result.RequeueAfter != lockRetry {
		t.Errorf("result is %+v, want another look at the lock", result)
	}
	e.want(v1alpha1.ReasonInSync, "ada@workstation")
	e.wantRuns(1)
}

func TestReconciler_cancel(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	e.begin(e.last())
	e.annotate(v1alpha1.AnnotationCancel, e.last().Name)
	e.reconcile()
	if !e.last().Status.CancelRequested {
		t.Error("the run goes on")
	}
	e.writeState(1, nil)
	e.finish(e.last(), v1alpha1.RunReasonCancelled, "stopped")
	e.reconcile()
	e.want(v1alpha1.ReasonCancelled, v1alpha1.AnnotationReconcile)
	e.wantRuns(1)
	e.annotate(v1alpha1.AnnotationReconcile, "1")
	e.reconcile()
	e.wantRuns(2)
}

func TestReconciler_orphan(t *testing.T) {
	e := newEnv(t)
	e.ready(func(i *v1alpha1.Infrastructure) { i.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"changed"`) })
	e.reconcile()
	e.keepPlan("aaaa")
	e.newPod(e.last())
	e.delete()
	e.reconcile()
	e.reapPods()
	if !e.gone() {
		e.pass(time.Second)
		e.reconcile()
	}
	if !e.gone() {
		t.Fatalf("the object is there: %+v", e.object().Status.Conditions)
	}
	e.wantEvent("Orphaned")
	e.wantPlans()
	e.wantRuns(2)
	for _, name := range []string{state.SecretName(e.key()), state.SnapshotName(e.key())} {
		e.must(apiServer.Get(t.Context(), client.ObjectKey{Namespace: e.system, Name: name}, &corev1.Secret{}))
	}
	e.remove(&corev1.Secret{}, e.namespace, "orders")
	e.create()
	e.reconcile()
	e.wantRuns(3)
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
}
