package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func watchCommand(k *cluster) *cobra.Command {
	return &cobra.Command{
		Use:   "watch NAME",
		Short: "Print the progress of an Infrastructure",
		Long: `Prints a line whenever something changes, and one for each resource that a run begins to change or has
changed, until the object is ready, stalled or gone. It ends with the exit codes of wait; a plan that
waits for approval does not end it.`,
		Example: "  groundwork watch orders-db -n shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			return s.watch(c.Context(), c.OutOrStdout(), args[0])
		},
		ValidArgsFunction: k.completeName,
	}
}

// watch prints the progress of an Infrastructure until it comes to an end.
func (s *session) watch(ctx context.Context, w io.Writer, name string) error {
	var last *v1alpha1.Infrastructure
	var v verdict
	told := newTeller(w)
	err := s.follow(ctx, name, func(infra *v1alpha1.Infrastructure) bool {
		if infra == nil && last == nil {
			v = lost
			return true
		}
		told.tell(infra, time.Now())
		v = judge(infra, goalOf(infra))
		if infra != nil {
			last = infra
		}
		return v != pending && v != needsApproval
	})
	switch {
	case err != nil:
		return err
	case last == nil:
		return s.notThere(name)
	}
	return v.failure(last, 0, s.line("describe", name))
}

// goalOf is what an object, nil for one that is gone, is on its way to.
func goalOf(infra *v1alpha1.Infrastructure) goal {
	if infra == nil || !infra.DeletionTimestamp.IsZero() {
		return goalGone
	}
	return goalReady
}

// stillEvery is the time between two lines about a resource that takes long.
const stillEvery = 30 * time.Second

// teller prints what has changed since it was last told.
type teller struct {
	w io.Writer
	// line is what it has said of the object, resources what of each resource of a run.
	line      string
	resources map[string]toldResource
}

// toldResource is what was said of a resource, and when.
type toldResource struct {
	finished bool
	at       time.Time
}

func newTeller(w io.Writer) *teller { return &teller{w: w, resources: map[string]toldResource{}} }

// tell prints what is new of an object, nil for one that is gone.
func (t *teller) tell(infra *v1alpha1.Infrastructure, now time.Time) {
	say := func(line string) { fmt.Fprintf(t.w, "%s  %s\n", now.Format(time.TimeOnly), line) }
	if line := progress(infra); line != t.line {
		say(line)
		t.line = line
	}
	if infra == nil || infra.Status.Run == nil {
		return
	}
	for _, r := range infra.Status.Run.Resources {
		id := strings.Join([]string{infra.Status.Run.Name, r.Address, string(r.Action), r.StartedAt.String()}, " ")
		told, known := t.resources[id]
		if known && told.finished == (r.FinishedAt != nil) && (told.finished || now.Sub(told.at) < stillEvery) {
			continue
		}
		say("  " + resourceLine(r, known, now))
		t.resources[id] = toldResource{r.FinishedAt != nil, now}
	}
}

// resourceLine says what is done to a resource; known tells that it was said before that it
// had begun.
func resourceLine(r v1alpha1.ResourceProgress, known bool, now time.Time) string {
	doing, done := "updating", "updated"
	switch r.Action {
	case v1alpha1.ChangeCreate:
		doing, done = "creating", "created"
	case v1alpha1.ChangeDelete:
		doing, done = "destroying", "destroyed"
	}
	switch {
	case r.Failed:
		return fmt.Sprintf("%s: failed after %s", r.Address, duration.HumanDuration(r.FinishedAt.Sub(r.StartedAt.Time)))
	case r.FinishedAt != nil:
		return fmt.Sprintf("%s: %s after %s", r.Address, done, duration.HumanDuration(r.FinishedAt.Sub(r.StartedAt.Time)))
	case known:
		return fmt.Sprintf("%s: still %s after %s", r.Address, doing, duration.HumanDuration(now.Sub(r.StartedAt.Time)))
	}
	return r.Address + ": " + doing
}

// progress is how far an object is, nil for one that is gone, in one line.
func progress(infra *v1alpha1.Infrastructure) string {
	switch {
	case infra == nil:
		return "Gone"
	case infra.Status.Run != nil:
		run := infra.Status.Run
		message := cmp.Or(run.Message, fmt.Sprintf("%s: %s", run.Operation, run.Phase))
		if len(run.Resources) > 0 { // The resource that the message names has a line of its own.
			message, _, _ = strings.Cut(message, ": ")
		}
		return fmt.Sprintf("%s: %s", run.Name, message)
	case infra.Status.ObservedGeneration != infra.Generation:
		return "The controller has not looked at the spec yet"
	}
	return standing(infra)
}
