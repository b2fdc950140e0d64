package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// hidden stands for a value that is not shown.
const hidden = "(hidden)"

func outputsCommand(k *cluster) *cobra.Command {
	var show bool
	var form string
	c := &cobra.Command{
		Use:   "outputs NAME [KEY]",
		Short: "List the outputs in the Secret of an Infrastructure",
		Long: `Lists the keys of the output Secret, and with --show their values too. With KEY and --show it prints that
value alone, without a newline of its own.`,
		Example: `  groundwork outputs orders-db -n shop
  psql "$(groundwork outputs orders-db DATABASE_URL --show -n shop)"`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 && !show {
				return misused(fmt.Errorf("the value of %s is printed with --show only", args[1]))
			}
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			values, err := s.outputs(c.Context(), args[0], show)
			if err != nil {
				return err
			}
			if len(args) > 1 {
				return printOutput(c.OutOrStdout(), values, args[0], args[1])
			}
			return printOutputs(c.OutOrStdout(), form, values)
		},
		ValidArgsFunction: k.completeOutput,
	}
	formFlag(c, &form, formTable, formJSON, formYAML)
	c.Flags().BoolVar(&show, "show", false, "show the values, which are often secret")
	return c
}

// outputs returns the outputs by key. Without show the values are hidden, and the
// Secret is not read.
func (s *session) outputs(ctx context.Context, name string, show bool) (map[string]string, error) {
	infra, err := s.get(ctx, name)
	if err != nil {
		return nil, err
	}
	if infra.Status.Outputs == nil {
		return nil, fmt.Errorf("%s has no outputs yet: %s", name, standing(infra))
	}
	if !show {
		return hide(infra.Status.Outputs), nil
	}
	secret := &corev1.Secret{}
	err = s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: infra.Status.Outputs.SecretName}, secret)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("the output Secret %s of %s is not there; the controller writes it again: %s", infra.Status.Outputs.SecretName, name, standing(infra))
	}
	values := make(map[string]string, len(secret.Data))
	for key, value := range secret.Data {
		values[key] = string(value)
	}
	return values, err
}

// hide returns the keys of outputs, with hidden values.
func hide(outputs *v1alpha1.OutputsStatus) map[string]string {
	values := make(map[string]string, len(outputs.Keys))
	for _, key := range outputs.Keys {
		values[key] = hidden
	}
	return values
}

// printOutput prints the value of one output.
func printOutput(w io.Writer, values map[string]string, name, key string) error {
	value, ok := values[key]
	if !ok {
		keys := strings.Join(slices.Sorted(maps.Keys(values)), ", ")
		return fmt.Errorf("%s has no output %q; it has %s", name, key, cmp.Or(keys, "none"))
	}
	_, err := io.WriteString(w, value)
	return err
}

// printOutputs prints outputs in a form; in a table, one of several lines is indented.
func printOutputs(w io.Writer, form string, values map[string]string) error {
	if form != formTable {
		return printData(w, form, values)
	}
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "KEY\tVALUE")
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := strings.TrimSuffix(values[key], "\n")
		fmt.Fprintf(t, "%s\t%s\n", key, strings.ReplaceAll(value, "\n", "\n\t"))
	}
	return t.Flush()
}
