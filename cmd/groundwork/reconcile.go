package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func reconcileCommand(k *cluster) *cobra.Command {
	var wait bool
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "reconcile NAME",
		Short: "Ask for a run now",
		Long: `Asks for a run now: to try again at once what failed or was cancelled, to plan anew, or to put back
what has drifted.`,
		Example: "  groundwork reconcile orders-db -n shop --wait",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			suspended := false
			err = s.change(c.Context(), args[0], func(infra *v1alpha1.Infrastructure) error {
				suspended = infra.Spec.Suspend
				annotate(infra, v1alpha1.AnnotationReconcile, time.Now().UTC().Format(time.RFC3339Nano))
				return nil
			})
			if err != nil {
				return err
			}
			if suspended {
				fmt.Fprintf(c.OutOrStdout(), "A run of %s is asked for, and starts when it is no longer suspended: %s\n", args[0], s.line("resume", args[0]))
				return nil
			}
			fmt.Fprintf(c.OutOrStdout(), "A run of %s is asked for.\n", args[0])
			return s.waitIf(c, wait, args[0], timeout)
		},
		ValidArgsFunction: k.completeName,
	}
	waitFlags(c, &wait, &timeout)
	return c
}
