package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// run runs the command and returns what it printed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := newCommand("groundwork")
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&out)
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

// mustRun is run for what has to succeed.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	out, err := run(t, args...)
	if err != nil {
		t.Fatalf("groundwork %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// TestCommand_help checks that every command says what it does and how it is used.
func TestCommand_help(t *testing.T) {
	var check func(*cobra.Command)
	check = func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s has no short help", c.CommandPath())
		}
		if !c.HasSubCommands() && c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(newCommand("groundwork"))
}

func TestCommand_errors(t *testing.T) {
	empty := t.TempDir()
	cases := map[string]struct {
		args []string
		want string
	}{
		"A module that there is not.":      {[]string{"modules", "show", "aws-s3-buckt"}, `did you mean "aws-s3-bucket"?`},
		"A form that there is not.":        {[]string{"modules", "show", "aws-s3-bucket", "-o", "html"}, `--output: got "html", wanted one of example, json, markdown, policy, schema, yaml`},
		"A library that is not there.":     {[]string{"modules", "list", "-l", filepath.Join(empty, "gone")}, "read the module library"},
		"A name that no object may have.":  {[]string{"modules", "new", "Team_Cache"}, `got the name "Team_Cache"`},
		"A folder without a module.":       {[]string{"modules", "test", empty}, "is neither a module nor a library"},
		"A command that there is not.":     {[]string{"module", "sho"}, `unknown command "sho"`},
		"An argument that is one too many": {[]string{"modules", "show", "a", "b"}, "accepts 1 arg(s), received 2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if out, err := run(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got the error %v, want one with %q\n%s", err, c.want, out)
			}
		})
	}
}

// TestModulesNew makes a module, which conforms, and is not made again.
func TestModulesNew(t *testing.T) {
	library := filepath.Join(t.TempDir(), "modules")
	mustRun(t, "modules", "new", "team-cache", "-l", library)
	if out := mustRun(t, "modules", "test", library); out != "ok   team-cache\n" {
		t.Errorf("modules test: %s", out)
	}
	if out := mustRun(t, "modules", "list", "-l", library); !strings.Contains(out, "team-cache   0.1.0") {
		t.Errorf("modules list: %s", out)
	}
	if _, err := run(t, "modules", "new", "team-cache", "-l", library); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("modules new, again: %v", err)
	}
	if err := os.WriteFile(filepath.Join(library, "team-cache", "main.tf"), []byte("resource {"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t, "modules", "test", filepath.Join(library, "team-cache"))
	if err == nil || !strings.HasPrefix(out, "FAIL team-cache\n     team-cache/main.tf:1: ") {
		t.Errorf("modules test of a broken module: %v\n%s", err, out)
	}
	if entries, err := os.ReadDir(library); err != nil || len(entries) != 1 {
		t.Errorf("the library has %v, want the module alone: %v", entries, err)
	}
}

func TestModulesShow(t *testing.T) {
	for form, check := range map[string]func(string) bool{
		"markdown": func(out string) bool {
			return strings.HasPrefix(out, "# aws-s3-bucket 1.") && strings.Contains(out, "### Example") && strings.Contains(out, "| `name` | `string` | required |")
		},
		"yaml": func(out string) bool {
			m := &v1alpha1.Module{}
			return yaml.UnmarshalStrict([]byte(out), m) == nil && m.Name == "aws-s3-bucket" && m.Spec.Example != ""
		},
		"json": func(out string) bool { return json.Unmarshal([]byte(out), &v1alpha1.Module{}) == nil },
		"schema": func(out string) bool {
			return json.Valid([]byte(out)) && strings.Contains(out, `"const": "aws-s3-bucket"`)
		},
		"policy":  func(out string) bool { return json.Valid([]byte(out)) && strings.Contains(out, `"2012-10-17"`) },
		"example": func(out string) bool { return yaml.UnmarshalStrict([]byte(out), &v1alpha1.Infrastructure{}) == nil },
	} {
		if out := mustRun(t, "modules", "show", "aws-s3-bucket", "-o", form); !check(out) {
			t.Errorf("modules show -o %s:\n%s", form, out)
		}
	}
}

func TestCompletion(t *testing.T) {
	if out := mustRun(t, "__complete", "modules", "show", ""); !strings.Contains(out, "aws-s3-bucket\tA private, encrypted S3 bucket") {
		t.Errorf("completion of modules show:\n%s", out)
	}
	if out := mustRun(t, "__complete", "bundle", "build", "-t", "bundle:1", "--"); !strings.Contains(out, "--from\t") || !strings.Contains(out, "--providers\t") {
		t.Errorf("completion of the flags of bundle build:\n%s", out)
	}
	if out := mustRun(t, "__complete", "bundle", "build", ""); !strings.Contains(out, "ShellCompDirectiveFilterDirs") {
		t.Errorf("completion of bundle build:\n%s", out)
	}
	if out := mustRun(t, "__complete", "modules", "show", "aws-s3-bucket", "-o", ""); !strings.Contains(out, "\nschema\n") {
		t.Errorf("completion of -o:\n%s", out)
	}
}
