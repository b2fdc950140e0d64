package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Infrastructure asks for the cloud resources of one Terraform module. They are
// made when the object is created, changed when it is changed, and destroyed
// when it is deleted; the module's outputs are in a Secret beside the object.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=infra,categories=groundwork
// +kubebuilder:printcolumn:name="Module",type=string,JSONPath=`.spec.module`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Version",type=string,priority=1,JSONPath=`.status.module.version`
// +kubebuilder:printcolumn:name="Resources",type=integer,priority=1,JSONPath=`.status.resources`
// +kubebuilder:printcolumn:name="Secret",type=string,priority=1,JSONPath=`.status.outputs.secretName`
// +kubebuilder:printcolumn:name="Run",type=string,priority=1,JSONPath=`.status.run.name`
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.module) || self.spec.module == oldSelf.spec.module",message="spec.module cannot be changed once it is applied: the resources of the old module would be destroyed; create another Infrastructure and delete this one",fieldPath=".spec.module"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.providerConfig) || !has(self.spec.providerConfig) || self.spec.providerConfig == oldSelf.status.providerConfig || (has(oldSelf.spec.providerConfig) && self.spec.providerConfig == oldSelf.spec.providerConfig)",message="spec.providerConfig cannot be changed once it is applied: the resources made with the old one would be left behind; create another Infrastructure and delete this one",fieldPath=".spec.providerConfig"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.dependsOn) || self.spec.dependsOn.all(d, d.name != self.metadata.name)",message="spec.dependsOn names the object itself, which would wait for itself for ever; remove that entry",fieldPath=".spec.dependsOn"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.variablesFrom) || self.spec.variablesFrom.all(v, !has(v.outputRef) || v.outputRef.name != self.metadata.name)",message="spec.variablesFrom takes an output of the object itself, which would wait for itself for ever; name another object in outputRef",fieldPath=".spec.variablesFrom"
type Infrastructure struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec InfrastructureSpec `json:"spec"`
	// An object that nobody has looked at yet is never taken for a current one.
	// +kubebuilder:default:={"observedGeneration":-1}
	Status InfrastructureStatus `json:"status,omitempty"`
}

// InfrastructureList is a list of Infrastructures.
//
// +kubebuilder:object:root=true
type InfrastructureList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Infrastructure `json:"items"`
}

