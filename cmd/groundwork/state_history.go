package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/state"
)

// pastState is a state as history shows it: a copy that is kept, or the state as it is
// now. Of that, when it is not copied yet, there is neither run nor time nor size.
type pastState struct {
	Serial           int64        `json:"serial"`
	Lineage          string       `json:"lineage"`
	Run              string       `json:"run,omitempty"`
	KeptAt           *metav1.Time `json:"keptAt,omitempty"`
	Resources        int          `json:"resources"`
	TerraformVersion string       `json:"terraformVersion"`
	// Size is in bytes.
	Size int `json:"size,omitempty"`
	// Current says that it is the state as it is now.
	Current bool `json:"current"`
}

func stateHistoryCommand(k *cluster) *cobra.Command {
	var form string
	c := &cobra.Command{
		Use:   "history NAME",
		Short: "List the states that are kept",
		Long: `Lists the state as it is now and the copies of it that are kept, newest first. A copy is made when a
run has changed the state; the newest three are kept.`,
		Example: "  groundwork state history orders-db -n shop\n  groundwork state history orders-db -n shop -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			states, err := s.stateHistory(c.Context(), args[0], c.ErrOrStderr())
			if err != nil {
				return err
			}
			return printStates(c.OutOrStdout(), form, states, time.Now())
		},
		ValidArgsFunction: k.completeName,
	}
	formFlag(c, &form, formTable, formJSON, formYAML)
	return c
}

// stateHistory reads the states of an Infrastructure, newest first. That there is none
// now, or none that can be read, is said to notes.
func (s *session) stateHistory(ctx context.Context, name string, notes io.Writer) ([]pastState, error) {
	key, store := state.Key(s.namespace, name), state.NewStore(s.client, s.system)
	copies, err := store.History(ctx, key)
	if err != nil {
		return nil, err
	}
	current, err := store.Read(ctx, key)
	switch {
	case errors.Is(err, state.ErrAbsent) && len(copies) == 0:
		return nil, s.noState(name, err)
	case errors.Is(err, state.ErrAbsent):
		fmt.Fprintf(notes, "The state itself is gone; to put one of these back: %s\n", s.line("state restore", name))
	case errors.Is(err, state.ErrUnreadable):
		fmt.Fprintf(notes, "The state itself cannot be read: %v. To put one of these back: %s\n", err, s.line("state restore", name))
	case err != nil:
		return nil, err
	}
	return pastStates(copies, current), nil
}

// pastStates are the copies, and the state as it is now, nil for none, if it is none of
// them.
func pastStates(copies []state.Copy, current *state.State) []pastState {
	states := []pastState{}
	for i := range copies {
		c := &copies[i]
		states = append(states, pastState{
			Serial: c.Serial, Lineage: c.Lineage, Run: c.Run, KeptAt: &metav1.Time{Time: c.KeptAt},
			Resources: c.Resources, TerraformVersion: c.TerraformVersion, Size: c.Size,
			Current: current != nil && c.Serial == current.Serial && c.Lineage == current.Lineage,
		})
	}
	if current != nil && !slices.ContainsFunc(states, func(s pastState) bool { return s.Current }) {
		states = slices.Insert(states, 0, pastState{
			Serial: current.Serial, Lineage: current.Lineage, Resources: current.Resources,
			TerraformVersion: current.TerraformVersion, Current: true,
		})
	}
	return states
}

// printStates prints states in a form.
func printStates(w io.Writer, form string, states []pastState, now time.Time) error {
	if form != formTable {
		return printData(w, form, states)
	}
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "SERIAL\tRUN\tKEPT\tRESOURCES\tTERRAFORM\tSIZE\tCURRENT")
	for _, s := range states {
		current := ""
		if s.Current {
			current = "yes"
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%s\t%s\t%s\n", s.Serial, cmp.Or(s.Run, "-"), ago(s.KeptAt, now), s.Resources, s.TerraformVersion, size(s.Size), current)
	}
	return t.Flush()
}

// size is a number of bytes for people, "-" for 0.
func size(bytes int) string {
	if bytes == 0 {
		return "-"
	}
	kib := (int64(bytes) + 1023) >> 10
	return resource.NewQuantity(kib<<10, resource.BinarySI).String()
}

// completeSerial completes the serial of a copy, after the name of an Infrastructure.
func (k *cluster) completeSerial(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return k.completeName(c, args, "")
	}
	return k.candidates(c, func(ctx context.Context, s *session) (serials []cobra.Completion) {
		copies, _ := state.NewStore(s.client, s.system).History(ctx, state.Key(s.namespace, args[0])) // an error completes nothing
		for _, kept := range copies {
			serials = append(serials, cobra.CompletionWithDesc(strconv.FormatInt(kept.Serial, 10), describeCopy(kept, time.Now())))
		}
		return serials
	})
}

// describeCopy says what a copy is.
func describeCopy(c state.Copy, now time.Time) string {
	text := fmt.Sprintf("%d resources, kept %s", c.Resources, ago(&metav1.Time{Time: c.KeptAt}, now))
	if c.Run != "" {
		text += " after run " + c.Run
	}
	return text
}
