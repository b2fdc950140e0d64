package conformance

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// conforming are the files of a module that conforms, without a provider.
func conforming() map[string]string {
	return map[string]string{
		"module.yaml": "version: 1.1.0\nsummary: A thing.\nstatefulTypes: [terraform_data]\ndurations: {create: 5s, destroy: 5s}\n",
		"main.tf":     "resource \"terraform_data\" \"this\" {\n  input = var.name\n}\n",
		"variables.tf": `variable "name" {
  description = "Its name."
  type        = string
  nullable    = false

  validation {
    condition     = var.name != ""
    error_message = "name must not be empty."
  }
}
`,
		"outputs.tf": "output \"name\" {\n  description = \"Its name.\"\n  value       = terraform_data.this.output\n}\n",
		"README.md": "# x\n\n<!-- BEGIN GENERATED -->\n### Variables\n\n| Name | Type | Default | Description |\n| --- | --- | --- | --- |\n| `name` | `string` | required | Its name. |\n" +
			"\n### Outputs\n\n| Name | Description | Sensitive |\n| --- | --- | --- |\n| `name` | Its name. | no |\n" +
			"\n### Runs\n\nA create usually takes 5s, a destroy 5s. A run is stopped after 30m unless `timeout` says otherwise; give a HelmRelease that waits for it no less.\n\nData, or what others know it by, goes with: `terraform_data`.\n<!-- END GENERATED -->\n",
		"examples/first/infrastructure.yaml": "apiVersion: infra.groundwork.dev/v1alpha1\nkind: Infrastructure\nmetadata: {name: x}\nspec:\n  module: x\n  moduleVersion: ~> 1.0\n  variables: {name: \"${a}\"}\n  outputs: {keys: {name: NAME}, templates: {HELLO: \"hello {{ .name }}\"}}\n",
		"tests/x.tftest.hcl":                 "variables {\n  name = \"a\"\n}\n\nrun \"names\" {\n  assert {\n    condition     = output.name == \"a\"\n    error_message = \"It must have its name.\"\n  }\n}\n\nrun \"refuses_no_name\" {\n  command = plan\n\n  variables {\n    name = \"\"\n  }\n\n  expect_failures = [var.name]\n}\n",
	}
}

// change is an edit of a file: the first text becomes the second. Without a first one
// the second is the whole file; with neither the file goes.
type change struct{ file, from, to string }

// library writes a library with the module x, changed.
func library(t *testing.T, changes ...change) string {
	t.Helper()
	files := conforming()
	for _, c := range changes {
		switch {
		case c.from != "" && !strings.Contains(files[c.file], c.from):
			t.Fatalf("%s does not have %q", c.file, c.from)
		case c.from != "":
			files[c.file] = strings.ReplaceAll(files[c.file], c.from, c.to)
		case c.to != "":
			files[c.file] = c.to
		default:
			delete(files, c.file)
		}
	}
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, "x", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTest(t *testing.T) {
	const example = "examples/first/infrastructure.yaml"
	const aws = "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\" }\n  }\n}\n"
	cases := map[string]struct {
		changes []change
		want    []string // parts of the faults, in their order
	}{
		"A module that conforms has no faults.": {},
		"What cannot be loaded is reported with its line.": {
			[]change{{"main.tf", "", "resource {\n"}}, []string{"x/main.tf:1: "},
		},
		"Durations are wanted.": {
			[]change{{"module.yaml", "durations: {create: 5s, destroy: 5s}\n", ""}, {"README.md", "A create usually takes 5s, a destroy 5s. A run is stopped after 30m unless `timeout` says otherwise; give a HelmRelease that waits for it no less.\n\n", ""}},
			[]string{"x/module.yaml: durations are missing"},
		},
		"A stateful type is one of the module's.": {
			[]change{{"module.yaml", "[terraform_data]", "[aws_db_instance]"}, {"README.md", "`terraform_data`", "`aws_db_instance`"}},
			[]string{"x/module.yaml: statefulTypes has aws_db_instance, of which the module has no resource; its types are terraform_data"},
		},
		"A variable and an output are described.": {
			[]change{{"variables.tf", "  description = \"Its name.\"\n", ""}, {"outputs.tf", "  description = \"Its name.\"\n", ""}, {"README.md", "Its name.", ""}},
			[]string{`x/variables.tf: variable "name" has no description`, `x/outputs.tf: output "name" has no description`},
		},
		"A README is current.": {
			[]change{{"README.md", "required", "optional"}}, []string{"x/README.md: is stale"},
		},
		"A README has the lines for what is generated.": {
			[]change{{"README.md", "", "# x\n"}}, []string{"x/README.md: has no lines"},
		},
		"An example is wanted.": {
			[]change{{example, "", ""}}, []string{"x/examples: has no folder with an infrastructure.yaml"},
		},
		"An example has known fields only.": {
			[]change{{example, "  module: x", "  modul: x"}}, []string{`unknown field "modul"`},
		},
		"An example is of this module.": {
			[]change{{example, "  module: x", "  module: z"}}, []string{`is of module "z" and kind infra.groundwork.dev/v1alpha1 Infrastructure, want `},
		},
		"An example is of this version, with its variables and outputs.": {
			[]change{{example, "~> 1.0", "~> 2.0"}, {example, "{name: \"${a}\"}", "{nam: [], name: []}"}, {example, "{name: NAME}", "{host: HOST}"}, {example, ".name", ".host"}},
			[]string{"spec.moduleVersion: module x is there in version 1.1.0", "spec.variables[nam]: module x has no variable", "spec.variables[name]: want string", "spec.outputs.keys[host]: the module has no such output", "spec.outputs.templates[HELLO]: "},
		},
		"A test is wanted.": {
			[]change{{"tests/x.tftest.hcl", "", ""}}, []string{"x/tests: has no *.tftest.hcl with a run"},
		},
		"Each validation is seen to refuse something.": {
			[]change{{"tests/x.tftest.hcl", "[var.name]", "[]"}}, []string{`x/tests: variable "name" has 1 validations, and 0 runs`},
		},
		"A provider is mocked and locked, and its rights are said.": {
			[]change{{"versions.tf", "", aws}},
			[]string{"x/module.yaml: permissions are missing", "x/tests: the provider registry.terraform.io/hashicorp/aws is not mocked", "x/.terraform.lock.hcl: the module x uses the provider"},
		},
		"Files are formatted.": {
			[]change{{"main.tf", "  input", "    input"}}, []string{"x: terraform fmt -check"},
		},
		"What Terraform refuses is reported.": {
			[]change{{"main.tf", "var.name", "var.nam"}}, []string{"Reference to undeclared input variable"},
		},
		"A test that fails is reported.": {
			[]change{{"tests/x.tftest.hcl", "output.name == \"a\"", "output.name == \"b\""}}, []string{"It must have its name."},
		},
	}
	o := Options{Terraform: testenv.Terraform(t)}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			reports, err := Test(t.Context(), library(t, c.changes...), o)
			if err != nil {
				t.Fatal(err)
			}
			checkFaults(t, reports, c.want)
		})
	}
}

