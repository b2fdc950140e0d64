package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func cancelCommand(k *cluster) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel NAME",
		Short: "Cancel the run under way",
		Long: `Asks Terraform to stop, as by Ctrl-C: what is in flight is finished, the state is saved, the lock
released. The object is stalled then, until its spec changes or a run is asked for.`,
		Example: "  groundwork cancel orders-db -n shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			var run v1alpha1.CurrentRun
			err = s.change(c.Context(), args[0], func(infra *v1alpha1.Infrastructure) error {
				if infra.Status.Run == nil {
					return fmt.Errorf("%s has no run under way that could be cancelled: %s", infra.Name, standing(infra))
				}
				run = *infra.Status.Run
				annotate(infra, v1alpha1.AnnotationCancel, run.Name)
				return nil
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "Run %s (%s, %s) is asked to end. To follow it: %s\n",
				run.Name, run.Operation, run.Phase, s.line("watch", args[0]))
			return nil
		},
		ValidArgsFunction: k.completeName,
	}
}
