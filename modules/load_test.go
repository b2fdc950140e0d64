package modules

import (
	"encoding/json"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/zclconf/go-cty/cty"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

const variablesTF = `
variable "size" {
  description = "How large."
  type        = number
  default     = "20"
  nullable    = false
}

variable "name" {
  type = string
}

variable "password" {
  type      = string
  default   = "x"
  sensitive = true
}

variable "rules" {
  type    = map(object({ port = number, protocol = optional(string, "tcp") }))
  default = { http = { port = 80 } }
}

variable "note" {
  type    = string
  default = null
}

variable "anything" {
  default = [1, "a"]
}

variable "short" {
  type    = list
  default = ["a", 1]
}
`

// valueEqual compares cty values and types.
func valueEqual() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b cty.Value) bool {
			return a == cty.NilVal && b == cty.NilVal || a != cty.NilVal && b != cty.NilVal && a.RawEquals(b)
		}),
		cmp.Comparer(func(a, b cty.Type) bool { return a.Equals(b) }),
	}
}

func TestLoad_schema(t *testing.T) {
	c, err := Load(folder(map[string]string{
		"x/module.yaml":  testManifest,
		"x/variables.tf": variablesTF,
		"x/outputs.tf.json": `{"output": {
			"password": {"value": "p", "description": "The password.", "sensitive": true},
			"host": {"value": "h"}}}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	m := c.Modules()[0]
	rule := map[string]cty.Type{"port": cty.Number, "protocol": cty.String}
	want := &Module{
		Name: "x", Manifest: Manifest{Version: "1.2.3", Summary: "A module for tests."}, Digest: m.Digest,
		Variables: []Variable{
			{Name: "anything", Type: cty.DynamicPseudoType, Nullable: true, Default: cty.TupleVal([]cty.Value{cty.NumberIntVal(1), cty.StringVal("a")})},
			{Name: "name", Type: cty.String, Nullable: true, Required: true},
			{Name: "note", Type: cty.String, Nullable: true, Default: cty.NullVal(cty.String)},
			{Name: "password", Type: cty.String, Nullable: true, Default: cty.StringVal("x"), Sensitive: true},
			{Name: "rules", Type: cty.Map(cty.Object(rule)), Nullable: true, Default: cty.MapVal(map[string]cty.Value{
				"http": cty.ObjectVal(map[string]cty.Value{"port": cty.NumberIntVal(80), "protocol": cty.StringVal("tcp")}),
			})},
			{Name: "short", Type: cty.List(cty.DynamicPseudoType), Nullable: true, Default: cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("1")})},
			{Name: "size", Type: cty.Number, Default: cty.NumberIntVal(20), Description: "How large."},
		},
		Outputs: []Output{{Name: "host"}, {Name: "password", Description: "The password.", Sensitive: true}},
	}
	ignore := cmp.Options{cmpopts.IgnoreUnexported(Module{}, Variable{}), valueEqual()}
	if diff := cmp.Diff(want, m, ignore); diff != "" {
		t.Errorf("module (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"password"}, m.SensitiveVariables()); diff != "" {
		t.Errorf("SensitiveVariables() (-want +got):\n%s", diff)
	}
	if o, ok := m.Output("password"); !ok || !o.Sensitive {
		t.Errorf("Output(password) = %+v, %v", o, ok)
	}
	if _, ok := m.Output("port"); ok {
		t.Error("Output(port) found an output that is not there")
	}
}

func TestModule_Object(t *testing.T) {
	const manifest = testManifest + `
statefulTypes: [aws_s3_bucket]
durations: {create: 90s, destroy: 2m}
notes: {1.2.0: A note.}
`
	c, err := Load(folder(map[string]string{"x/module.yaml": manifest, "x/examples/b/infrastructure.yaml": "b", "x/examples/a/infrastructure.yaml": "a", "x/main.tf": variablesTF + `
		resource "terraform_data" "this" {}
		resource "aws_s3_bucket" "this" {}
		output "host" {
		  value       = "h"
		  description = "The host."
		}
	`}))
	if err != nil {
		t.Fatal(err)
	}
	m := c.Modules()[0]
	schema, err := json.Marshal(m.Schema())
	if err != nil {
		t.Fatal(err)
	}
	raw := func(s string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(s)} }
	want := &v1alpha1.Module{
		TypeMeta: metav1.TypeMeta{APIVersion: "infra.groundwork.dev/v1alpha1", Kind: "Module"},
		ObjectMeta: metav1.ObjectMeta{
			Name: "x", Labels: map[string]string{"app.kubernetes.io/managed-by": "groundwork"},
		},
		Spec: v1alpha1.ModuleSpec{
			Version: "1.2.3", Summary: "A module for tests.", Digest: m.Digest,
			Versions: []v1alpha1.ModuleVersion{{Version: "1.2.3", Digest: m.Digest}},
			Variables: []v1alpha1.ModuleVariable{
				{Name: "anything", Type: "any", Default: raw(`[1,"a"]`)},
				{Name: "name", Type: "string", Required: true},
				{Name: "note", Type: "string"},
				{Name: "password", Type: "string", Sensitive: true},
				{Name: "rules", Type: `map(object({port = number, protocol = optional(string, "tcp")}))`, Default: raw(`{"http":{"port":80,"protocol":"tcp"}}`)},
				{Name: "short", Type: "list(any)", Default: raw(`["a","1"]`)},
				{Name: "size", Type: "number", Description: "How large.", Default: raw(`20`)},
			},
			Outputs:   []v1alpha1.ModuleOutput{{Name: "host", Description: "The host."}},
			Providers: []string{"registry.terraform.io/hashicorp/aws"},

			StatefulTypes: []string{"aws_s3_bucket"},
			Durations:     &v1alpha1.ModuleDurations{Create: metav1.Duration{Duration: 90 * time.Second}, Destroy: metav1.Duration{Duration: 2 * time.Minute}},
			Notes:         map[string]string{"1.2.0": "A note."},
			Example:       "a",
			Schema:        &apiextensionsv1.JSON{Raw: schema},
		},
	}
	if diff := cmp.Diff(want, m.Object()); diff != "" {
		t.Errorf("Object() (-want +got):\n%s", diff)
	}
}

func TestLoad_providers(t *testing.T) {
	const aws = "registry.terraform.io/hashicorp/aws"
	cases := map[string]struct {
		files map[string]string
		want  []string
	}{
		"terraform_data needs no provider.": {
			files: map[string]string{"main.tf": `resource "terraform_data" "x" {}`},
		},
		"A required provider is in use.": {
			files: map[string]string{"main.tf": `terraform {
				required_providers {
				  aws = {
				    source  = "hashicorp/aws"
				    version = ">= 5"
				  }
				}
			}`},
			want: []string{aws},
		},
		"A source may have a host, a namespace, or neither.": {
			files: map[string]string{"main.tf": `terraform {
				required_providers {
				  a    = { source = "example.com/corp/a" }
				  b    = { source = "corp/b" }
				  time = { version = ">= 0.9" }
				  null = ">= 3"
				}
			}`},
			want: []string{"example.com/corp/a", "registry.terraform.io/corp/b", "registry.terraform.io/hashicorp/null", "registry.terraform.io/hashicorp/time"},
		},
		"A resource's type implies its provider.": {
			files: map[string]string{"main.tf": `
				resource "aws_s3_bucket" "x" {}
				data "time_static" "x" {}
				ephemeral "vault_token" "x" {}`},
			want: []string{aws, "registry.terraform.io/hashicorp/time", "registry.terraform.io/hashicorp/vault"},
		},
		"A local name stands for its source.": {
			files: map[string]string{"main.tf": `
				terraform {
				  required_providers {
				    cloud = { source = "hashicorp/aws" }
				  }
				}
				resource "other_thing" "x" {
				  provider = cloud.west
				}
				resource "cloud_thing" "x" {}`},
			want: []string{aws},
		},
		"JSON files count.": {
			files: map[string]string{"main.tf.json": `{"resource": {"aws_s3_bucket": {"x": {}}}}`},
			want:  []string{aws},
		},
		"The modules inside count, with their own local names.": {
			files: map[string]string{
				"main.tf": `module "a" {
				  source = "./parts/a"
				}`,
				"parts/a/main.tf": `module "b" {
				  source = "../b"
				}`,
				"parts/b/main.tf": `
				terraform {
				  required_providers {
				    t = { source = "hashicorp/time" }
				  }
				}
				variable "not_ours" {}
				resource "t_sleep" "x" {}`,
			},
			want: []string{"registry.terraform.io/hashicorp/time"},
		},
		"Modules that call each other are read once.": {
			files: map[string]string{
				"main.tf":   "module \"a\" {\n  source = \"./a\"\n}\n",
				"a/main.tf": "module \"b\" {\n  source = \"../b\"\n}\n",
				"b/main.tf": "module \"a\" {\n  source = \"../a\"\n}\nresource \"aws_thing\" \"x\" {}\n",
			},
			want: []string{aws},
		},
		"Examples and tests do not count.": {
			files: map[string]string{
				"main.tf":              ``,
				"examples/a/main.tf":   `provider "aws" {}`,
				"tests/setup/main.tf":  `provider "aws" {}`,
				"main.tftest.hcl":      `mock_provider "aws" {}`,
				".terraform/x/main.tf": `provider "aws" {}`,
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"x/module.yaml": testManifest}
			for name, content := range c.files {
				files["x/"+name] = content
			}
			catalogue, err := Load(folder(files))
			if err != nil {
				t.Fatal(err)
			}
			m := catalogue.Modules()[0]
			if diff := cmp.Diff(c.want, m.Providers); diff != "" {
				t.Errorf("Providers (-want +got):\n%s", diff)
			}
			if len(m.Variables) != 0 {
				t.Errorf("a module has variables of another folder: %v", m.Variables)
			}
		})
	}
}

func TestLoad_faults(t *testing.T) {
	cases := map[string]struct {
		files map[string]string
		want  []string
	}{
		"A file that does not parse is named with the line.": {
			files: map[string]string{"x/main.tf": "variable \"a\" {\n  type =\n}\n"},
			want:  []string{"x/main.tf:2: Invalid expression: "},
		},
		"A fault in a JSON file is named with the line.": {
			files: map[string]string{"x/main.tf.json": "{\"variable\": {\"a\": {\n\"type\": \"strin\"}}}"},
			want:  []string{"x/main.tf.json:2: Invalid type specification: "},
		},
		"All faults of all modules come together, sorted.": {
			files: map[string]string{
				"x/module.yaml": testManifest,
				"x/main.tf":     "variable \"a\" {\n  type = strin\n}\nvariable \"b\" {\n  type = lis(string)\n}\n",
				"y/module.yaml": "version: 1.0\n",
				"y/main.tf":     "",
			},
			want: []string{
				"x/main.tf:2: Invalid type specification: ",
				"x/main.tf:5: Invalid type specification: ",
				"y/module.yaml:1: missing property 'summary'",
				"y/module.yaml:1: version: got number, want string",
			},
		},
		"A default of another type is a fault.": {
			files: map[string]string{"x/main.tf": "variable \"a\" {\n  type    = number\n  default = \"x\"\n}\n"},
			want:  []string{`x/main.tf:3: the default of variable "a" is not of its type, number: a number is required`},
		},
		"A null default that may not be null is a fault.": {
			files: map[string]string{"x/main.tf": "variable \"a\" {\n  default  = null\n  nullable = false\n}\n"},
			want:  []string{`x/main.tf:2: the default of variable "a" is null, and nullable is false`},
		},
		"A default that is no constant is a fault.": {
			files: map[string]string{"x/main.tf": "variable \"a\" {\n  default = local.x\n}\n"},
			want:  []string{"x/main.tf:2: Variables not allowed: "},
		},
		"A variable or output declared twice is a fault.": {
			files: map[string]string{"x/main.tf": "variable \"a\" {}\n", "x/more.tf": "\nvariable \"a\" {}\noutput \"a\" {\n  value = 1\n}\noutput \"a\" {\n  value = 1\n}\n"},
			want:  []string{"x/more.tf:2: variable a is declared twice, first in x/main.tf:1", "x/more.tf:6: output a is declared twice, first in x/more.tf:3"},
		},
		"A backend is up to the run.": {
			files: map[string]string{"x/main.tf": "terraform {\n  backend \"s3\" {}\n  cloud {}\n}\n"},
			want:  []string{"x/main.tf:2: a module has no backend block", "x/main.tf:3: a module has no cloud block"},
		},
		"The AWS provider is configured by the ProviderConfig.": {
			files: map[string]string{"x/main.tf": "provider \"aws\" {\n  alias = \"other\"\n}\nprovider \"aws\" {}\nprovider \"time\" {}\n"},
			want:  []string{`x/main.tf:4: a module has no provider "aws" block: its ProviderConfig configures the provider`},
		},
		"An override file is a fault.": {
			files: map[string]string{"x/main_override.tf": "", "x/override.tf.json": "{}", "x/main.tf": ""},
			want:  []string{"x/main_override.tf: is an override file", "x/override.tf.json: is an override file"},
		},
		"Values of variables in the module are a fault.": {
			files: map[string]string{"x/terraform.tfvars": "", "x/a.auto.tfvars.json": "{}", "x/main.tf": ""},
			want:  []string{"x/a.auto.tfvars.json: would set variables", "x/terraform.tfvars: would set variables"},
		},
		"A module from elsewhere is a fault: a run downloads nothing.": {
			files: map[string]string{"x/main.tf": "module \"a\" {\n  source = \"terraform-aws-modules/vpc/aws\"\n}\nmodule \"b\" {\n  source = \"../y\"\n}\nmodule \"c\" {\n  source = \"./gone\"\n}\nmodule \"d\" {}\n"},
			want: []string{
				`x/main.tf:2: module source "terraform-aws-modules/vpc/aws" is outside the module's folder`,
				`x/main.tf:5: module source "../y" is outside the module's folder`,
				`x/main.tf:8: module source "./gone" has no Terraform files`,
				`x/main.tf:10: module "d" has no source`,
			},
		},
		"A manifest has version and summary, and no field that is unknown.": {
			files: map[string]string{"x/module.yaml": "version: 1.0.0\ntitle: s\n", "x/main.tf": ""},
			want:  []string{"x/module.yaml:1: missing property 'summary' (the fields are ", "x/module.yaml:2: additional properties 'title' not allowed (the fields are durations, harmlessDrift, notes, permissions, statefulTypes, summary, version)"},
		},
		"A version is semantic, in three parts.": {
			files: map[string]string{"x/module.yaml": "version: v1\nsummary: s\n", "x/main.tf": ""},
			want:  []string{`x/module.yaml:1: version: 'v1' does not match pattern '`},
		},
		"A summary is one line of text.": {
			files: map[string]string{"x/module.yaml": "version: [1]\nsummary: |\n  a\n  b\n", "x/main.tf": ""},
			want:  []string{"x/module.yaml:1: version: got array, want string (Semantic version, such as 1.0.0;", "x/module.yaml:2: summary: 'a\\nb\\n' does not match pattern "},
		},
		"Durations and permissions are as the schema says, and a fault names its line.": {
			files: map[string]string{"x/main.tf": "", "x/module.yaml": testManifest + "durations:\n  create: soon\npermissions:\n- actions: [\"s3:*\"]\n  resources: [bucket]\n"},
			want: []string{
				"x/module.yaml:4: durations: missing property 'destroy' (What a create and a destroy usually take)",
				"x/module.yaml:4: durations.create: 'soon' does not match pattern",
				"x/module.yaml:6: permissions.0.actions.0: 's3:*' does not match pattern",
				"x/module.yaml:7: permissions.0.resources.0: 'bucket' does not match pattern",
			},
		},
		"A manifest is a mapping.": {
			files: map[string]string{"x/module.yaml": "- a\n", "x/main.tf": ""},
			want:  []string{"x/module.yaml:1: got array, want object"},
		},
		"An empty manifest lacks everything.": {
			files: map[string]string{"x/module.yaml": "", "x/main.tf": ""},
			want:  []string{"x/module.yaml:1: got null, want object"},
		},
		"A manifest that is no YAML is a fault.": {
			files: map[string]string{"x/module.yaml": "a: b: c\n", "x/main.tf": ""},
			want:  []string{"x/module.yaml: yaml: "},
		},
		"A folder's name is a DNS label.": {
			files: map[string]string{"My_Module/module.yaml": testManifest, "My_Module/main.tf": ""},
			want:  []string{"My_Module: the folder's name is the module's and must be a DNS label"},
		},
		"A module has Terraform files.": {
			files: map[string]string{"x/README.md": "text"},
			want:  []string{"x: has no Terraform files"},
		},
		"A module fits into a Secret.": {
			files: map[string]string{"x/main.tf": "", "x/noise.bin": noise(600 << 10)},
			want:  []string{"x: the module's files make a gzipped archive of 600 KiB, at most 512 KiB fit"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			files := c.files
			if !slices.ContainsFunc(slices.Collect(maps.Keys(files)), func(name string) bool { return path.Base(name) == manifestFile }) {
				files["x/module.yaml"] = testManifest
			}
			_, err := Load(folder(files))
			var load *LoadError
			if !errors.As(err, &load) {
				t.Fatalf("Load() = %v, want a LoadError", err)
			}
			startsWith := cmp.Comparer(func(a, b string) bool {
				return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
			})
			var got []string
			for _, f := range load.Faults {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(c.want, got, startsWith); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if !strings.Contains(err.Error(), got[0]) {
				t.Errorf("the error %q does not list %q", err, got[0])
			}
		})
	}
}

// noise does not compress.
func noise(size int) string {
	b := make([]byte, size)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}
