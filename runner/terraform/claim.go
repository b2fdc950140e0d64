package terraform

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// startPatience is how long the runner waits for the API server before it has
// taken the Run.
const startPatience = 5 * time.Minute

// notTakenError says why the Run is not this pod's to carry out.
type notTakenError struct{ why string }

func (e *notTakenError) Error() string { return "the run is not taken: " + e.why }

// claim takes the Run for this pod; the optimistic lock lets one pod win. It
// returns a *notTakenError when the Run is another's, finished or gone.
func (r *Runner) claim(ctx context.Context) (*v1alpha1.Run, error) {
	run := &v1alpha1.Run{}
	err := retry(ctx, startPatience, func(ctx context.Context) error {
		// A new object each time: decoding into a used one keeps old fields.
		run = &v1alpha1.Run{}
		switch err := r.client.Get(ctx, r.cfg.Run, run); {
		case isGone(err):
			return permanentError{&notTakenError{"it is gone"}}
		case err != nil:
			return err
		}
		switch status := &run.Status; {
		case status.Phase.Finished():
			return permanentError{&notTakenError{fmt.Sprintf("it is finished (%s)", status.Phase)}}
		case status.PodUID == r.cfg.PodUID:
			// An earlier try succeeded and its answer was lost.
			return nil
		case status.PodUID != "":
			return permanentError{&notTakenError{fmt.Sprintf("the pod with the UID %s has it", status.PodUID)}}
		}
		now := metav1.NewTime(r.now())
		run.Status.PodUID = r.cfg.PodUID
		run.Status.StartedAt = &now
		run.Status.Phase = v1alpha1.RunInitializing
		run.Status.Message = "Initializing Terraform"
		return r.client.Status().Update(ctx, run)
	})
	if err != nil {
		return nil, fmt.Errorf("take the run %s: %w", r.cfg.Run, err)
	}
	return run, nil
}
