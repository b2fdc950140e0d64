package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/state"
)

// pastRun is a run as history shows it. The status of an Infrastructure knows less of it
// than the Run: neither trigger nor start nor changes.
type pastRun struct {
	Run       string              `json:"run"`
	Operation v1alpha1.Operation  `json:"operation"`
	Trigger   v1alpha1.RunTrigger `json:"trigger,omitempty"`
	// Outcome is how it ended; its phase while it is under way.
	Outcome    string       `json:"outcome"`
	StartedAt  *metav1.Time `json:"startedAt,omitempty"`
	FinishedAt *metav1.Time `json:"finishedAt,omitempty"`
	Changes    string       `json:"changes,omitempty"`
}

func historyCommand(k *cluster) *cobra.Command {
	var form string
	c := &cobra.Command{
		Use:   "history NAME",
		Short: "List the runs of an Infrastructure",
		Long: `Lists the runs, newest first: those that the system namespace has, for platform engineers, also of an
object that is gone. For all others, the last five, from the object's status.`,
		Example: "  groundwork history orders-db -n shop\n  groundwork history orders-db -n shop -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			history, err := s.history(c.Context(), args[0], c.ErrOrStderr())
			if err != nil {
				return err
			}
			return printHistory(c.OutOrStdout(), form, history, time.Now())
		},
		ValidArgsFunction: k.completeName,
	}
	formFlag(c, &form, formTable, formJSON, formYAML)
	return c
}

// history reads the runs of an Infrastructure, newest first. What is left out for want
// of a right is said to notes.
func (s *session) history(ctx context.Context, name string, notes io.Writer) ([]pastRun, error) {
	runs, err := s.runs(ctx, name)
	if err == nil && len(runs) > 0 {
		return historyOfRuns(runs), nil
	}
	missing, forbidden := missingRight(err)
	if err != nil && !forbidden {
		return nil, err
	}
	infra, err := s.get(ctx, name)
	if err != nil {
		return nil, err
	}
	if forbidden {
		fmt.Fprintf(notes, "These are the last five at most: you may not %s.\n", missing)
	}
	return historyOfStatus(&infra.Status), nil
}

// runs reads the Runs of an Infrastructure, newest first.
func (s *session) runs(ctx context.Context, name string) ([]v1alpha1.Run, error) {
	list := &v1alpha1.RunList{}
	err := s.client.List(ctx, list, client.InNamespace(s.system), client.MatchingLabels{v1alpha1.LabelKey: state.Key(s.namespace, name)})
	// Their names are the key and a growing number.
	slices.SortFunc(list.Items, func(a, b v1alpha1.Run) int {
		return cmp.Or(cmp.Compare(len(b.Name), len(a.Name)), cmp.Compare(b.Name, a.Name))
	})
	return list.Items, err
}

func historyOfRuns(runs []v1alpha1.Run) []pastRun {
	history := make([]pastRun, 0, len(runs))
	for i := range runs {
		run := &runs[i]
		past := pastRun{
			Run: run.Name, Operation: run.Spec.Operation, Trigger: run.Spec.Trigger,
			Outcome:   cmp.Or(string(run.Status.Reason), string(run.Status.Phase)),
			StartedAt: cmp.Or(run.Status.StartedAt, &run.CreationTimestamp), FinishedAt: run.Status.FinishedAt,
		}
		if run.Status.Plan != nil {
			past.Changes = counts(run.Status.Plan)
		}
		history = append(history, past)
	}
	return history
}

// historyOfStatus is what an Infrastructure says of its runs itself.
func historyOfStatus(status *v1alpha1.InfrastructureStatus) []pastRun {
	history := []pastRun{}
	if run := status.Run; run != nil {
		history = append(history, pastRun{Run: run.Name, Operation: run.Operation, Outcome: string(run.Phase)})
	}
	for i := range status.History {
		run := &status.History[i]
		history = append(history, pastRun{Run: run.Run, Operation: run.Operation, Outcome: string(run.Outcome), FinishedAt: &run.FinishedAt})
	}
	return history
}

// printHistory prints runs in a form.
func printHistory(w io.Writer, form string, history []pastRun, now time.Time) error {
	if form != formTable {
		return printData(w, form, history)
	}
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "RUN\tOPERATION\tTRIGGER\tOUTCOME\tSTARTED\tTOOK\tFINISHED\tCHANGES")
	for _, run := range history {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", run.Run, run.Operation, cmp.Or(string(run.Trigger), "-"), run.Outcome,
			ago(run.StartedAt, now), run.took(), ago(run.FinishedAt, now), cmp.Or(run.Changes, "-"))
	}
	return t.Flush()
}

// took is how long the run took, "-" when that is not known.
func (r pastRun) took() string {
	if r.StartedAt == nil || r.FinishedAt == nil {
		return "-"
	}
	return duration.HumanDuration(r.FinishedAt.Sub(r.StartedAt.Time))
}

// ago is the time since then, "-" for no time.
func ago(then *metav1.Time, now time.Time) string {
	if then == nil {
		return "-"
	}
	return duration.HumanDuration(now.Sub(then.Time)) + " ago"
}

// printData prints data that is not an API object as JSON or YAML.
func printData(w io.Writer, form string, data any) error {
	b, err := json.MarshalIndent(data, "", "  ")
	if form == formYAML {
		b, err = yaml.Marshal(data)
	} else {
		b = append(b, '\n')
	}
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
