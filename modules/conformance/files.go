package conformance

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/modules"
)

// manifest checks that module.yaml says all that users and run decisions need.
func (c *checker) manifest() {
	const file = "module.yaml"
	if c.Durations == nil {
		c.fault(file, "durations are missing: what a create and a destroy usually take, such as {create: 2m, destroy: 1m}")
	}
	if c.usesAWS() && len(c.Permissions) == 0 {
		c.fault(file, "permissions are missing: the least IAM policy with which the module can be planned, applied and destroyed")
	}
	for _, t := range c.StatefulTypes {
		if !slices.Contains(c.ResourceTypes, t) {
			c.fault(file, "statefulTypes has %s, of which the module has no resource; its types are %s", t, strings.Join(c.ResourceTypes, ", "))
		}
	}
}

// descriptions checks that users can tell what each variable and output is.
func (c *checker) descriptions() {
	for _, v := range c.Variables {
		if strings.TrimSpace(v.Description) == "" {
			c.fault("variables.tf", "variable %q has no description", v.Name)
		}
	}
	for _, o := range c.Outputs {
		if strings.TrimSpace(o.Description) == "" {
			c.fault("outputs.tf", "output %q has no description", o.Name)
		}
	}
}

// readme checks that the generated part is current.
func (c *checker) readme() {
	const file = "README.md"
	text, err := os.ReadFile(c.path(file))
	if err != nil {
		c.fault(file, "%v", err)
		return
	}
	current, err := c.Readme(text)
	switch {
	case err != nil:
		c.fault(file, "%v", err)
	case string(current) != string(text):
		c.fault(file, "is stale: run `groundwork modules docs` on the module's folder")
	}
}

// examples checks that there is an example for users, and that each is right.
func (c *checker) examples() {
	files, err := filepath.Glob(c.path("examples/*/infrastructure.yaml"))
	if err != nil || len(files) == 0 {
		c.fault("examples", "has no folder with an infrastructure.yaml: an Infrastructure as users write it")
		return
	}
	for _, file := range files {
		rel, _ := filepath.Rel(c.path(""), file) // both are in the library
		text, err := os.ReadFile(file)
		if err != nil {
			c.fault(rel, "%v", err)
			continue
		}
		c.example(rel, text)
	}
}

// example checks an example: an Infrastructure with known fields only, of this
// module in this version, with variables of the right types, and outputs that the
// module has.
func (c *checker) example(file string, text []byte) {
	infra := &v1alpha1.Infrastructure{}
	if err := yaml.UnmarshalStrict(text, infra); err != nil {
		c.fault(file, "%v", err)
		return
	}
	if infra.Kind != "Infrastructure" || infra.APIVersion != v1alpha1.GroupVersion().String() || infra.Spec.Module != c.Name {
		c.fault(file, "is of module %q and kind %s %s, want module %s and kind %s Infrastructure", infra.Spec.Module, infra.APIVersion, infra.Kind, c.Name, v1alpha1.GroupVersion())
		return
	}
	if err := c.Meets(infra.Spec.ModuleVersion); err != nil {
		c.fault(file, "spec.moduleVersion: %v", err)
	}
	given := map[string]modules.Input{}
	for name, value := range infra.Spec.Variables {
		given[name] = modules.Input{JSON: value.Raw, Source: "spec.variables[" + name + "]"}
	}
	fromElsewhere := func(name string) bool {
		return slices.ContainsFunc(infra.Spec.VariablesFrom, func(from v1alpha1.VariablesSource) bool {
			return from.Variable == "" || from.Variable == name
		})
	}
	for _, f := range c.Check(given, fromElsewhere) {
		c.fault(file, "%s", f)
	}
	c.exampleOutputs(file, infra.Spec.Outputs)
}

func (c *checker) exampleOutputs(file string, spec v1alpha1.OutputsSpec) {
	values := map[string]string{}
	for _, o := range c.Outputs {
		values[o.Name] = "x"
	}
	for name := range spec.Keys {
		if _, ok := values[name]; !ok {
			c.fault(file, "spec.outputs.keys[%s]: the module has no such output", name)
		}
	}
	for key, text := range spec.Templates {
		t, err := template.New(key).Option("missingkey=error").Parse(text)
		if err == nil {
			err = t.Execute(io.Discard, values)
		}
		if err != nil {
			c.fault(file, "spec.outputs.templates[%s]: %v", key, err)
		}
	}
}

// locks checks that every provider is locked to a version.
func (c *checker) locks() {
	if _, err := c.Locks(); err != nil {
		c.fault(".terraform.lock.hcl", "%v", err)
	}
}
