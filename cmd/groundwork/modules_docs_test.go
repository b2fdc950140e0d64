package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	staleReadme   = "# x\n<!-- BEGIN GENERATED -->\nold\n<!-- END GENERATED -->\n"
	currentReadme = "# x\n<!-- BEGIN GENERATED -->\n### Variables\n\n" +
		"| Name | Type | Default | Description |\n| --- | --- | --- | --- |\n| `a` | `any` | required |  |\n" +
		"\n### Outputs\n\n| Name | Description | Sensitive |\n| --- | --- | --- |\n<!-- END GENERATED -->\n"
)

func TestUpdateDocs(t *testing.T) {
	cases := map[string]struct {
		readme string
		check  bool
		want   string // the README afterwards
		stale  int
		out    string
		err    string
	}{
		"A stale README is written.":                   {readme: staleReadme, want: currentReadme, stale: 1, out: "x/README.md written\n"},
		"A current README is left alone.":              {readme: currentReadme, want: currentReadme},
		"A check of a stale README says where.":        {readme: staleReadme, check: true, want: staleReadme, stale: 1, out: "x/README.md is stale: line 3\n- old\n+ ### Variables\n"},
		"A check of a current README is silent.":       {readme: currentReadme, check: true, want: currentReadme},
		"A README without the lines is named.":         {readme: "# x\n", want: "# x\n", err: "x/README.md has no lines <!-- BEGIN GENERATED --> and <!-- END GENERATED -->"},
		"A library with faults is not written.":        {readme: "", want: "", err: "the module library has faults:\nx: has no Terraform files"},
		"A module without a README is named in error.": {readme: "-", err: "x/README.md: no such file or directory"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "module.yaml", "version: 1.0.0\nsummary: s\n")
			if c.readme != "" {
				write(t, dir, "main.tf", "variable \"a\" {}\n")
			}
			if c.readme != "-" {
				write(t, dir, "README.md", c.readme)
			}
			var out bytes.Buffer
			stale, err := updateDocs(dir, c.check, &out)
			message := ""
			if err != nil {
				message = err.Error()
			}
			if !strings.HasSuffix(message, c.err) || (c.err == "") != (err == nil) {
				t.Errorf("error = %v, want %q", err, c.err)
			}
			if diff := cmp.Diff(c.out, strings.ReplaceAll(out.String(), dir+string(filepath.Separator), "")); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if stale != c.stale {
				t.Errorf("stale = %d, want %d", stale, c.stale)
			}
			got, _ := os.ReadFile(filepath.Join(dir, "x", "README.md"))
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("README (-want +got):\n%s", diff)
			}
		})
	}
}

// write writes a file of the module x.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x", name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
