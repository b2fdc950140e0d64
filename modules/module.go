package modules

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Module is a Terraform module of the catalogue. It is not changed once loaded.
type Module struct {
	// Name is the folder's name, a DNS label.
	Name string
	// Bundle is the name of the library's bundle; empty for the default one.
	Bundle string
	// Manifest is what module.yaml says.
	Manifest
	// Digest is the SHA-256 of the names and contents of exactly the files in the
	// archive, "sha256:<hex>".
	Digest string
	// Variables are the inputs, sorted by name.
	Variables []Variable
	// Outputs are what it gives, sorted by name.
	Outputs []Output
	// Providers are the sources of the providers that it uses, sorted:
	// registry.terraform.io/hashicorp/aws. Terraform's own, for terraform_data, is
	// not among them.
	Providers []string
	// ResourceTypes are the types of its resources, sorted.
	ResourceTypes []string
	// Example is an Infrastructure of the module as YAML, from the first folder in
	// examples; empty without one.
	Example string

	version  *version.Version
	archive  []byte
	lockFile []byte
}

// Output is an output of a module.
type Output struct {
	// Name is the output's name.
	Name string
	// Description is the module's own.
	Description string
	// Sensitive says that its value is never shown.
	Sensitive bool
}

// Archive returns the files that Terraform needs as a gzipped tar, the same bytes
// for the same files: regular files with paths relative to the module's folder,
// no entries for folders. It must not be changed.
func (m *Module) Archive() []byte { return m.archive }

// entry is the module among its versions.
func (m *Module) entry() v1alpha1.ModuleVersion {
	return v1alpha1.ModuleVersion{Version: m.Version, Digest: m.Digest, Bundle: m.Bundle}
}

// Output returns the output of that name.
func (m *Module) Output(name string) (Output, bool) {
	i, found := slices.BinarySearchFunc(m.Outputs, name, func(o Output, name string) int {
		return strings.Compare(o.Name, name)
	})
	if !found {
		return Output{}, false
	}
	return m.Outputs[i], true
}

// SensitiveVariables returns the names of the variables whose values are never
// shown, sorted.
func (m *Module) SensitiveVariables() []string {
	var names []string
	for _, v := range m.Variables {
		if v.Sensitive {
			names = append(names, v.Name)
		}
	}
	return names
}

// variable returns the variable of that name, nil when there is none.
func (m *Module) variable(name string) *Variable {
	i, found := slices.BinarySearchFunc(m.Variables, name, func(v Variable, name string) int {
		return strings.Compare(v.Name, name)
	})
	if !found {
		return nil
	}
	return &m.Variables[i]
}

// Object returns the module's entry in the cluster's catalogue, were it the only
// version.
func (m *Module) Object() *v1alpha1.Module {
	schema, err := json.Marshal(m.Schema())
	if err != nil {
		panic(err) // it has nothing that JSON has no place for
	}
	o := &v1alpha1.Module{
		TypeMeta: metav1.TypeMeta{
			APIVersion: v1alpha1.GroupVersion().String(),
			Kind:       "Module",
		},
		ObjectMeta: metav1.ObjectMeta{
			Name:   m.Name,
			Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy},
		},
		Spec: v1alpha1.ModuleSpec{
			Version:       m.Version,
			Summary:       m.Summary,
			Digest:        m.Digest,
			Bundle:        m.Bundle,
			Versions:      []v1alpha1.ModuleVersion{m.entry()},
			Providers:     slices.Clone(m.Providers),
			StatefulTypes: slices.Clone(m.StatefulTypes),
			Notes:         maps.Clone(m.Notes),
			Example:       m.Example,
			Schema:        &apiextensionsv1.JSON{Raw: schema},
		},
	}
	if m.Durations != nil {
		o.Spec.Durations = ptr.To(v1alpha1.ModuleDurations(*m.Durations))
	}
	for _, v := range m.Variables {
		o.Spec.Variables = append(o.Spec.Variables, v.object())
	}
	for _, out := range m.Outputs {
		o.Spec.Outputs = append(o.Spec.Outputs, v1alpha1.ModuleOutput(out))
	}
	return o
}
