package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func watchCommand(k *cluster) *cobra.Command {
	return &cobra.Command{
		Use:   "watch NAME",
		Short: "Print the progress of an Infrastructure",
		Long: `Prints a line whenever something changes, such as the resource that a run works on, until the object is
ready, stalled or gone. It ends with the exit codes of wait; a plan that waits for approval does not
end it.`,
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
	printed := ""
	err := s.follow(ctx, name, func(infra *v1alpha1.Infrastructure) bool {
		if infra == nil && last == nil {
			v = lost
			return true
		}
		if line := progress(infra); line != printed {
			fmt.Fprintf(w, "%s  %s\n", time.Now().Format(time.TimeOnly), line)
			printed = line
		}
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

// progress is how far an object is, nil for one that is gone, in one line.
func progress(infra *v1alpha1.Infrastructure) string {
	switch {
	case infra == nil:
		return "Gone"
	case infra.Status.Run != nil:
		run := infra.Status.Run
		return fmt.Sprintf("%s: %s", run.Name, cmp.Or(run.Message, fmt.Sprintf("%s: %s", run.Operation, run.Phase)))
	case infra.Status.ObservedGeneration != infra.Generation:
		return "The controller has not looked at the spec yet"
	}
	return standing(infra)
}
