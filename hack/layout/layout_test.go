// Package layout checks that imports run one way, so that each package can be
// understood without those above it:
//
//	api ← state | modules | runner ← controllers ← cmd
package layout

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/groundwork-dev/groundwork"

// mayImport says which folders of the module a folder may import, besides itself.
// The longest folder that a package is in counts. Tests may import hack too.
func mayImport() map[string][]string {
	return map[string][]string{
		"api":                  {},
		"state":                {"api"},
		"modules":              {"api"},
		"runner":               {"api"},
		"runner/providerproxy": {},
		"modules/conformance":  {"api", "modules", "runner/providerproxy"},
		"runner/terraform":     {"api", "runner", "runner/providerproxy"},
		"runner/bundle":        {"api", "modules", "runner"},
		"controllers":          {"api", "state", "modules", "runner"},
		"cmd":                  {"api", "state", "modules", "modules/conformance", "runner", "runner/bundle", "controllers"},
		"cmd/runner":           {"api", "runner", "runner/terraform"},
		"hack":                 {"api", "state", "modules", "modules/conformance", "runner", "runner/bundle", "controllers"},
	}
}

// imported is an import of one package of the module by another.
type imported struct {
	file, from, to string
	test           bool
}

// breach says what is wrong with an import; empty when nothing is.
func (i imported) breach() string {
	from, to := folder(i.from), folder(i.to)
	switch {
	case from == "":
		return fmt.Sprintf("%s: the folder %s has no rule in hack/layout", i.file, i.from)
	case from == to, i.test && to == "hack":
		return ""
	case to == "hack":
		return fmt.Sprintf("%s: %s imports %s: hack is for tests", i.file, i.from, i.to)
	case !slices.Contains(mayImport()[from], to):
		return fmt.Sprintf("%s: %s imports %s; %s may import %s", i.file, i.from, i.to, from, strings.Join(append([]string{"itself"}, mayImport()[from]...), ", "))
	}
	return ""
}

// folder returns the folder whose rule counts for a package, empty without one.
func folder(pkg string) string {
	for dir := pkg; dir != "."; dir = path.Dir(dir) {
		if _, ok := mayImport()[dir]; ok {
			return dir
		}
	}
	return ""
}

// imports returns the imports inside the root module, of its Go files; folders
// with a go.mod of their own are other modules.
func imports(root fs.FS) ([]imported, error) {
	var found []imported
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return descend(root, name)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		b, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, b, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if to, ok := strings.CutPrefix(to, module+"/"); ok {
				found = append(found, imported{name, path.Dir(name), to, strings.HasSuffix(name, "_test.go")})
			}
		}
		return nil
	})
	return found, err
}

// descend returns fs.SkipDir for a folder that is not part of the root module.
func descend(root fs.FS, dir string) error {
	if dir == "." {
		return nil
	}
	base := path.Base(dir)
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); err == nil || base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	return nil
}

func breaches(t *testing.T, root fs.FS) []string {
	t.Helper()
	all, err := imports(root)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, i := range all {
		if b := i.breach(); b != "" {
			found = append(found, b)
		}
	}
	return found
}

func TestLayout(t *testing.T) {
	root := os.DirFS(filepath.Join("..", ".."))
	all, err := imports(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("the root module has no imports; the test looks in the wrong place")
	}
	for _, b := range breaches(t, root) {
		t.Error(b)
	}
}

func TestLayout_breaches(t *testing.T) {
	cases := map[string]struct {
		file, imports string
		want          []string
	}{
		"A controller may import what is below it.": {
			file: "controllers/run/run.go", imports: "runner/pod",
		},
		"A package may import its own folder.": {
			file: "controllers/run/run.go", imports: "controllers/status",
		},
		"State may not import modules.": {
			file: "state/read.go", imports: "modules",
			want: []string{"state/read.go: state imports modules; state may import itself, api"},
		},
		"State may not import the runner's parts.": {
			file: "state/read.go", imports: "runner/pod",
			want: []string{"state/read.go: state imports runner/pod; state may import itself, api"},
		},
		"The API imports nothing.": {
			file: "api/v1alpha1/run_types.go", imports: "state",
			want: []string{"api/v1alpha1/run_types.go: api/v1alpha1 imports state; api may import itself"},
		},
		"A test keeps the direction too.": {
			file: "runner/request_test.go", imports: "state",
			want: []string{"runner/request_test.go: runner imports state; runner may import itself, api"},
		},
		"A controller may not import a command.": {
			file: "controllers/run/run.go", imports: "cmd/runner",
			want: []string{"controllers/run/run.go: controllers/run imports cmd/runner; controllers may import itself, api, state, modules, runner"},
		},
		"Only the runner's command may import what drives Terraform.": {
			file: "cmd/runner/main.go", imports: "runner/terraform",
		},
		"No other command may.": {
			file: "cmd/controller/main.go", imports: "runner/terraform",
			want: []string{"cmd/controller/main.go: cmd/controller imports runner/terraform; cmd may import itself, api, state, modules, modules/conformance, runner, runner/bundle, controllers"},
		},
		"The runner's contract may not.": {
			file: "runner/request.go", imports: "runner/terraform",
			want: []string{"runner/request.go: runner imports runner/terraform; runner may import itself, api"},
		},
		"The runner does not know the catalogue.": {
			file: "cmd/runner/main.go", imports: "modules",
			want: []string{"cmd/runner/main.go: cmd/runner imports modules; cmd/runner may import itself, api, runner, runner/terraform"},
		},
		"A test may import hack.": {
			file: "state/read_test.go", imports: "hack/testenv",
		},
		"Other code may not.": {
			file: "state/read.go", imports: "hack/testenv",
			want: []string{"state/read.go: state imports hack/testenv: hack is for tests"},
		},
		"A new folder needs a rule.": {
			file: "util/x.go", imports: "api/v1alpha1",
			want: []string{"util/x.go: the folder util has no rule in hack/layout"},
		},
		"Another module is not checked.": {
			file: "hack/awsemu/main.go", imports: "cmd/runner",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{
				"hack/awsemu/go.mod": {},
				c.file:               {Data: []byte(fmt.Sprintf("package x\n\nimport (\n\t\"fmt\"\n\t_ %q\n)\n", module+"/"+c.imports))},
			}
			if diff := cmp.Diff(c.want, breaches(t, root)); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}
		})
	}
}
