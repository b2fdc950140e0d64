package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/groundwork-dev/groundwork/modules"
)

func modulesDocsCommand() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use:   "docs [DIR]",
		Short: "Write the generated parts of a library's READMEs",
		Long: `Writes, in the README of every module of the library in DIR (default: the current
folder), what follows from its files, and in the library's own README the list of its modules:
what is between the lines <!-- BEGIN GENERATED --> and <!-- END GENERATED -->.

With --check it writes nothing, and exits with 1 when a README is stale.`,
		Example: "  groundwork modules docs modules\n  groundwork modules docs --check modules",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			stale, err := updateDocs(dir, check, c.OutOrStdout())
			if err == nil && check && stale > 0 {
				err = fmt.Errorf("%d READMEs are stale; run `groundwork modules docs %s`", stale, dir)
			}
			return err
		},
	}
	c.Flags().BoolVar(&check, "check", false, "write nothing; fail when a README is stale")
	return c
}

// updateDocs brings the READMEs of a library up to date, or with check only says which
// are not, and returns how many were stale.
func updateDocs(dir string, check bool, out io.Writer) (stale int, err error) {
	catalogue, err := modules.Load(os.DirFS(dir))
	if err != nil {
		return 0, err
	}
	readmes := map[string]func([]byte) ([]byte, error){}
	for _, m := range catalogue.Modules() {
		readmes[filepath.Join(dir, m.Name, "README.md")] = m.Readme
	}
	// Whether a library lists its modules is up to it.
	index := filepath.Join(dir, "README.md")
	if text, err := os.ReadFile(index); err == nil && bytes.Contains(text, []byte("<!-- BEGIN GENERATED -->")) {
		readmes[index] = catalogue.Readme
	}
	for _, file := range slices.Sorted(maps.Keys(readmes)) {
		changed, err := updateReadme(file, readmes[file], check, out)
		if err != nil {
			return stale, err
		}
		if changed {
			stale++
		}
	}
	return stale, nil
}

// updateReadme brings one README up to date and tells whether it was stale.
func updateReadme(file string, generate func([]byte) ([]byte, error), check bool, out io.Writer) (stale bool, err error) {
	old, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	current, err := generate(old)
	switch {
	case err != nil:
		return false, fmt.Errorf("%s %w", file, err)
	case bytes.Equal(old, current):
		return false, nil
	case check:
		fmt.Fprintf(out, "%s is stale: %s\n", file, firstDifference(string(old), string(current)))
		return true, nil
	}
	fmt.Fprintf(out, "%s written\n", file)
	return true, os.WriteFile(file, current, 0o644)
}

// firstDifference says on which line two texts begin to differ, and how.
func firstDifference(old, current string) string {
	a, b := strings.Split(old, "\n"), strings.Split(current, "\n")
	for i := range max(len(a), len(b)) {
		have, want := line(a, i), line(b, i)
		if have != want {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, have, want)
		}
	}
	return "no line differs"
}

// line returns the line at an index, empty beyond the end.
func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
