package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// shownEvents is how many events describe shows at most, the newest.
const shownEvents = 10

func describeCommand(k *cluster) *cobra.Command {
	return &cobra.Command{
		Use:   "describe NAME",
		Short: "Say what an Infrastructure is, what it waits for, and what to do",
		Long: `Says what is applied, whether it is ready and why not, what to do about it, the plan that waits, the
run under way, what it needs, its outputs, the last runs and events.`,
		Example: "  groundwork describe orders-db -n shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			d, err := s.describe(c.Context(), args[0])
			if err != nil {
				return err
			}
			d.print(c.OutOrStdout())
			return nil
		},
		ValidArgsFunction: k.completeName,
	}
}

// description is what describe shows.
type description struct {
	infra *v1alpha1.Infrastructure
	// needs are the Infrastructures that it needs, by name; nil for one that is not there.
	needs map[string]*v1alpha1.Infrastructure
	// events are the newest of the object, the oldest first.
	events []corev1.Event
	// noEvents says why there are none; empty when they could be read.
	noEvents string
	now      time.Time
	// line is the command line that does something with the object.
	line func(verb string) string
}

// describe reads what there is to know about an Infrastructure.
func (s *session) describe(ctx context.Context, name string) (*description, error) {
	infra, err := s.get(ctx, name)
	if err != nil {
		return nil, err
	}
	d := &description{
		infra: infra, needs: map[string]*v1alpha1.Infrastructure{}, now: time.Now(),
		line: func(verb string) string { return s.line(verb, name) },
	}
	for _, need := range needs(infra) {
		other := &v1alpha1.Infrastructure{}
		err := s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: need}, other)
		switch {
		case err == nil:
			d.needs[need] = other
		case apierrors.IsNotFound(err):
			d.needs[need] = nil
		default:
			return nil, err
		}
	}
	events := &corev1.EventList{}
	err = s.client.List(ctx, events, client.InNamespace(s.namespace), client.MatchingFields{"involvedObject.uid": string(infra.UID)})
	if missing, ok := missingRight(err); ok {
		d.noEvents = "you may not " + missing.String()
	} else if err != nil {
		return nil, err
	}
	d.events = newest(events.Items, shownEvents)
	return d, nil
}

// needs are the names of the Infrastructures that one needs, sorted.
func needs(infra *v1alpha1.Infrastructure) []string {
	var names []string
	for _, d := range infra.Spec.DependsOn {
		names = append(names, d.Name)
	}
	for _, v := range infra.Spec.VariablesFrom {
		if v.OutputRef != nil {
			names = append(names, v.OutputRef.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// newest returns the last n events, the oldest first.
func newest(events []corev1.Event, n int) []corev1.Event {
	slices.SortStableFunc(events, func(a, b corev1.Event) int { return eventTime(a).Compare(eventTime(b)) })
	return events[max(0, len(events)-n):]
}

// eventTime is when an event happened last.
func eventTime(e corev1.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	}
	return cmp.Or(e.EventTime.Time, e.CreationTimestamp.Time)
}

func (d *description) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, field := range d.fields() {
		fmt.Fprintf(t, "%s:\t%s\n", field[0], field[1])
	}
	t.Flush()
	for _, todo := range d.advice() {
		fmt.Fprintf(w, "\nWhat to do: %s\n", todo)
	}
	if plan := d.infra.Status.Plan; plan != nil && plan.ID != "" {
		fmt.Fprintln(w)
		printPlan(w, plan)
	}
	d.printHistory(w)
	d.printEvents(w)
}

// fields are the names and values of the first part.
func (d *description) fields() [][2]string {
	infra, s := d.infra, &d.infra.Status
	fields := [][2]string{{"Name", infra.Name}, {"Namespace", infra.Namespace}, {"Module", d.module()}}
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, [2]string{name, value})
		}
	}
	add("Provider config", cmp.Or(s.ProviderConfig, infra.Spec.ProviderConfig))
	if s.Resources > 0 {
		add("Resources", fmt.Sprint(s.Resources))
	}
	if at := infra.DeletionTimestamp; at != nil {
		add("Deleted", fmt.Sprintf("%s ago, with the policy %s", d.since(*at), infra.Spec.DeletionPolicy))
	}
	if len(s.Conditions) == 0 {
		add(v1alpha1.ConditionReady, standing(infra))
	}
	for _, name := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionStalled, v1alpha1.ConditionDrifted} {
		if c := meta.FindStatusCondition(s.Conditions, name); c != nil {
			add(name, d.condition(*c))
		}
	}
	if len(s.Conditions) > 0 && s.ObservedGeneration != infra.Generation {
		add("Note", "the spec has changed since; the controller has not looked at it yet")
	}
	if s.Run != nil {
		add("Run under way", fmt.Sprintf("%s (%s, %s) %s", s.Run.Name, s.Run.Operation, s.Run.Phase, s.Run.Message))
	}
	for _, name := range needs(infra) {
		add("Needs", d.need(name))
	}
	if s.Outputs != nil {
		add("Outputs", fmt.Sprintf("Secret %s: %s", s.Outputs.SecretName, strings.Join(s.Outputs.Keys, ", ")))
	}
	for _, warning := range s.Warnings {
		add("Warning", warning)
	}
	return fields
}

