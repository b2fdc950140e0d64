package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/modules"
)

// moduleForms are what a module can be shown as, by the value of -o.
func moduleForms() map[string]func(*modules.Module) ([]byte, error) {
	return map[string]func(*modules.Module) ([]byte, error){
		"markdown": func(m *modules.Module) ([]byte, error) { return []byte(describe(m)), nil },
		"yaml":     func(m *modules.Module) ([]byte, error) { return yaml.Marshal(m.Object()) },
		"json":     func(m *modules.Module) ([]byte, error) { return json.MarshalIndent(m.Object(), "", "  ") },
		"schema":   func(m *modules.Module) ([]byte, error) { return json.MarshalIndent(m.InfrastructureSchema(), "", "  ") },
		"policy":   func(m *modules.Module) ([]byte, error) { return m.Policy(), nil },
		"example":  func(m *modules.Module) ([]byte, error) { return []byte(m.Example), nil },
	}
}

func modulesShowCommand() *cobra.Command {
	forms := moduleForms()
	names := slices.Sorted(maps.Keys(forms))
	var dir, form string
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Show what a module takes, gives and needs",
		Long: `Shows a module: its variables and outputs, an example, how long runs take, and the IAM policy it needs.

With -o schema it is a JSON Schema of the module's Infrastructures. An editor that
knows the YAML language server then completes and checks them, with this first line:

  # yaml-language-server: $schema=aws-s3-bucket.schema.json`,
		Example: `  groundwork modules show aws-rds-postgres
  groundwork modules show aws-rds-postgres -o example > orders-db.yaml
  groundwork modules show aws-rds-postgres -o policy > policy.json
  groundwork modules show aws-s3-bucket -o schema > aws-s3-bucket.schema.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			render, ok := forms[form]
			if !ok {
				return fmt.Errorf("--output: got %q, wanted one of %s", form, strings.Join(names, ", "))
			}
			catalogue, err := library(dir)
			if err != nil {
				return err
			}
			m, err := catalogue.Get(args[0], "")
			if err != nil {
				return err
			}
			b, err := render(m)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), strings.TrimSuffix(string(b), "\n"))
			return err
		},
		ValidArgsFunction: completeModule(&dir),
	}
	libraryFlag(c, &dir)
	c.Flags().StringVarP(&form, "output", "o", "markdown", "one of "+strings.Join(names, ", "))
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	return c
}

// describe returns all that there is to know of a module as Markdown.
func describe(m *modules.Module) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %s\n\n%s\n\n", m.Name, m.Version, m.Summary)
	if m.Example != "" {
		fmt.Fprintf(&b, "### Example\n\n```yaml\n%s\n```\n\n", strings.TrimSpace(m.Example))
	}
	b.WriteString(m.Reference())
	return b.String()
}
