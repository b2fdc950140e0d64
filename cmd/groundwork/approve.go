package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func approveCommand(k *cluster) *cobra.Command {
	var yes, wait bool
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "approve NAME [PLAN-ID]",
		Short: "Approve the plan that waits",
		Long: `Shows the plan that waits for approval, or that would put back what has drifted, and approves it:
just that plan, once. With PLAN-ID nothing is approved but the plan with that id.`,
		Example: "  groundwork approve orders-db -n shop\n  groundwork approve orders-db 5d1f0c22a9 -n shop --yes --wait",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			infra, err := s.get(c.Context(), args[0])
			if err != nil {
				return err
			}
			want := ""
			if len(args) > 1 {
				want = args[1]
			}
			id, err := planToApprove(infra, want)
			if err != nil {
				return err
			}
			printPlan(c.OutOrStdout(), infra.Status.Plan)
			if err := confirm(c, yes, "Approve it?"); err != nil {
				return err
			}
			if err := s.approve(c.Context(), infra.Name, id); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "Plan %s of %s is approved.\n", id, infra.Name)
			return s.waitIf(c, wait, infra.Name, timeout)
		},
		ValidArgsFunction: k.completePlan,
	}
	yesFlag(c, &yes)
	waitFlags(c, &wait, &timeout)
	return c
}

// yesFlag adds the flag by which nobody is asked.
func yesFlag(c *cobra.Command, yes *bool) {
	c.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
}

// approve approves a plan of an Infrastructure, if it is still the one that waits.
func (s *session) approve(ctx context.Context, name, id string) error {
	return s.change(ctx, name, func(infra *v1alpha1.Infrastructure) error {
		if _, err := planToApprove(infra, id); err != nil {
			return err
		}
		annotate(infra, v1alpha1.AnnotationApprove, id)
		return nil
	})
}

// planToApprove returns the id of the plan that can be approved; want is the one that
// is meant, or empty.
func planToApprove(infra *v1alpha1.Infrastructure, want string) (string, error) {
	plan := infra.Status.Plan
	switch {
	case plan == nil || plan.ID == "":
		return "", fmt.Errorf("%s has no plan that can be approved: %s", infra.Name, standing(infra))
	case want != "" && want != plan.ID:
		return "", fmt.Errorf("the plan of %s is %s (%s), not %s: look at it, and approve that one or none", infra.Name, plan.ID, counts(plan), want)
	case infra.Annotations[v1alpha1.AnnotationApprove] == plan.ID:
		return "", fmt.Errorf("plan %s of %s is approved already: %s", plan.ID, infra.Name, standing(infra))
	}
	return plan.ID, nil
}
