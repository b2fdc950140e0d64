package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func suspendCommand(k *cluster) *cobra.Command {
	return &cobra.Command{
		Use:     "suspend NAME",
		Short:   "Start no new runs",
		Long:    "Sets spec.suspend: no new run is started, nor a destroy. A run under way goes on to its end.",
		Example: "  groundwork suspend orders-db -n shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return k.setSuspend(c, args[0], true)
		},
		ValidArgsFunction: k.completeName,
	}
}

func resumeCommand(k *cluster) *cobra.Command {
	return &cobra.Command{
		Use:     "resume NAME",
		Short:   "Start runs again",
		Long:    "Takes spec.suspend back.",
		Example: "  groundwork resume orders-db -n shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return k.setSuspend(c, args[0], false)
		},
		ValidArgsFunction: k.completeName,
	}
}

// setSuspend sets spec.suspend and says what that means.
func (k *cluster) setSuspend(c *cobra.Command, name string, suspend bool) error {
	s, err := k.session(c.ErrOrStderr())
	if err != nil {
		return err
	}
	var infra *v1alpha1.Infrastructure
	err = s.change(c.Context(), name, func(read *v1alpha1.Infrastructure) error {
		infra = read
		infra.Spec.Suspend = suspend
		return nil
	})
	if err != nil {
		return err
	}
	if !suspend {
		fmt.Fprintf(c.OutOrStdout(), "%s is resumed.\n", name)
	} else {
		fmt.Fprintf(c.OutOrStdout(), "%s is suspended: no run is started until `%s`.\n", name, s.line("resume", name))
		if infra.Status.Run != nil {
			fmt.Fprintf(c.OutOrStdout(), "Run %s is under way and goes on; to end it: %s\n", infra.Status.Run.Name, s.line("cancel", name))
		}
	}
	if by := manager(infra); by != "" {
		fmt.Fprintf(c.OutOrStdout(), "%s puts spec.suspend back when its chart or source sets it; set it there too if it is to last.\n", by)
	}
	return nil
}

// manager is the tool that the object's labels say it comes from, empty without one.
func manager(infra *v1alpha1.Infrastructure) string {
	switch {
	case infra.Labels["helm.toolkit.fluxcd.io/name"] != "" || infra.Labels["kustomize.toolkit.fluxcd.io/name"] != "":
		return "Flux"
	case infra.Labels["app.kubernetes.io/managed-by"] == "Helm":
		return "Helm"
	}
	return ""
}
