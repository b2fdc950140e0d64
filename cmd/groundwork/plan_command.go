package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	watchtools "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

const (
	// formText is the value of -o for people.
	formText = "text"
	// unwantedTTL is how long a Preview stays that could not be deleted: the command was
	// killed.
	unwantedTTL = 10 * time.Minute
	// deletePatience is how long the command tries to delete its Preview.
	deletePatience = 10 * time.Second
)

// planOptions are the flags of plan.
type planOptions struct {
	file, form     string
	exitCode, keep bool
	timeout        time.Duration
}

func planCommand(k *cluster) *cobra.Command {
	var o planOptions
	c := &cobra.Command{
		Use:   "plan {NAME | -f FILE}",
		Short: "Show what would be changed, and change nothing",
		Long: `Has a plan made by a runner, as for an apply, and prints it: of the object NAME as it is in the cluster, or
of the Infrastructures in a file as they would be when it is applied, be they there already or not. Other kinds in
the file are passed over; with - it is read from standard input. No lock is taken, and nothing is changed.

` + planExitCodes,
		Example: `  groundwork plan orders-db -n shop
  groundwork plan -f orders-db.yaml -n shop
  helm template orders ./chart | groundwork plan -f - -n shop --exit-code`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 1) == (o.file != "") {
				return misused(errors.New("got neither or both of NAME and --filename, wanted one of the two"))
			}
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			wanted, err := s.toPlan(c, k, args, o.file)
			if err != nil {
				return err
			}
			return s.plan(c, wanted, o)
		},
		ValidArgsFunction: k.completeName,
	}
	c.Flags().StringVarP(&o.file, "filename", "f", "", "plan the Infrastructures in `FILE`, YAML or JSON; - is standard input")
	formFlag(c, &o.form, formText, formJSON, formYAML)
	c.Flags().BoolVar(&o.exitCode, "exit-code", false, fmt.Sprintf("exit with %d when there are changes", exitChanges))
	c.Flags().BoolVar(&o.keep, "keep", false, "keep the Preview and its diff in the cluster, for an hour")
	c.Flags().DurationVar(&o.timeout, "timeout", waitTimeout, "wait no longer for each; 0: for ever")
	return c
}

// planExitCodes is the help of plan.
const planExitCodes = `Exit codes:
  0  the plan is made
  1  there is no plan: it failed
  2  the command was used wrongly
  3  the time was up
  4  a person has to change something: the spec has faults, or a policy denies the plan
  6  with --exit-code: the plan is made, and changes something`

// toPlan returns the objects that are to be planned.
func (s *session) toPlan(c *cobra.Command, k *cluster, args []string, file string) ([]v1alpha1.Infrastructure, error) {
	if len(args) == 0 {
		_, explicit, err := k.flags.ToRawKubeConfigLoader().Namespace()
		if err != nil {
			return nil, err
		}
		return readInfrastructures(c.InOrStdin(), c.ErrOrStderr(), file, s.namespace, explicit)
	}
	infra, err := s.get(c.Context(), args[0])
	if err != nil {
		return nil, err
	}
	return []v1alpha1.Infrastructure{*infra}, nil
}

// plan plans objects one after the other and prints what came of each; what fails does
// not keep the others from being planned.
func (s *session) plan(c *cobra.Command, wanted []v1alpha1.Infrastructure, o planOptions) error {
	var made []planned
	var failures []error
	for i := range wanted {
		infra := &wanted[i]
		p, err := s.planOne(c, infra, o, len(wanted) > 1)
		if c.Context().Err() != nil {
			return c.Context().Err()
		}
		if err != nil {
			failures = append(failures, err)
		}
		if p != nil && p.Status.Plan != nil {
			made = append(made, plannedOf(infra, p))
		}
	}
	if err := printPlanned(c.OutOrStdout(), o.form, made, len(wanted)); err != nil {
		return err
	}
	if len(failures) > 0 {
		return joined(failures)
	}
	for _, p := range made {
		if o.exitCode && p.changes {
			return exitError{exitChanges, errors.New("there are changes")}
		}
	}
	return nil
}

// joined is one error for several, with the exit code of the first.
func joined(failures []error) error {
	if len(failures) == 1 {
		return failures[0]
	}
	return exitError{exitCode(failures[0]), errors.Join(failures...)}
}

