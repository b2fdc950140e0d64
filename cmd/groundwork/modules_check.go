package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groundwork-dev/groundwork/modules/conformance"
	"github.com/groundwork-dev/groundwork/runner/bundle/install"
)

func modulesTestCommand() *cobra.Command {
	var o conformance.Options
	c := &cobra.Command{
		Use:   "test [DIR]",
		Short: "Check that modules conform",
		Long: `Checks the module in DIR, or every module of the library there (default: the current folder):

- module.yaml says version, summary, usual durations and, with AWS, the least IAM policy;
- variables and outputs are described, and the README's tables are current;
- each examples/*/infrastructure.yaml is an Infrastructure with the right variables and outputs;
- every provider is locked, and every validation has a test that sees it refuse something;
- terraform fmt, validate and test pass, the latter with mocked providers;
- with --previous: the version is another one than before when the files are, and a
  new minor version neither deletes nor replaces what is stateful.

Exits with 1 when a module does not conform.`,
		Example: `  groundwork modules test modules/team-cache
  groundwork modules test modules --providers /opt/providers
  git worktree add /tmp/released v1.4.0 && groundwork modules test modules --previous /tmp/released/modules`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			if o.Terraform == "" {
				var err error
				if o.Terraform, err = install.FindTerraform(c.Context(), ">= 1.11"); err != nil {
					return fmt.Errorf("%w; --terraform names another binary", err)
				}
			}
			reports, err := conformance.Test(c.Context(), dir, o)
			return errors.Join(printReports(c.OutOrStdout(), reports), err)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Terraform, "terraform", "", "`FILE` of Terraform or OpenTofu (default: on the PATH, or "+install.TerraformVersion+", downloaded)")
	f.StringVar(&o.Providers, "providers", "", "`DIR` with an unpacked filesystem mirror of providers (default: what Terraform is configured to use)")
	f.StringVar(&o.Previous, "previous", "", "`DIR` of a library with the previous versions, to compare with")
	return c
}

// printReports says what was found, and fails when a module does not conform.
func printReports(w io.Writer, reports []conformance.Report) error {
	var failed []string
	for _, r := range reports {
		word := "ok"
		if len(r.Faults) > 0 {
			word = "FAIL"
			failed = append(failed, r.Module)
		}
		fmt.Fprintf(w, "%-4s %s\n", word, r.Module)
		for _, f := range r.Faults {
			fmt.Fprintf(w, "     %s\n", strings.ReplaceAll(f.String(), "\n", "\n     "))
		}
		for _, note := range r.Notes {
			fmt.Fprintf(w, "     note: %s\n", note)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d modules do not conform: %s", len(failed), len(reports), strings.Join(failed, ", "))
	}
	return nil
}
