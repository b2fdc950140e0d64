package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Module is an entry of the catalogue: a Terraform module of a bundle, or of several
// in a version each. The controller writes it and puts back what others change.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=tfmod,categories=groundwork
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Summary",type=string,JSONPath=`.spec.summary`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Digest",type=string,priority=1,JSONPath=`.spec.digest`
type Module struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ModuleSpec `json:"spec"`
}

// ModuleList is a list of Modules.
//
// +kubebuilder:object:root=true
type ModuleList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Module `json:"items"`
}

// ModuleSpec describes a module as its files do, in the version that an
// Infrastructure without a moduleVersion gets.
type ModuleSpec struct {
	// Version is the module's semantic version: the newest, and a pre-release only
	// when there is nothing else.
	Version string `json:"version"`
	// Summary is what it makes, in one line.
	Summary string `json:"summary"`
	// Digest is the SHA-256 of the module's files, "sha256:<hex>".
	Digest string `json:"digest"`
	// Bundle is the bundle that has this version; absent for the default one.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Bundle string `json:"bundle,omitempty"`
	// Versions are all versions of the module that there are, newest first.
	// +listType=map
	// +listMapKey=version
	// +optional
	Versions []ModuleVersion `json:"versions,omitempty"`
	// Variables are its inputs, sorted by name.
	// +listType=map
	// +listMapKey=name
	// +optional
	Variables []ModuleVariable `json:"variables,omitempty"`
	// Outputs are what it gives, sorted by name.
	// +listType=map
	// +listMapKey=name
	// +optional
	Outputs []ModuleOutput `json:"outputs,omitempty"`
	// Providers are the sources of the providers it uses, sorted:
	// registry.terraform.io/hashicorp/aws. A module without one needs no
	// ProviderConfig.
	// +listType=set
	// +optional
	Providers []string `json:"providers,omitempty"`
	// StatefulTypes are the types of its resources whose deletion or replacement
	// loses data, or an identity that others know.
	// +listType=set
	// +optional
	StatefulTypes []string `json:"statefulTypes,omitempty"`
	// Durations are what its runs usually take; absent when it does not say.
	// +optional
	Durations *ModuleDurations `json:"durations,omitempty"`
	// Notes say what a move to a version asks of its users, by version.
	// +optional
	Notes map[string]string `json:"notes,omitempty"`
	// Example is an Infrastructure of this module, as YAML.
	// +optional
	Example string `json:"example,omitempty"`
	// Schema is the OpenAPI v3 schema of an Infrastructure's spec.variables, for
	// tools; Variables say the same to people.
	// +optional
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`
}

// ModuleVersion is a version of a module.
type ModuleVersion struct {
	// Version is the semantic version.
	Version string `json:"version"`
	// Digest is the SHA-256 of the module's files in it, "sha256:<hex>".
	Digest string `json:"digest"`
	// Bundle is the bundle that has it; absent for the default one.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Bundle string `json:"bundle,omitempty"`
}

// ModuleDurations are what the runs of a module usually take.
type ModuleDurations struct {
	// Create is for a run that makes everything.
	Create metav1.Duration `json:"create"`
	// Destroy is for a run that removes everything.
	Destroy metav1.Duration `json:"destroy"`
}

// ModuleVariable is an input of a module.
type ModuleVariable struct {
	// Name is the variable's name.
	Name string `json:"name"`
	// Type is its type in Terraform's syntax: list(string).
	Type string `json:"type"`
	// Description is the module's own.
	// +optional
	Description string `json:"description,omitempty"`
	// Required says that it has no default.
	// +optional
	Required bool `json:"required,omitempty"`
	// Default is its default as JSON; absent when required, sensitive or
	// null.
	// +optional
	Default *apiextensionsv1.JSON `json:"default,omitempty"`
	// Sensitive says that its value is never shown.
	// +optional
	Sensitive bool `json:"sensitive,omitempty"`
	// Validations say what a value has to be beside its type. Terraform checks
	// them in a run.
	// +listType=atomic
	// +optional
	Validations []string `json:"validations,omitempty"`
}

// ModuleOutput is an output of a module.
type ModuleOutput struct {
	// Name is the output's name.
	Name string `json:"name"`
	// Description is the module's own.
	// +optional
	Description string `json:"description,omitempty"`
	// Sensitive says that its value is never shown.
	// +optional
	Sensitive bool `json:"sensitive,omitempty"`
}
