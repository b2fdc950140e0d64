package infrastructure

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func TestReport(t *testing.T) {
	queue := &v1alpha1.AppliedModule{ModuleReference: v1alpha1.ModuleReference{Name: "queue", Version: "1.0.0", Digest: "sha256:0"}}
	config := func(r *v1alpha1.Run) { r.Spec.ProviderConfig = "aws" }
	ran := func(n int, operation v1alpha1.Operation, outcome v1alpha1.RunReason, ago time.Duration) v1alpha1.RunSummary {
		return v1alpha1.RunSummary{Run: runName("shop-orders-k", n), Operation: operation, Outcome: outcome, FinishedAt: metav1.NewTime(testNow.Add(-ago))}
	}
	success := func(n int) v1alpha1.RunSummary {
		return ran(n, v1alpha1.OperationApply, v1alpha1.RunReasonSucceeded, time.Hour)
	}
	for _, tc := range []struct {
		name   string
		infra  *v1alpha1.Infrastructure
		runs   []v1alpha1.Run
		status v1alpha1.InfrastructureStatus
	}{
		{"Without runs there is nothing to tell.", newInfra(), nil, v1alpha1.InfrastructureStatus{}},
		{"A run that has not begun to apply has applied nothing.", newInfra(), []v1alpha1.Run{newRun(1, taken, config)},
			v1alpha1.InfrastructureStatus{Run: &v1alpha1.CurrentRun{Name: "shop-orders-k-1", Operation: v1alpha1.OperationApply, Phase: v1alpha1.RunPlanning}}},
		{"A run that applies has its module applied.", newInfra(), []v1alpha1.Run{newRun(1, applying, config, func(r *v1alpha1.Run) { r.Status.Message = "1 of 2" })},
			v1alpha1.InfrastructureStatus{Module: queue, ProviderConfig: "aws",
				Run: &v1alpha1.CurrentRun{Name: "shop-orders-k-1", Operation: v1alpha1.OperationApply, Phase: v1alpha1.RunApplying, Message: "1 of 2"}}},
		{"A run that found nothing to change has its module applied.", newInfra(), []v1alpha1.Run{newRun(1, succeeded)},
			v1alpha1.InfrastructureStatus{Module: queue, History: []v1alpha1.RunSummary{success(1)}}},
		{"A finished run is not the current one any more.", newInfra(func(i *v1alpha1.Infrastructure) {
			i.Status.Run = &v1alpha1.CurrentRun{Name: "shop-orders-k-1"}
		}), []v1alpha1.Run{newRun(1, ended(v1alpha1.RunReasonPlanFailed, time.Second))},
			v1alpha1.InfrastructureStatus{History: []v1alpha1.RunSummary{ran(1, v1alpha1.OperationApply, v1alpha1.RunReasonPlanFailed, time.Second)}}},
		{"What was applied is remembered when its run is gone.", newInfra(func(i *v1alpha1.Infrastructure) {
			i.Status.Module, i.Status.ProviderConfig = queue, "aws"
		}), nil, v1alpha1.InfrastructureStatus{Module: queue, ProviderConfig: "aws"}},
		{"A request is handled once a run answers it.", newInfra(requested("1")), []v1alpha1.Run{newRun(2), newRun(1, func(r *v1alpha1.Run) { r.Spec.ReconcileRequest = "1" }, succeeded)},
			v1alpha1.InfrastructureStatus{LastHandledReconcileAt: "1", Module: queue, History: []v1alpha1.RunSummary{success(1)},
				Run: &v1alpha1.CurrentRun{Name: "shop-orders-k-2", Operation: v1alpha1.OperationApply, Phase: v1alpha1.RunPending}}},
		{"Another request is not.", newInfra(requested("2")), []v1alpha1.Run{newRun(1, func(r *v1alpha1.Run) { r.Spec.ReconcileRequest = "1" }, succeeded)},
			v1alpha1.InfrastructureStatus{Module: queue, History: []v1alpha1.RunSummary{success(1)}}},
		{"The history is the last five.", newInfra(), []v1alpha1.Run{newRun(7, destroy, ended(v1alpha1.RunReasonEvicted, time.Second)),
			newRun(6, succeeded), newRun(5, succeeded), newRun(4, succeeded), newRun(3, succeeded), newRun(2, succeeded), newRun(1, succeeded)},
			v1alpha1.InfrastructureStatus{Module: queue, History: []v1alpha1.RunSummary{
				ran(7, v1alpha1.OperationDestroy, v1alpha1.RunReasonEvicted, time.Second), success(6), success(5), success(4), success(3)}}},
		{"A look that found nothing is not worth a line, and has applied nothing.", newInfra(), []v1alpha1.Run{newRun(3, correcting, succeeded, otherInputs, config), newRun(2, looking, succeeded), newRun(1, succeeded)},
			v1alpha1.InfrastructureStatus{Module: queue, History: []v1alpha1.RunSummary{success(1)}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			report(newObserved(tc.infra, tc.runs...))
			if diff := cmp.Diff(tc.status, tc.infra.Status); diff != "" {
				t.Errorf("status, -want +got:\n%s", diff)
			}
		})
	}
}

func TestObserved_next(t *testing.T) {
	for _, tc := range []struct {
		name             string
		runs, superseded []v1alpha1.Run
		want             int
	}{
		{"The first is 1.", nil, nil, 1},
		{"The next follows the newest.", []v1alpha1.Run{newRun(10), newRun(9)}, nil, 11},
		{"The number of a superseded run is not used again.", []v1alpha1.Run{newRun(1)}, []v1alpha1.Run{newRun(2)}, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := newObserved(newInfra(), tc.runs...)
			o.superseded = tc.superseded
			if got := o.next(); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}
