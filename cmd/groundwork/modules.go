package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/groundwork-dev/groundwork/modules"
)

// modulesCommand returns the commands about modules.
func modulesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "modules",
		Aliases: []string{"module"},
		Short:   "List, show, make and check modules",
		Args:    cobra.NoArgs,
		RunE:    help,
	}
	c.AddCommand(modulesListCommand(), modulesShowCommand(), modulesNewCommand(), modulesTestCommand(), modulesDocsCommand())
	return c
}

// libraryFlag adds the flag that says which library is meant.
func libraryFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVarP(dir, "library", "l", "", "`DIR` of a module library, a folder a module (default: the library that comes with Groundwork)")
	_ = c.MarkFlagDirname("library") // the flag is there
}

// library loads the library in a folder, or the bundled one for "".
func library(dir string) (*modules.Catalogue, error) {
	if dir == "" {
		return modules.Bundled()
	}
	return modules.Load(os.DirFS(dir))
}

func modulesListCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the modules of a library",
		Example: "  groundwork modules list\n  groundwork modules list --library ./modules",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			catalogue, err := library(dir)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 3, ' ', 0)
			fmt.Fprintln(w, "NAME\tVERSION\tSUMMARY")
			for _, m := range catalogue.Modules() {
				fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, m.Version, m.Summary)
			}
			return w.Flush()
		},
	}
	libraryFlag(c, &dir)
	return c
}

// completeModule completes the name of a module of a library.
func completeModule(dir *string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		catalogue, err := library(*dir)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []cobra.Completion
		for _, m := range catalogue.Modules() {
			names = append(names, cobra.CompletionWithDesc(m.Name, m.Summary))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
