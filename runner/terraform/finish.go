package terraform

import (
	"context"
	"encoding/json"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// finishPatience is how long the runner tries to write a result.
const finishPatience = 10 * time.Minute

// finish says how the Run ended: in the log, the termination message, the Run's status
// and the exit code that it returns. The log is written first, so that it is there when
// the Run says that it is finished; but the result does not wait for one that cannot be
// written.
func (r *Runner) finish(life context.Context, run *v1alpha1.Run, end ending, diagnostics []v1alpha1.Diagnostic, keeper *logKeeper) int {
	result := end.result()
	result.Message = cut(r.log.mask.apply(result.Message), maxMessage)
	r.log.printf("%s: %s", result.Reason, result.Message)
	r.writeTerminationMessage(result)
	notKept := keeper.end(life)

	patch, err := finalPatch(run, result, end, diagnostics, r.now())
	if err == nil {
		err = retry(life, finishPatience, func(ctx context.Context) error {
			return permanent(r.client.Status().Patch(ctx, run.DeepCopy(), client.RawPatch(mergePatch, patch)))
		})
	}
	if err != nil {
		r.log.printf("The result could not be written into the run's status: %v", err)
	}
	if notKept != nil {
		notKept = retry(life, logPatience, keeper.end)
	}
	if notKept != nil {
		r.log.printf("The log could not be kept: %v", notKept)
	}
	if result.Reason.Phase() == v1alpha1.RunFailed {
		return runner.ExitFailed
	}
	return runner.ExitSucceeded
}

func finalPatch(run *v1alpha1.Run, result runner.Result, end ending, diagnostics []v1alpha1.Diagnostic, now time.Time) ([]byte, error) {
	phase, succeeded := result.Reason.Phase(), metav1.ConditionTrue
	if phase == v1alpha1.RunFailed {
		succeeded = metav1.ConditionFalse
	}
	at := metav1.NewTime(now)
	status := map[string]any{
		"phase":       phase,
		"reason":      result.Reason,
		"message":     result.Message,
		"finishedAt":  at,
		"warnings":    end.warnings,
		"resources":   end.resources,
		"diagnostics": diagnostics,
		"conditions": []metav1.Condition{{
			Type:               v1alpha1.ConditionSucceeded,
			Status:             succeeded,
			Reason:             string(result.Reason),
			Message:            result.Message,
			ObservedGeneration: run.Generation,
			LastTransitionTime: at,
		}},
	}
	if result.Plan != nil {
		status["plan"] = result.Plan
	}
	return json.Marshal(map[string]any{"status": status})
}

// writeTerminationMessage leaves the result for kubelet. The Run's status is what
// counts, so a failure is only logged.
func (r *Runner) writeTerminationMessage(result runner.Result) {
	if err := os.WriteFile(r.cfg.TerminationLog, result.TerminationMessage(), 0o644); err != nil {
		r.log.printf("The termination message could not be written: %v", err)
	}
}
