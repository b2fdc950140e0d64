package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// goal is what is waited for.
type goal string

const (
	goalReady goal = "ready"
	goalGone  goal = "gone"
)

// waitTimeout is how long commands wait by default.
const waitTimeout = 30 * time.Minute

func waitCommand(k *cluster) *cobra.Command {
	var wanted string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait NAME",
		Short: "Wait until an Infrastructure is ready or gone",
		Long: `Waits until the object is ready for its spec as it is now, an approval or a run that was asked for
included; or until it is gone.

` + exitCodes,
		Example: `  groundwork wait orders-db -n shop --timeout 15m
  groundwork wait orders-db -n shop --for gone`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			g := goal(strings.ToLower(wanted))
			if g != goalReady && g != goalGone {
				return misused(fmt.Errorf("--for: got %q, wanted %s or %s", wanted, goalReady, goalGone))
			}
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := s.wait(c.Context(), args[0], g, timeout); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is %s.\n", args[0], g)
			return nil
		},
		ValidArgsFunction: k.completeName,
	}
	c.Flags().StringVar(&wanted, "for", string(goalReady), "ready or gone")
	c.Flags().DurationVar(&timeout, "timeout", waitTimeout, "wait no longer; 0: for ever")
	forms := []string{string(goalReady), string(goalGone)}
	_ = c.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	return c
}

// waitFlags adds the flags of a command that can wait for what it has begun.
func waitFlags(c *cobra.Command, wait *bool, timeout *time.Duration) {
	c.Flags().BoolVar(wait, "wait", false, "wait until it is ready, with the exit codes of wait")
	c.Flags().DurationVar(timeout, "timeout", waitTimeout, "with --wait: wait no longer; 0: for ever")
}

// waitIf waits for readiness if it is asked for, and says so.
func (s *session) waitIf(c *cobra.Command, wait bool, name string, timeout time.Duration) error {
	if !wait {
		return nil
	}
	if err := s.wait(c.Context(), name, goalReady, timeout); err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "%s is ready.\n", name)
	return nil
}

// wait waits until an Infrastructure has reached a goal, or cannot by itself; its
// errors have exit codes. A timeout of 0 is none.
func (s *session) wait(ctx context.Context, name string, g goal, timeout time.Duration) error {
	ctx, cancel := watchtools.ContextWithOptionalTimeout(ctx, timeout)
	defer cancel()
	var last *v1alpha1.Infrastructure
	verdict := pending
	err := s.follow(ctx, name, func(infra *v1alpha1.Infrastructure) bool {
		verdict = judge(infra, g)
		if infra != nil {
			last = infra
		}
		return verdict != pending
	})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if verdict == lost && last == nil {
		return s.notThere(name)
	}
	return verdict.failure(last, timeout, s.line("describe", name))
}

// verdict is how an object stands to a goal.
type verdict int

const (
	pending verdict = iota
	reached
	// stalled and needsApproval: it cannot be reached without a person.
	stalled
	needsApproval
	// lost: it cannot be reached at all.
	lost
)

// judge says how an object, nil for none, stands to a goal. As kstatus does, it takes
// the conditions of an earlier generation for nothing.
// Source: https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
func judge(infra *v1alpha1.Infrastructure, g goal) verdict {
	if infra == nil {
		if g == goalGone {
			return reached
		}
		return lost
	}
	deleting := !infra.DeletionTimestamp.IsZero()
	ready := readiness(infra)
	switch {
	case g == goalReady && deleting:
		return lost
	case g == goalGone && !deleting, infra.Status.ObservedGeneration != infra.Generation, unanswered(infra):
		return pending
	case meta.IsStatusConditionTrue(infra.Status.Conditions, v1alpha1.ConditionStalled):
		return stalled
	case ready.Reason == v1alpha1.ReasonApprovalRequired:
		return needsApproval
	case g == goalReady && ready.Status == metav1.ConditionTrue:
		return reached
	}
	return pending
}

// unanswered tells whether the object was asked for something, by an annotation, that
// its status does not speak of yet.
func unanswered(infra *v1alpha1.Infrastructure) bool {
	if infra.Spec.Suspend {
		return false
	}
	if at := infra.Annotations[v1alpha1.AnnotationReconcile]; at != "" && at != infra.Status.LastHandledReconcileAt {
		return true
	}
	plan := infra.Status.Plan
	return plan != nil && plan.ID != "" && plan.ID == infra.Annotations[v1alpha1.AnnotationApprove] &&
		!meta.IsStatusConditionTrue(infra.Status.Conditions, v1alpha1.ConditionStalled)
}

// failure is the error of a wait that has ended with the verdict, on the object as it
// was last; nil when the goal is reached.
func (v verdict) failure(last *v1alpha1.Infrastructure, timeout time.Duration, describe string) error {
	switch v {
	case reached:
		return nil
	case stalled:
		return exitError{exitStalled, fmt.Errorf("%s is stalled, and a person has to change something: %s. What to do: %s", last.Name, standing(last), describe)}
	case needsApproval:
		return exitError{exitNeedsApproval, fmt.Errorf("%s waits for approval of plan %s", last.Name, planID(last))}
	case lost:
		return fmt.Errorf("%s is deleted, and cannot become ready any more", last.Name)
	}
	if last == nil { // the time was up before the first look
		return exitError{exitTimedOut, fmt.Errorf("nothing was seen within %s", timeout)}
	}
	return exitError{exitTimedOut, fmt.Errorf("the time was up after %s: %s of %s. What to do: %s", timeout, standing(last), last.Name, describe)}
}

// planID is the id of the object's plan, empty without one.
func planID(infra *v1alpha1.Infrastructure) string {
	if infra.Status.Plan == nil {
		return ""
	}
	return infra.Status.Plan.ID
}

// readiness is the condition Ready; of an object that nobody has looked at, one that
// says so.
func readiness(infra *v1alpha1.Infrastructure) metav1.Condition {
	if ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return *ready
	}
	return metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionUnknown,
		Message: "no controller has looked at it yet"}
}

// standing is how an object stands, for the middle of a message.
func standing(infra *v1alpha1.Infrastructure) string {
	ready := readiness(infra)
	text := "Ready is " + string(ready.Status)
	if ready.Reason != "" {
		text += ", " + ready.Reason
	}
	return text + ": " + ready.Message
}
