package modules

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func TestBundled(t *testing.T) {
	bundled, err := Bundled()
	if err != nil {
		t.Fatal(err)
	}
	fromDisk, err := Load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if len(bundled.Modules()) == 0 {
		t.Fatal("the bundled library is empty")
	}
	if diff := cmp.Diff(fromDisk.names(), bundled.names()); diff != "" {
		t.Fatalf("modules on disk and bundled (-disk +bundled):\n%s", diff)
	}
	for i, m := range bundled.Modules() {
		if want := fromDisk.Modules()[i]; m.Digest != want.Digest {
			t.Errorf("module %s is bundled with the digest %s, on disk it has %s: add the files that are missing to the patterns in bundled.go", m.Name, m.Digest, want.Digest)
		}
	}
}

// TestBundled_documented checks what users see of the library.
func TestBundled_documented(t *testing.T) {
	c, err := Bundled()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Modules() {
		for _, v := range m.Variables {
			if v.Description == "" {
				t.Errorf("module %s: variable %s has no description", m.Name, v.Name)
			}
		}
		for _, o := range m.Outputs {
			if o.Description == "" {
				t.Errorf("module %s: output %s has no description", m.Name, o.Name)
			}
		}
		text, err := os.ReadFile(filepath.Join(m.Name, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := m.Readme(text)
		if err != nil {
			t.Fatalf("%s/README.md %v", m.Name, err)
		}
		if diff := cmp.Diff(string(want), string(text)); diff != "" {
			t.Errorf("%s/README.md is stale (-want +got), run `go run ./hack/docs`:\n%s", m.Name, diff)
		}
	}
}

// TestBundled_index checks that the library's README has every module, with its
// summary.
func TestBundled_index(t *testing.T) {
	c, err := Bundled()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Modules() {
		row := fmt.Sprintf("| [%s](%s) | %s |\n", m.Name, m.Name, m.Summary)
		if !strings.Contains(string(text), row) {
			t.Errorf("README.md lacks the line %s", row)
		}
	}
}

// TestBundled_examples checks every example for users.
func TestBundled_examples(t *testing.T) {
	c, err := Bundled()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Modules() {
		files, err := filepath.Glob(filepath.Join(m.Name, "examples", "*", "infrastructure.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("module %s has no examples/*/infrastructure.yaml", m.Name)
		}
		for _, file := range files {
			t.Run(file, func(t *testing.T) { checkExample(t, c, m.Name, file) })
		}
	}
}

// checkExample checks an example: an Infrastructure with known fields only, of
// this module in this version, with variables of the right types, and outputs
// that the module has.
func checkExample(t *testing.T, c *Catalogue, name, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	infra := &v1alpha1.Infrastructure{}
	if err := yaml.UnmarshalStrict(b, infra); err != nil {
		t.Fatal(err)
	}
	if infra.Kind != "Infrastructure" || infra.APIVersion != v1alpha1.GroupVersion().String() || infra.Spec.Module != name {
		t.Errorf("the example is a %s %s of module %q, want an Infrastructure of %q", infra.APIVersion, infra.Kind, infra.Spec.Module, name)
	}
	m, err := c.Get(infra.Spec.Module, infra.Spec.ModuleVersion)
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]Input{}
	for v, value := range infra.Spec.Variables {
		inputs[v] = given(v, string(value.Raw))
	}
	if _, err := m.Inputs(inputs); err != nil {
		t.Error(err)
	}
	checkOutputs(t, m, infra.Spec.Outputs)
}

func checkOutputs(t *testing.T, m *Module, spec v1alpha1.OutputsSpec) {
	t.Helper()
	values := map[string]string{}
	for _, o := range m.Outputs {
		values[o.Name] = "x"
	}
	for name := range spec.Keys {
		if _, ok := m.Output(name); !ok {
			t.Errorf("spec.outputs.keys[%s]: module %s has no such output", name, m.Name)
		}
	}
	for key, text := range spec.Templates {
		tmpl, err := template.New(key).Option("missingkey=error").Parse(text)
		if err == nil {
			err = tmpl.Execute(io.Discard, values)
		}
		if err != nil {
			t.Errorf("spec.outputs.templates[%s]: %v", key, err)
		}
	}
}

// TestLoad_testBundle loads a library that is not ours from a folder.
func TestLoad_testBundle(t *testing.T) {
	c, err := Load(os.DirFS(filepath.Join("..", "hack", "testbundle")))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Modules() {
		if len(m.Providers) != 0 {
			t.Errorf("module %s needs the providers %v, want none", m.Name, m.Providers)
		}
	}
	if len(c.Modules()) == 0 {
		t.Error("the test bundle is empty")
	}
}
