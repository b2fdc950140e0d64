package v1alpha1

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// newRun returns a valid Run.
func newRun(namespace string) *Run {
	return &Run{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "shop-orders-"},
		Spec: RunSpec{
			Infrastructure: InfrastructureReference{Namespace: "shop", Name: "orders", UID: "1", Generation: 1},
			Operation:      OperationApply,
			Module:         ModuleReference{Name: "aws-s3-bucket", Version: "1.0.0", Digest: "sha256:0"},
			InputsDigest:   "sha256:1",
			Timeout:        metav1.Duration{Duration: time.Minute},
		},
	}
}

func TestRun_updateSpec(t *testing.T) {
	const refused = "a Run's spec cannot be changed"
	for _, tc := range []struct {
		name   string
		change func(*Run)
		want   string
	}{
		{"The operation cannot be changed.", func(r *Run) { r.Spec.Operation = OperationDestroy }, refused},
		{"The inputs cannot be changed.", func(r *Run) { r.Spec.InputsDigest = "sha256:2" }, refused},
		{"An input cannot be added.", func(r *Run) { r.Spec.ProviderConfig = "aws" }, refused},
		{"An operation that does not exist is refused.", func(r *Run) { r.Spec.Operation = "Import" }, "spec.operation"},
		{"Labels can be changed.", func(r *Run) { r.Labels = map[string]string{"a": "b"} }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run := newRun(newNamespace(t))
			if err := apiServer.Create(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			tc.change(run)
			checkRefused(t, apiServer.Update(t.Context(), run), tc.want)
		})
	}
}

func TestRun_updateStatus(t *testing.T) {
	const (
		finished = "a finished Run cannot be changed"
		taken    = "a Run that a pod has taken cannot be taken by another"
	)
	failed := RunStatus{Phase: RunFailed, Reason: RunReasonPodLost, Message: "gone", PodUID: "1"}
	with := func(s RunStatus, change func(*RunStatus)) RunStatus {
		change(&s)
		return s
	}
	for _, tc := range []struct {
		name     string
		was, get RunStatus
		want     string
	}{
		{"A run goes on through its phases.", RunStatus{Phase: RunPlanning, PodUID: "1"}, RunStatus{Phase: RunApplying, PodUID: "1"}, ""},
		{"A pod takes a run.", RunStatus{Phase: RunPending}, RunStatus{Phase: RunInitializing, PodUID: "1"}, ""},
		{"No other pod takes it.", RunStatus{Phase: RunInitializing, PodUID: "1"}, RunStatus{Phase: RunInitializing, PodUID: "2"}, taken},
		{"No pod gives it back.", RunStatus{Phase: RunInitializing, PodUID: "1"}, RunStatus{Phase: RunPending}, taken},
		{"A failed run does not succeed later.", failed, with(failed, func(s *RunStatus) { s.Phase = RunSucceeded }), finished},
		{"A finished run does not go on.", failed, with(failed, func(s *RunStatus) { s.Phase = RunApplying }), finished},
		{"A finished run keeps its reason.", failed, with(failed, func(s *RunStatus) { s.Reason = RunReasonTimedOut }), finished},
		{"A finished run keeps its message.", failed, with(failed, func(s *RunStatus) { s.Message = "no" }), finished},
		{"A finished run is not marked as having applied later.", failed, with(failed, func(s *RunStatus) { s.ApplyStartedAt = &metav1.Time{Time: time.Unix(1, 0)} }), finished},
		{"The same result may be written twice.", failed, failed, ""},
		{"A phase that does not exist is refused.", RunStatus{Phase: RunPlanning}, RunStatus{Phase: "Thinking"}, "status.phase"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run := newRun(newNamespace(t))
			if err := apiServer.Create(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			run.Status = tc.was
			if err := apiServer.Status().Update(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			run.Status = tc.get
			checkRefused(t, apiServer.Status().Update(t.Context(), run), tc.want)
		})
	}
}

func TestRun_defaults(t *testing.T) {
	run := newRun(newNamespace(t))
	if err := apiServer.Create(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	got := &Run{}
	if err := apiServer.Get(t.Context(), client.ObjectKeyFromObject(run), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(RunStatus{Phase: RunPending}, got.Status); diff != "" {
		t.Errorf("status, -want +got:\n%s", diff)
	}
}

func TestRunStatus_Finish(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	for _, tc := range []struct {
		name   string
		reason RunReason
		phase  RunPhase
		status metav1.ConditionStatus
	}{
		{"Succeeded is the one good end.", RunReasonSucceeded, RunSucceeded, metav1.ConditionTrue},
		{"Any other reason is a failure.", RunReasonEvicted, RunFailed, metav1.ConditionFalse},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := RunStatus{Phase: RunApplying, PodUID: "1"}
			got.Finish(tc.reason, "what happened", at)
			want := RunStatus{
				Phase: tc.phase, Reason: tc.reason, Message: "what happened", PodUID: "1", FinishedAt: &at,
				Conditions: []metav1.Condition{{
					Type: ConditionSucceeded, Status: tc.status, Reason: string(tc.reason), Message: "what happened", LastTransitionTime: at,
				}},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("status, -want +got:\n%s", diff)
			}
		})
	}
}
