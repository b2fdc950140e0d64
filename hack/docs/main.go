// Command docs writes the tables of variables and outputs into the READMEs of a
// module library, between the lines <!-- BEGIN GENERATED --> and
// <!-- END GENERATED -->.
//
//	go run ./hack/docs [-check] [DIR]
//
// DIR is the library's folder, modules by default. With -check it writes nothing,
// and exits with 1 and a hint for each README that is stale. It exits with 2 when
// the library has faults or a README lacks the lines.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/groundwork-dev/groundwork/modules"
)

func main() {
	check := flag.Bool("check", false, "write nothing; exit with 1 when a README is stale")
	flag.Parse()
	dir := "modules"
	if flag.NArg() > 0 {
		dir = flag.Arg(0)
	}
	stale, err := update(dir, *check, os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	case *check && stale > 0:
		os.Exit(1)
	}
}

// update brings the READMEs of a library up to date, or with check only says
// which are not, and returns how many were stale.
func update(dir string, check bool, out io.Writer) (stale int, err error) {
	catalogue, err := modules.Load(os.DirFS(dir))
	if err != nil {
		return 0, err
	}
	for _, m := range catalogue.Modules() {
		file := filepath.Join(dir, m.Name, "README.md")
		old, err := os.ReadFile(file)
		if err != nil {
			return stale, err
		}
		current, err := m.Readme(old)
		if err != nil {
			return stale, fmt.Errorf("%s %w", file, err)
		}
		if string(current) == string(old) {
			continue
		}
		stale++
		if check {
			fmt.Fprintf(out, "%s is stale, run `go run ./hack/docs`: %s\n", file, firstDifference(string(old), string(current)))
			continue
		}
		if err := os.WriteFile(file, current, 0o644); err != nil {
			return stale, err
		}
		fmt.Fprintf(out, "%s written\n", file)
	}
	return stale, nil
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
