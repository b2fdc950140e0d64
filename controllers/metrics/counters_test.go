package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// at is a time some seconds after the creation of the tests' Runs.
func at(seconds int) *metav1.Time {
	return &metav1.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(seconds) * time.Second)}
}

// newRun is one of module queue that has ended; nil is a time that it did not come to.
func newRun(operation v1alpha1.Operation, reason v1alpha1.RunReason, started, applied, finished *metav1.Time) *v1alpha1.Run {
	return &v1alpha1.Run{
		ObjectMeta: metav1.ObjectMeta{CreationTimestamp: *at(0)},
		Spec:       v1alpha1.RunSpec{Operation: operation, Trigger: v1alpha1.TriggerChange, Module: v1alpha1.ModuleReference{Name: "queue"}},
		Status:     v1alpha1.RunStatus{Reason: reason, StartedAt: started, ApplyStartedAt: applied, FinishedAt: finished},
	}
}

func TestPhases(t *testing.T) {
	const second = time.Second
	for _, tc := range []struct {
		name string
		run  *v1alpha1.Run
		want map[v1alpha1.RunPhase]time.Duration
	}{
		{"An apply is planned and applied.", newRun(v1alpha1.OperationApply, v1alpha1.RunReasonSucceeded, at(2), at(5), at(65)),
			map[v1alpha1.RunPhase]time.Duration{v1alpha1.RunPending: 2 * second, v1alpha1.RunPlanning: 3 * second, v1alpha1.RunApplying: time.Minute}},
		{"A destroy destroys.", newRun(v1alpha1.OperationDestroy, v1alpha1.RunReasonApplyFailed, at(1), at(3), at(10)),
			map[v1alpha1.RunPhase]time.Duration{v1alpha1.RunPending: second, v1alpha1.RunPlanning: 2 * second, v1alpha1.RunDestroying: 7 * second}},
		{"A run that touches nothing only plans.", newRun(v1alpha1.OperationPlan, v1alpha1.RunReasonPlanned, at(2), nil, at(6)),
			map[v1alpha1.RunPhase]time.Duration{v1alpha1.RunPending: 2 * second, v1alpha1.RunPlanning: 4 * second}},
		{"A run that no pod has taken was in no phase.", newRun(v1alpha1.OperationApply, v1alpha1.RunReasonPodUnschedulable, nil, nil, at(600)), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, phases(tc.run)); diff != "" {
				t.Errorf("phases, -want +got:\n%s", diff)
			}
		})
	}
}

func TestCounters(t *testing.T) {
	c := NewCounters()
	c.RunFinished(newRun(v1alpha1.OperationApply, v1alpha1.RunReasonSucceeded, at(2), at(5), at(65)))
	c.RunFinished(newRun(v1alpha1.OperationApply, v1alpha1.RunReasonSucceeded, at(4), at(5), at(66)))
	c.RunFinished(newRun(v1alpha1.OperationApply, v1alpha1.RunReasonImagePullFailed, nil, nil, at(600)))
	c.RunAdmitted("Change", time.Minute)
	c.RunAdmitted("Change", time.Second)
	c.LockBroken()
	want := `groundwork_locks_broken_total 1
groundwork_queue_wait_seconds{class="Change"} 2 in 61
groundwork_run_phase_duration_seconds{module="queue",operation="Apply",phase="Applying"} 2 in 121
groundwork_run_phase_duration_seconds{module="queue",operation="Apply",phase="Pending"} 2 in 6
groundwork_run_phase_duration_seconds{module="queue",operation="Apply",phase="Planning"} 2 in 4
groundwork_runs_total{module="queue",operation="Apply",outcome="ImagePullFailed",trigger="Change"} 1
groundwork_runs_total{module="queue",operation="Apply",outcome="Succeeded",trigger="Change"} 2
`
	if diff := cmp.Diff(want, exposed(t, c)); diff != "" {
		t.Errorf("metrics, -want +got:\n%s", diff)
	}
}

// A run of a module of the catalogue raises a series that was there before.
func TestCounters_Expect(t *testing.T) {
	c := NewCounters()
	c.Expect("queue")
	before := exposed(t, c)
	for _, run := range []*v1alpha1.Run{
		newRun(v1alpha1.OperationApply, v1alpha1.RunReasonSucceeded, nil, nil, at(1)),
		newRun(v1alpha1.OperationDestroy, v1alpha1.RunReasonApplyFailed, nil, nil, at(1)),
	} {
		c.RunFinished(run)
	}
	after := exposed(t, c)
	if got, want := strings.Count(after, "\n"), strings.Count(before, "\n"); got != want {
		t.Errorf("there are %d series, %d before", got, want)
	}
	if before == after {
		t.Error("nothing was counted")
	}
}