// InfrastructureSpec is what the app team asks for.
type InfrastructureSpec struct {
	// Module is the name of a Module; `kubectl get modules.infra.groundwork.dev`
	// lists them. It cannot be changed once it is applied.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Module string `json:"module"`

	// ModuleVersion constrains the module's version, in Terraform's syntax
	// ("~> 1.2", ">= 1.0, < 2.0"). Default: any version.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	ModuleVersion string `json:"moduleVersion,omitempty"`

	// Variables are the module's inputs, each in the JSON form of its Terraform
	// type. Numbers that JSON readers round (beyond 2^53) can be given as strings.
	// +kubebuilder:validation:MaxProperties=128
	// +optional
	Variables map[string]apiextensionsv1.JSON `json:"variables,omitempty"`

	// VariablesFrom takes inputs from Secrets, ConfigMaps and the outputs of other
	// Infrastructures of the same namespace. Later entries win over earlier ones,
	// variables win over all. The value of a Secret's or ConfigMap's key for a
	// variable that is not a string is read as JSON.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	VariablesFrom []VariablesSource `json:"variablesFrom,omitempty"`

	// DependsOn names Infrastructures of the same namespace that this one needs, as
	// outputRef in variablesFrom does as well. Nothing is applied before all of them
	// are Ready for their current generation, and none of them is destroyed before
	// this one is gone. What is applied already stays Ready when they are not.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	// +optional
	DependsOn []NameReference `json:"dependsOn,omitempty"`

	// ProviderConfig is the name of the ProviderConfig to work with. Default: the
	// one that is marked default. It cannot be changed once it is applied.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +optional
	ProviderConfig string `json:"providerConfig,omitempty"`

	// Outputs says how the module's outputs are written. Their Secret has the label
	// reconcile.fluxcd.io/watch: Enabled, by which Flux takes a changed output at
	// once into the HelmReleases whose valuesFrom names the Secret.
	// +optional
	Outputs OutputsSpec `json:"outputs,omitzero"`

	// Approval says which plans wait for approval, with the annotation
	// infra.groundwork.dev/approve: Auto none, OnDestructive those that lose a resource of a
	// type that the module declares stateful, Manual all that change a resource. To delete
	// the object is to ask for its destruction, and does not wait. Default: OnDestructive.
	// +kubebuilder:default=OnDestructive
	// +optional
	Approval ApprovalMode `json:"approval,omitempty"`

	// Drift says how often the resources are compared with what was applied, and what is
	// done about a difference.
	// +kubebuilder:default={}
	// +optional
	Drift DriftSpec `json:"drift,omitzero"`

	// DeletionPolicy says what becomes of the resources when the object is deleted:
	// Delete destroys them, Orphan leaves them with their state, which an object of the same
	// name takes up again, Protect refuses the deletion until it is changed.
	// +kubebuilder:default=Delete
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// Timeout bounds one run, its pod's start included; Terraform is then stopped
	// gracefully and its state saved. From 10s to 24h. Default: three times what the
	// module says that a create or a destroy takes, and 30m at least.
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="timeout must be a duration between 10s and 24h, such as 30m"
	// +optional
	Timeout metav1.Duration `json:"timeout,omitzero"`

	// Suspend stops new runs, those for a deletion included; a run under way goes
	// on to its end.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// DeletionPolicy says what becomes of resources.
//
// +kubebuilder:validation:Enum=Delete;Orphan;Protect
type DeletionPolicy string

// The policies for a deletion.
const (
	// DeletionPolicyDelete: the resources are destroyed, then the object goes.
	DeletionPolicyDelete DeletionPolicy = "Delete"
	// DeletionPolicyOrphan: the object goes, and its resources and their state stay.
	DeletionPolicyOrphan DeletionPolicy = "Orphan"
	// DeletionPolicyProtect: a deletion is refused. One that was asked for
	// nevertheless waits.
	DeletionPolicyProtect DeletionPolicy = "Protect"
)

// VariablesSource takes one or more variables from a Secret, a ConfigMap or an
// output of another Infrastructure.
//
// +kubebuilder:validation:XValidation:rule="[has(self.secretKeyRef), has(self.secretRef), has(self.configMapKeyRef), has(self.configMapRef), has(self.outputRef)].exists_one(x, x)",message="exactly one of secretKeyRef, secretRef, configMapKeyRef, configMapRef and outputRef must be set"
// +kubebuilder:validation:XValidation:rule="has(self.variable) == (has(self.secretKeyRef) || has(self.configMapKeyRef) || has(self.outputRef))",message="variable must be set with secretKeyRef, configMapKeyRef and outputRef, and only with them: with secretRef and configMapRef every key is a variable"
type VariablesSource struct {
	// Variable is the name of the variable that takes the value of the key or output.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Variable string `json:"variable,omitempty"`
	// SecretKeyRef is one key of a Secret.
	// +optional
	SecretKeyRef *KeyReference `json:"secretKeyRef,omitempty"`
	// SecretRef is a Secret of which every key is a variable.
	// +optional
	SecretRef *NameReference `json:"secretRef,omitempty"`
	// ConfigMapKeyRef is one key of a ConfigMap.
	// +optional
	ConfigMapKeyRef *KeyReference `json:"configMapKeyRef,omitempty"`
	// ConfigMapRef is a ConfigMap of which every key is a variable.
	// +optional
	ConfigMapRef *NameReference `json:"configMapRef,omitempty"`
	// OutputRef is an output of another Infrastructure, which this one then depends
	// on as by dependsOn. It has its own type; what is neither a list nor a set is
	// taken as the one element of a variable of a list or set type.
	// +optional
	OutputRef *OutputReference `json:"outputRef,omitempty"`
}

// OutputReference names an output of an Infrastructure in the same namespace.
type OutputReference struct {
	// Name is the Infrastructure's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
	// Output is the name of one of its module's outputs; spec.outputs does not
	// rename it here.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Output string `json:"output"`
}

// KeyReference names a key of an object in the same namespace.
type KeyReference struct {
	// Name is the object's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
	// Key is the key in the object's data.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key"`
}

// NameReference names an object in the same namespace.
type NameReference struct {
	// Name is the object's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
}

// OutputsSpec says how the module's outputs are written to a Secret in the
// object's namespace: strings as they are, numbers in their exact digits,
// anything else as compact JSON; an output that is null has no key.
type OutputsSpec struct {
	// SecretName is the Secret's name. Default: the object's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	// +optional
	SecretName string `json:"secretName,omitempty"`

	// Keys selects outputs and names their keys: output name to Secret key.
	// Default: every output under its own name.
	// +kubebuilder:validation:MaxProperties=128
	// +optional
	Keys map[string]string `json:"keys,omitempty"`

	// Templates are further keys, each a Go template over all outputs by name,
	// with the functions urlquery, index, slice, len and those that compare:
	// 'postgres://{{ .username }}:{{ .password | urlquery }}@{{ .host }}'.
	// +kubebuilder:validation:MaxProperties=64
	// +optional
	Templates map[string]string `json:"templates,omitempty"`

	// ValuesKey is a further key that holds all outputs as one typed YAML
	// document, for a HelmRelease's valuesFrom. Default: none.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ValuesKey string `json:"valuesKey,omitempty"`
}

// InfrastructureStatus is what the controller last saw and did.
type InfrastructureStatus struct {
	// ObservedGeneration is the newest generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions are Ready, Reconciling and Stalled, as kstatus reads them, and Drifted.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// LastHandledReconcileAt is the last value of the annotation
	// reconcile.fluxcd.io/requestedAt that was acted on; of a Stalled object, that it
	// was looked at for.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// Module is the module that is applied; absent until a run has started to
	// apply it.
	// +optional
	Module *AppliedModule `json:"module,omitempty"`

	// ProviderConfig is the one that the module is applied with; absent until a
	// run has started to apply it, and for a module without a provider.
	// +optional
	ProviderConfig string `json:"providerConfig,omitempty"`

	// Run is the run under way; absent when there is none.
	// +optional
	Run *CurrentRun `json:"run,omitempty"`

	// Plan is the plan that waits for approval, or that tells of drift; absent otherwise.
	// +optional
	Plan *PlanSummary `json:"plan,omitempty"`

	// Warnings are what policies warn of in what was applied or planned last.
	// +kubebuilder:validation:MaxItems=21
	// +listType=atomic
	// +optional
	Warnings []string `json:"warnings,omitempty"`

	// Outputs is the Secret that holds the outputs; absent until it is written.
	// +optional
	Outputs *OutputsStatus `json:"outputs,omitempty"`

	// NextOutputSecret is the name of an output Secret that is about to be written,
	// or was, but that outputs does not tell of yet. It is noted before, so that an
	// interruption leaves no Secret behind under a name that spec.outputs no longer
	// has; absent otherwise.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	NextOutputSecret string `json:"nextOutputSecret,omitempty"`

	// Binding names the output Secret, as the Service Binding specification asks
	// of a provisioned service.
	// Source: https://servicebinding.io/spec/core/1.1.0/#provisioned-service
	// +optional
	Binding *NameReference `json:"binding,omitempty"`

	// Resources is the number of resource instances in the state.
	// +optional
	Resources int32 `json:"resources,omitempty"`

	// History holds the last 5 finished runs, newest first, without those that have
	// looked for drift and found none.
	// +kubebuilder:validation:MaxItems=5
	// +listType=atomic
	// +optional
	History []RunSummary `json:"history,omitempty"`
}

// ModuleReference is a module in one version.
type ModuleReference struct {
	// Name is the module's name.
	Name string `json:"name"`
	// Version is the module's semantic version.
	Version string `json:"version"`
	// Digest is the SHA-256 of the module's files, "sha256:<hex>".
	Digest string `json:"digest"`
	// Bundle is the bundle that the module is taken from, and whose image the runner
	// pod has; absent for the default one.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Bundle string `json:"bundle,omitempty"`
}

// AppliedModule is the module that is applied, and what the catalogue has.
type AppliedModule struct {
	ModuleReference `json:",inline"`
	// Available is the newest version in the catalogue that spec.moduleVersion admits;
	// absent when there is none.
	// +optional
	Available string `json:"available,omitempty"`
}

// CurrentRun is what the run under way does.
type CurrentRun struct {
	// Name is the Run's name in the system namespace.
	Name string `json:"name"`
	// Operation is what it does.
	Operation Operation `json:"operation"`
	// Phase is how far it is.
	Phase RunPhase `json:"phase"`
	// Message is its progress: "Applying 3 of 7: aws_db_instance.this".
	// +optional
	Message string `json:"message,omitempty"`
	// Resources are those that it has begun to change, the last 20, in the order in which
	// it began.
	// +kubebuilder:validation:MaxItems=20
	// +listType=atomic
	// +optional
	Resources []ResourceProgress `json:"resources,omitempty"`
}

// OutputsStatus is the output Secret as it was last written.
type OutputsStatus struct {
	// SecretName is the Secret's name.
	SecretName string `json:"secretName"`
	// Keys are the Secret's keys, sorted.
	// +listType=atomic
	Keys []string `json:"keys"`
	// Checksum is the SHA-256 of the Secret's data, "sha256:<hex>"; a Deployment
	// can carry it in an annotation to restart when an output changes.
	Checksum string `json:"checksum"`
}

// RunSummary is a finished run.
type RunSummary struct {
	// Run is the Run's name.
	Run string `json:"run"`
	// Operation is what it did.
	Operation Operation `json:"operation"`
	// Outcome is the Run's reason: Succeeded, or why it failed.
	Outcome RunReason `json:"outcome"`
	// FinishedAt is when it ended.
	FinishedAt metav1.Time `json:"finishedAt"`
}
