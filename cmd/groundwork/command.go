package main

import (
	"strings"

	"github.com/spf13/cobra"
)

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
