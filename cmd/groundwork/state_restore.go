package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/groundwork-dev/groundwork/state"
)

func stateRestoreCommand(k *cluster) *cobra.Command {
	var yes, force bool
	c := &cobra.Command{
		Use:   "restore NAME [SERIAL]",
		Short: "Put an earlier state back",
		Long: `Puts a copy of the state back that state history lists, the newest or the one with SERIAL, when the
state is lost or damaged. It takes Terraform's lock, keeps a copy of the state that it replaces if that
can be read, and gives the restored one a new serial. Resources that were made since the copy are not in
it: look for them in the cloud before the next run makes them a second time.

It refuses while a run is under way or somebody has the lock. A state of another lineage is of another
beginning, such as an object of the same name before; --force replaces it all the same.`,
		Example: "  groundwork state restore orders-db -n shop\n  groundwork state restore orders-db 12 -n shop --yes",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			serial, err := s.serialToRestore(c.Context(), args)
			if err != nil {
				return err
			}
			return s.restore(c, args[0], serial, yes, force)
		},
		ValidArgsFunction: k.completeSerial,
	}
	yesFlag(c, &yes)
	c.Flags().BoolVar(&force, "force", false, "replace a state of another lineage, too")
	return c
}

// serialToRestore returns the serial that is meant: the one that was given, or that of
// the newest copy.
func (s *session) serialToRestore(ctx context.Context, args []string) (int64, error) {
	if len(args) > 1 {
		serial, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil || serial < 0 {
			return 0, misused(fmt.Errorf("got the serial %q, wanted a number that `%s` lists", args[1], s.line("state history", args[0])))
		}
		return serial, nil
	}
	copies, err := state.NewStore(s.client, s.system).History(ctx, state.Key(s.namespace, args[0]))
	if err != nil {
		return 0, err
	}
	if len(copies) == 0 {
		return 0, fmt.Errorf("no copy of a state of %s in namespace %s is kept; restore the Secret %s in namespace %s from a backup",
			args[0], s.namespace, state.SecretName(state.Key(s.namespace, args[0])), s.system)
	}
	return copies[0].Serial, nil
}

// restore shows what is put back in place of what, and does it.
func (s *session) restore(c *cobra.Command, name string, serial int64, yes, force bool) error {
	key, store, out := state.Key(s.namespace, name), state.NewStore(s.client, s.system), c.OutOrStdout()
	planned, err := store.Restorable(c.Context(), key, serial, force)
	if err != nil {
		return s.explainRestore(name, err)
	}
	fmt.Fprintf(out, "To be put back: serial %d, %s.\nThe state now:  %s.\n", planned.Copy.Serial, describeCopy(planned.Copy, time.Now()), describeCurrent(planned))
	lock, err := store.Lock(c.Context(), key)
	if err != nil {
		return err
	}
	if lock != nil {
		return fmt.Errorf("the state of %s is locked by %s; if they do not work on it any more: %s", name, holder(lock, time.Now()), s.line("state unlock", name))
	}
	if err := confirm(c, yes, fmt.Sprintf("Replace the state of %s?", name)); err != nil {
		return err
	}
	done, err := store.Restore(c.Context(), key, serial, force, whoami(), time.Now())
	if err != nil {
		return s.explainRestore(name, err)
	}
	fmt.Fprintf(out, "The state of %s is that of serial %d again, with the serial %d.\nTo go on from it: %s\n", name, serial, done.Serial, s.line("reconcile", name))
	return nil
}

// describeCurrent says what a restore replaces.
func describeCurrent(r *state.Restoration) string {
	switch {
	case r.Current != nil:
		return fmt.Sprintf("serial %d, %d resources", r.Current.Serial, r.Current.Resources)
	case errors.Is(r.Fault, state.ErrAbsent):
		return "gone"
	default:
		return "unreadable: " + r.Fault.Error()
	}
}

// explainRestore adds to a refusal what to do.
func (s *session) explainRestore(name string, err error) error {
	switch {
	case errors.Is(err, state.ErrRunUnderWay):
		return fmt.Errorf("%w: %s", err, s.line("cancel", name))
	case errors.Is(err, state.ErrOtherLineage):
		return fmt.Errorf("%w; to replace it all the same, pass --force", err)
	case errors.Is(err, state.ErrLocked):
		return fmt.Errorf("%w; to see by whom, and to release it: %s", err, s.line("state unlock", name))
	case errors.Is(err, state.ErrCurrent), errors.Is(err, state.ErrAbsent):
		return fmt.Errorf("%w; to list what is kept: %s", err, s.line("state history", name))
	}
	return err
}

// whoami is user@host, as Terraform writes it into its locks.
func whoami() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return name + "@" + host
}
