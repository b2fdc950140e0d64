// Command groundwork is the command line of Groundwork; `groundwork help` says what
// it does.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "groundwork:", err)
		os.Exit(1)
	}
}

// newCommand returns the root of all commands.
func newCommand() *cobra.Command {
	c := &cobra.Command{
		Use:           "groundwork",
		Short:         "Terraform modules for apps on Kubernetes",
		Long:          "groundwork makes, checks and shows modules for Groundwork, the Terraform controller for Kubernetes, and bundles them into images.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          help,
	}
	c.AddCommand(modulesCommand(), bundleCommand())
	return c
}

// help is what a command does that has others inside it. With it, and no arguments,
// one that there is not is an error.
func help(c *cobra.Command, _ []string) error { return c.Help() }