// planOne has one object planned, and prints the plan if that is for people. It deletes
// the Preview that it makes, whatever happens.
func (s *session) planOne(c *cobra.Command, infra *v1alpha1.Infrastructure, o planOptions, several bool) (*v1alpha1.Preview, error) {
	preview := newPreview(infra)
	if !o.keep {
		preview.Spec.TTL = metav1.Duration{Duration: unwantedTTL}
		defer s.deletePreview(c, preview)
	}
	if err := s.client.Create(c.Context(), preview, client.FieldOwner(fieldOwner)); err != nil {
		return nil, err
	}
	name := ""
	if several {
		name = infra.Namespace + "/" + infra.Name + ": "
	}
	ended, err := s.followPreview(c, preview, name, o.timeout)
	if err != nil {
		return nil, err
	}
	if o.keep {
		fmt.Fprintf(c.ErrOrStderr(), "%sPreview %s is kept for %s.\n", name, preview.Name, ended.Spec.TTL.Duration)
	}
	if o.form == formText {
		if err := s.printPreview(c, infra, ended); err != nil {
			return ended, err
		}
	}
	return ended, failureOf(ended, name)
}

// newPreview is a Preview of an object. Its name is chosen here: it has to be known
// should the answer of the API server get lost.
func newPreview(infra *v1alpha1.Infrastructure) *v1alpha1.Preview {
	const most = 200
	return &v1alpha1.Preview{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: infra.Namespace,
			Name:      strings.TrimRight(infra.Name[:min(len(infra.Name), most)], ".-") + "-" + rand.String(5),
		},
		Spec: v1alpha1.PreviewSpec{Infrastructure: v1alpha1.PreviewedInfrastructure{Name: infra.Name, Spec: infra.Spec}},
	}
}

// deletePreview deletes the command's Preview, also when the command was interrupted.
func (s *session) deletePreview(c *cobra.Command, preview *v1alpha1.Preview) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), deletePatience)
	defer cancel()
	err := s.client.Delete(ctx, preview)
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsForbidden(err) && preview.UID == "" || meta.IsNoMatchError(err) {
		return
	}
	fmt.Fprintf(c.ErrOrStderr(), "Preview %s could not be deleted; it goes by itself %s after its end: %v\n", preview.Name, unwantedTTL, err)
}

// followPreview waits for the end of a Preview and tells its progress.
func (s *session) followPreview(c *cobra.Command, preview *v1alpha1.Preview, name string, timeout time.Duration) (*v1alpha1.Preview, error) {
	ctx, cancel := watchtools.ContextWithOptionalTimeout(c.Context(), timeout)
	defer cancel()
	told := ""
	tell := func(message string) {
		if message != told {
			fmt.Fprintf(c.ErrOrStderr(), "%s%s\n", name, message)
			told = message
		}
	}
	var ended *v1alpha1.Preview
	gone := false
	err := s.followObject(ctx, client.ObjectKeyFromObject(preview), &v1alpha1.PreviewList{}, func(obj client.Object) bool {
		p, ok := obj.(*v1alpha1.Preview)
		if !ok {
			gone = true
			return true
		}
		ready := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady)
		switch {
		case ready == nil:
			tell("Waiting for the controller")
		case p.Status.FinishedAt != nil:
			ended = p
			return true
		default:
			tell(ready.Message)
		}
		return false
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, exitError{exitTimedOut, fmt.Errorf("%sthe time was up after %s: %s", name, timeout, told)}
	case err != nil:
		return nil, err
	case gone:
		return nil, fmt.Errorf("%sPreview %s was deleted before it had ended", name, preview.Name)
	}
	return ended, nil
}

// failureOf is the error of a Preview that has ended; nil when its plan is made.
func failureOf(p *v1alpha1.Preview, name string) error {
	ready := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Status == metav1.ConditionTrue {
		return nil
	}
	if len(p.Status.Faults) > 0 {
		lines := []string{fmt.Sprintf("%sthe spec of %s has faults:", name, p.Spec.Infrastructure.Name)}
		for _, f := range p.Status.Faults {
			lines = append(lines, fmt.Sprintf("  %s: %s", f.Field, f.Message))
		}
		return exitError{exitStalled, errors.New(strings.Join(lines, "\n"))}
	}
	err := fmt.Errorf("%s%s", name, ready.Message)
	if ready.Reason == v1alpha1.ReasonPlanFailed {
		return err
	}
	return exitError{exitStalled, err}
}

// diff reads Terraform's account of a plan; empty when there is none.
func (s *session) diff(ctx context.Context, p *v1alpha1.Preview, notes io.Writer) (string, error) {
	if p.Status.Diff == nil {
		return "", nil
	}
	secret := &corev1.Secret{}
	err := s.client.Get(ctx, client.ObjectKey{Namespace: p.Namespace, Name: p.Status.Diff.SecretName}, secret)
	if missing, forbidden := missingRight(err); forbidden {
		fmt.Fprintf(notes, "The values are left out: you may not %s.\n", missing)
		return "", nil
	}
	if apierrors.IsNotFound(err) {
		fmt.Fprintf(notes, "The values are left out: Secret %s is gone.\n", p.Status.Diff.SecretName)
		return "", nil
	}
	return string(secret.Data[v1alpha1.DiffKey]), err
}
