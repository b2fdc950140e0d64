// Command groundwork is the command line of Groundwork; `groundwork help` says what
// it does. Under the name kubectl-infra it is a plugin of kubectl, `kubectl infra`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	name := programName(os.Args[0])
	err := newCommand(name).ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(exitCode(err))
	}
}

// programName is what people call the program whose file has that path.
func programName(path string) string {
	if strings.HasPrefix(filepath.Base(path), "kubectl-infra") {
		return "kubectl infra"
	}
	return "groundwork"
}

// newCommand returns the root of all commands, under the name that help shows.
func newCommand(name string) *cobra.Command {
	c := &cobra.Command{
		Use:   "groundwork",
		Short: "Terraform modules for apps on Kubernetes",
		Long: `groundwork is the command line of Groundwork, the Terraform controller for Kubernetes. It shows what
Infrastructures do and wait for, and answers them; and it makes and checks modules, and bundles
them into images.`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: name},
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          help,
	}
	c.AddCommand(modulesCommand(), bundleCommand())
	addClusterCommands(c)
	prepare(c, name)
	return c
}

// prepare gives a command and all in it the program's name in their examples, and the
// exit code for a wrong use.
func prepare(c *cobra.Command, name string) {
	c.Example = strings.ReplaceAll(c.Example, "groundwork ", name+" ")
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misused(err) })
	if args := c.Args; args != nil {
		c.Args = func(c *cobra.Command, given []string) error { return misused(args(c, given)) }
	}
	for _, sub := range c.Commands() {
		prepare(sub, name)
	}
}

// help is what a command does that has others inside it. With it, and no arguments,
// one that there is not is an error.
func help(c *cobra.Command, _ []string) error { return c.Help() }