// module is the module that is applied, or else the one that is asked for.
func (d *description) module() string {
	spec, applied := d.infra.Spec, d.infra.Status.Module
	if applied == nil {
		return strings.TrimSpace(spec.Module+" "+spec.ModuleVersion) + ", not applied yet"
	}
	text := applied.Name + " " + applied.Version
	if applied.Bundle != "" {
		text += " of bundle " + applied.Bundle
	}
	if applied.Available != "" && applied.Available != applied.Version {
		text += ", " + applied.Available + " is available"
	}
	return text
}

// condition is a condition in one line. Stalled repeats what Ready says.
func (d *description) condition(c metav1.Condition) string {
	text := fmt.Sprintf("%s for %s, %s", c.Status, d.since(c.LastTransitionTime), c.Reason)
	if c.Type == v1alpha1.ConditionStalled || c.Message == "" {
		return text
	}
	return text + ": " + c.Message
}

// need is one that the object needs, and how it stands.
func (d *description) need(name string) string {
	other := d.needs[name]
	if other == nil {
		return name + ", which is not there"
	}
	return name + ", " + standing(other)
}

// advice is what to do, nothing for an object in good order.
func (d *description) advice() []string {
	var todo []string
	ready := readiness(d.infra)
	if ready.Reason == "" {
		todo = append(todo, "Wait a moment. If it stays so, the controller does not run or does not watch this namespace: ask your platform engineers.")
	} else if text := advice(ready.Reason, d.line); text != "" && ready.Reason != v1alpha1.ReasonInSync {
		todo = append(todo, text)
	}
	drifted := meta.FindStatusCondition(d.infra.Status.Conditions, v1alpha1.ConditionDrifted)
	if drifted != nil {
		todo = append(todo, advice(drifted.Reason, d.line))
	}
	return todo
}

func (d *description) printHistory(w io.Writer) {
	history := d.infra.Status.History
	if len(history) == 0 {
		return
	}
	fmt.Fprintln(w, "\nLast runs:")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, run := range history {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s ago\n", run.Run, run.Operation, run.Outcome, d.since(run.FinishedAt))
	}
	t.Flush()
}

func (d *description) printEvents(w io.Writer) {
	if d.noEvents != "" {
		fmt.Fprintf(w, "\nEvents: %s\n", d.noEvents)
	}
	if len(d.events) == 0 {
		return
	}
	fmt.Fprintln(w, "\nEvents:")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range d.events {
		fmt.Fprintf(t, "  %s ago\t%s\t%s\n", d.since(metav1.NewTime(eventTime(e))), e.Reason, e.Message)
	}
	t.Flush()
}

// since is the time since then, as kubectl writes it.
func (d *description) since(then metav1.Time) string {
	return duration.HumanDuration(d.now.Sub(then.Time))
}
