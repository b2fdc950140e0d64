package infrastructure

import (
	"fmt"
	"hash/fnv"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
)

// looks tells whether a Run looked for drift and has changed nothing: the object
// stays what it was meanwhile.
func looks(run *v1alpha1.Run) bool {
	return run.Spec.Trigger == v1alpha1.TriggerDrift && run.Status.ApplyStartedAt == nil
}

// lastChange is the newest Run that was more than a look for drift; nil when there
// is none.
func (o *observed) lastChange() *v1alpha1.Run {
	for i := range o.runs {
		if !looks(&o.runs[i]) {
			return &o.runs[i]
		}
	}
	return nil
}

// decideDrift looks for drift when it is time to; the object is in sync.
func decideDrift(o *observed) decision {
	applied := fmt.Sprintf("Applied %s %s", o.request.Module.Name, o.request.Module.Version)
	drift, last := o.infra.Spec.Drift, o.last()
	switch {
	case o.keptPlan() != nil && o.approved() != nil:
		return decision{startApply, o.progressing("Starting a run to put back what has drifted", 0)}
	case drift.Mode == v1alpha1.DriftIgnore || drift.Interval.Duration <= 0 || last.Status.FinishedAt == nil:
		return decision{keep, status.InSync(applied, 0)}
	}
	due := nextLook(last.Status.FinishedAt.Time, drift.Interval.Duration, o.infra.UID)
	if failed := failedLooks(o); failed > 0 {
		due = last.Status.FinishedAt.Add(min(retryAfter(failed, last.Name), drift.Interval.Duration))
	}
	if wait := due.Sub(o.now); wait > 0 {
		return decision{keep, status.InSync(applied, wait)}
	}
	look := decision{startPlan, status.InSync(applied+"; looking for drift", 0)}
	if drift.Mode == v1alpha1.DriftCorrect {
		look.action = startCorrection
	}
	return look
}

// nextLook is the next time to look after the last. Each object has its own place in
// the interval, so that many made at once spread evenly over it; the first look
// comes after half of it at the earliest.
func nextLook(last time.Time, interval time.Duration, uid types.UID) time.Time {
	h := fnv.New64a()
	h.Write([]byte(uid))
	place := time.Duration(h.Sum64() % uint64(interval))
	earliest := last.Add(interval / 2)
	begin := earliest.Truncate(interval)
	if due := begin.Add(place); !due.Before(earliest) {
		return due
	}
	return begin.Add(interval + place)
}

// failedLooks is the number of looks that failed in a row.
func failedLooks(o *observed) int {
	n := 0
	for i := range o.runs {
		run := &o.runs[i]
		if !looks(run) || run.Status.Phase != v1alpha1.RunFailed || run.Status.Reason == v1alpha1.RunReasonCancelled {
			break
		}
		n++
	}
	return n
}

// setDrifted writes what the last look has found.
func setDrifted(o *observed) {
	last := o.last()
	condition := metav1.Condition{Type: v1alpha1.ConditionDrifted, ObservedGeneration: o.infra.Generation}
	switch {
	case last == nil || last.Status.Phase == v1alpha1.RunSucceeded:
		meta.RemoveStatusCondition(&o.infra.Status.Conditions, v1alpha1.ConditionDrifted)
		return
	case !last.Status.Phase.Finished() || !looks(last) || last.Status.Reason == v1alpha1.RunReasonCancelled:
		return // what the one before has found is all that is known
	case last.Status.Phase == v1alpha1.RunPlanned:
		condition.Status, condition.Reason = metav1.ConditionTrue, v1alpha1.ReasonDriftDetected
		condition.Message = last.Status.Message
		if last.Status.Plan != nil {
			condition.Message += ". " + howToApprove(o.infra, last.Status.Plan.ID)
		}
	default:
		condition.Status, condition.Reason = metav1.ConditionUnknown, v1alpha1.ReasonDriftUnknown
		condition.Message = fmt.Sprintf("Run %s, which looked for drift, failed (%s): %s", last.Name, last.Status.Reason, last.Status.Message)
	}
	meta.SetStatusCondition(&o.infra.Status.Conditions, condition)
}
