package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/state"
)

func stateUnlockCommand(k *cluster) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "unlock NAME",
		Short: "Release the lock of a state whose holder does not run any more",
		Long: `Shows who holds the lock of the state, and releases that very lock. That of a runner pod that is there is
not released: it goes with the run.

Terraform must not run any more where the lock was taken: two at once spoil the state. That of a
runner pod that is gone is released by the controller itself.`,
		Example: "  groundwork state unlock orders-db -n shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			key, store := state.Key(s.namespace, args[0]), state.NewStore(s.client, s.system)
			lock, err := store.Lock(c.Context(), key)
			if err != nil {
				return err
			}
			if lock == nil {
				fmt.Fprintf(c.OutOrStdout(), "The state of %s in namespace %s is not locked.\n", args[0], s.namespace)
				return nil
			}
			fmt.Fprintf(c.OutOrStdout(), "The state of %s is locked by %s.\n", args[0], holder(lock, time.Now()))
			if err := s.refuseRunner(c.Context(), args[0], lock); err != nil {
				return err
			}
			if err := confirm(c, yes, "Release the lock? Only if its holder does not run any more."); err != nil {
				return err
			}
			if err := store.Unlock(c.Context(), key, lock); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "Lock %s is released.\n", lock.ID)
			return nil
		},
		ValidArgsFunction: k.completeName,
	}
	yesFlag(c, &yes)
	return c
}

// refuseRunner fails when the lock's holder is a pod of the system namespace that is
// there.
func (s *session) refuseRunner(ctx context.Context, name string, lock *state.Lock) error {
	if lock.Pod() == "" {
		return nil
	}
	err := s.client.Get(ctx, client.ObjectKey{Namespace: s.system, Name: lock.Pod()}, &corev1.Pod{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("the runner pod %s is there, and its lock is not released: Terraform would write the state twice. To end the run: %s", lock.Pod(), s.line("cancel", name))
}

// holder says who holds a lock, since when, and for what.
func holder(lock *state.Lock, now time.Time) string {
	if lock.Who == "" {
		return fmt.Sprintf("someone who does not say who they are (lock %s)", lock.ID)
	}
	with := ""
	if lock.Version != "" { // a restore is not Terraform's
		with = " with Terraform " + lock.Version
	}
	return fmt.Sprintf("%s since %s (%s ago), for %s%s (lock %s)", lock.Who, lock.Created.UTC().Format(time.RFC3339),
		duration.HumanDuration(now.Sub(lock.Created)), lock.Operation, with, lock.ID)
}
