package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groundwork-dev/groundwork/state"
)

func stateCommand(k *cluster) *cobra.Command {
	c := &cobra.Command{
		Use:   "state",
		Short: "Look into the Terraform state of an Infrastructure, put an earlier one back, and release its lock",
		Long: `For those who may read the Secrets of the system namespace, where the states are. NAME is that of the
Infrastructure, which need not be there any more.`,
		Args: cobra.NoArgs,
		RunE: help,
	}
	c.AddCommand(stateListCommand(k), stateShowCommand(k), stateHistoryCommand(k), stateRestoreCommand(k), stateUnlockCommand(k))
	return c
}

func stateListCommand(k *cluster) *cobra.Command {
	return &cobra.Command{
		Use:     "list NAME",
		Short:   "List the addresses of the resources in the state",
		Example: "  groundwork state list orders-db -n shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			resources, err := s.resources(c.Context(), args[0])
			for _, r := range resources {
				fmt.Fprintln(c.OutOrStdout(), r.Address+remark(r))
			}
			return err
		},
		ValidArgsFunction: k.completeName,
	}
}

func stateShowCommand(k *cluster) *cobra.Command {
	var form string
	c := &cobra.Command{
		Use:   "show NAME ADDRESS",
		Short: "Show the attributes of a resource in the state",
		Long: `Shows the attributes of a resource. Those that the module or the provider calls sensitive are masked, as
terraform state show does; a provider that copies one to another attribute may still give it away.`,
		Example: `  groundwork state show orders-db aws_db_instance.this -n shop
  groundwork state show orders-db aws_db_instance.this -n shop -o json`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			resources, err := s.resources(c.Context(), args[0])
			if err != nil {
				return err
			}
			r, err := resourceAt(resources, args[1])
			if err != nil {
				return fmt.Errorf("%w; to list them: %s", err, s.line("state list", args[0]))
			}
			if text := remark(r); text != "" {
				fmt.Fprintf(c.ErrOrStderr(), "%s%s\n", r.Address, text)
			}
			return printData(c.OutOrStdout(), form, r.Attributes)
		},
		ValidArgsFunction: k.completeAddress,
	}
	formFlag(c, &form, formYAML, formJSON)
	return c
}

// resources reads what is in the state of an Infrastructure.
func (s *session) resources(ctx context.Context, name string) ([]state.Resource, error) {
	resources, err := state.NewStore(s.client, s.system).Resources(ctx, state.Key(s.namespace, name))
	if errors.Is(err, state.ErrAbsent) {
		return nil, s.noState(name, err)
	}
	return resources, err
}

// noState says that there is no state of an Infrastructure.
func (s *session) noState(name string, err error) error {
	return fmt.Errorf("there is no state of an Infrastructure %q in namespace %s: nothing of it was ever applied, or it is destroyed: %w", name, s.namespace, err)
}

// resourceAt returns the resource with the address: the current object, else the first
// that was replaced and not destroyed yet.
func resourceAt(resources []state.Resource, address string) (state.Resource, error) {
	var found *state.Resource
	for i := range resources {
		r := &resources[i]
		if r.Address == address && (found == nil || r.Deposed == "") {
			found = r
		}
	}
	if found == nil {
		return state.Resource{}, fmt.Errorf("the state has no resource %s", address)
	}
	return *found, nil
}

// remark is what is unusual about a resource, with a space before; mostly empty.
func remark(r state.Resource) string {
	var remarks []string
	if r.Tainted {
		remarks = append(remarks, "tainted: the next apply replaces it")
	}
	if r.Deposed != "" {
		remarks = append(remarks, "deposed "+r.Deposed+": the next apply destroys it")
	}
	if len(remarks) == 0 {
		return ""
	}
	return " (" + strings.Join(remarks, "; ") + ")"
}