// checkFaults checks the faults of the one module, of which parts are wanted.
func checkFaults(t *testing.T, reports []Report, want []string) {
	t.Helper()
	if len(reports) != 1 || reports[0].Module != "x" {
		t.Fatalf("got reports %+v, want one of module x", reports)
	}
	faults := reports[0].Faults
	for i := range max(len(faults), len(want)) {
		switch {
		case i >= len(want):
			t.Errorf("unexpected fault: %s", faults[i])
		case i >= len(faults):
			t.Errorf("no fault with %q", want[i])
		case !strings.Contains(faults[i].String(), want[i]):
			t.Errorf("got the fault %s\nwant it to have %q", faults[i], want[i])
		}
	}
}

// TestTest_previous compares the module, at 1.1.0, with what came before.
func TestTest_previous(t *testing.T) {
	version := func(v string) change { return change{"module.yaml", "version: 1.1.0", "version: " + v} }
	cases := map[string]struct {
		previous []change
		want     []string
		note     string
	}{
		"The same files need no new version.": {[]change{}, nil, ""},
		"Other files need a new version.": {
			[]change{{"main.tf", "var.name", "upper(var.name)"}}, []string{"x/module.yaml: version is still 1.1.0"}, "",
		},
		"A change in place is no loss.": {
			[]change{version("1.0.0"), {"main.tf", "var.name", "upper(var.name)"}}, nil, "",
		},
		"A replacement is a loss.": {
			[]change{version("1.0.0"), {"main.tf", "input = var.name", "input = var.name\n  triggers_replace = 1"}},
			[]string{"x/main.tf: the upgrade from 1.0.0 to 1.1.0 replaces terraform_data.this, which is stateful"}, "",
		},
		"Another address deletes what had the old one.": {
			[]change{version("1.0.0"), {"main.tf", "\"this\"", "\"that\""}, {"outputs.tf", ".this.", ".that."}},
			[]string{"deletes terraform_data.that, which is stateful"}, "",
		},
		"What was stateful before counts too.": {
			[]change{version("1.0.0"), {"main.tf", "\"this\"", "\"that\""}, {"outputs.tf", ".this.", ".that."}, {"module.yaml", "[terraform_data]", "[]"}},
			[]string{"deletes terraform_data.that, which is stateful"}, "",
		},
		"A major version may.": {
			[]change{version("0.9.0"), {"main.tf", "\"this\"", "\"that\""}, {"outputs.tf", ".this.", ".that."}},
			nil, "1.1.0 is another major version than 0.9.0",
		},
		"A variable that is new and required stops the upgrade.": {
			[]change{version("1.0.0"), {"main.tf", "input = var.name", "input = \"${var.name} ${var.size}\""}, {"variables.tf", "variable \"name\"", "variable \"size\" {\n  type = number\n}\n\nvariable \"name\""}},
			[]string{"the upgrade from 1.0.0 cannot be planned: run \"previous\": No value for required variable"}, "",
		},
		"A module that is new has none.": {[]change{{"module.yaml", "", ""}}, nil, "no previous version"},
	}
	o := Options{Terraform: testenv.Terraform(t)}
	current := library(t)
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			o.Previous = library(t, c.previous...)
			reports, err := Test(t.Context(), filepath.Join(current, "x"), o)
			if err != nil {
				t.Fatal(err)
			}
			checkFaults(t, reports, c.want)
			if note := strings.Join(reports[0].Notes, "\n"); c.note == "" && note != "" || !strings.Contains(note, c.note) {
				t.Errorf("notes %q, want %q", note, c.note)
			}
		})
	}
}

func TestTest_nothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Test(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "is neither a module nor a library") {
		t.Errorf("Test() of an empty folder: %v", err)
	}
}
