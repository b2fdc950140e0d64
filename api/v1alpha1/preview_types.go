package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Reasons of a Preview's conditions, besides those for which an Infrastructure waits or
// stalls.
const (
	// ReasonPlanned: the plan is made, and changes something. Ready=True.
	ReasonPlanned = "Planned"
	// ReasonNoChanges: the plan is made, and changes nothing. Ready=True.
	ReasonNoChanges = "NoChanges"
	// ReasonPlanFailed: the run failed; the message says why. Stalled=True.
	ReasonPlanFailed = "PlanFailed"
)

// Preview asks what a change of an Infrastructure would do: it is planned once, on the
// state that is there, and nothing is changed. The Infrastructure need not exist.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=infrapreview,categories=groundwork
// +kubebuilder:printcolumn:name="Infrastructure",type=string,JSONPath=`.spec.infrastructure.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Module",type=string,priority=1,JSONPath=`.spec.infrastructure.spec.module`
// +kubebuilder:printcolumn:name="Version",type=string,priority=1,JSONPath=`.status.module.version`
// +kubebuilder:printcolumn:name="Secret",type=string,priority=1,JSONPath=`.status.diff.secretName`
type Preview struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a Preview's spec cannot be changed; create another Preview"
	Spec PreviewSpec `json:"spec"`
	// An object that nobody has looked at yet is never taken for a current one.
	// +kubebuilder:default:={"observedGeneration":-1}
	Status PreviewStatus `json:"status,omitempty"`
}

// PreviewList is a list of Previews.
//
// +kubebuilder:object:root=true
type PreviewList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Preview `json:"items"`
}

// PreviewSpec is what is planned.
type PreviewSpec struct {
	// Infrastructure is the object as it is to be, of the Preview's namespace.
	Infrastructure PreviewedInfrastructure `json:"infrastructure"`

	// TTL is the time from the end of the plan after which the Preview is deleted. From 1m
	// to 24h. Default: 1h.
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="ttl must be a duration between 1m and 24h, such as 1h"
	// +kubebuilder:default="1h0m0s"
	// +optional
	TTL metav1.Duration `json:"ttl,omitzero"`
}

// PreviewedInfrastructure is an Infrastructure that exists, or is to.
//
// +kubebuilder:validation:XValidation:rule="!has(self.spec.dependsOn) || self.spec.dependsOn.all(d, d.name != self.name)",message="spec.dependsOn names the object itself, which would wait for itself for ever; remove that entry",fieldPath=".spec.dependsOn"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.variablesFrom) || self.spec.variablesFrom.all(v, !has(v.outputRef) || v.outputRef.name != self.name)",message="spec.variablesFrom takes an output of the object itself, which would wait for itself for ever; name another object in outputRef",fieldPath=".spec.variablesFrom"
type PreviewedInfrastructure struct {
	// Name is the name that the object has or is to have.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
	// Spec is the spec that it is to have.
	Spec InfrastructureSpec `json:"spec"`
}

// PreviewStatus is the progress of a plan, then what came of it.
type PreviewStatus struct {
	// ObservedGeneration is the generation that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions are Ready, Reconciling and Stalled, as kstatus reads them. Ready is True
	// when the plan is made, and it is Stalled when there is none, or a policy denies it.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Run is the run that makes the plan; absent before it, and when it has ended.
	// +optional
	Run *CurrentRun `json:"run,omitempty"`

	// Module is what is planned with; absent until a run was started.
	// +optional
	Module *ModuleReference `json:"module,omitempty"`

	// Faults are what is wrong with the spec, each with its field.
	// +kubebuilder:validation:MaxItems=50
	// +listType=atomic
	// +optional
	Faults []Fault `json:"faults,omitempty"`

	// Plan is what would be changed; absent until the plan is made. It has no id: nobody
	// can approve it.
	// +optional
	Plan *PlanSummary `json:"plan,omitempty"`

	// Diff is where Terraform's own account of the plan is; absent until the plan is made.
	// +optional
	Diff *PreviewDiff `json:"diff,omitempty"`

	// Warnings are what policies warn of in the plan.
	// +kubebuilder:validation:MaxItems=21
	// +listType=atomic
	// +optional
	Warnings []string `json:"warnings,omitempty"`

	// Diagnostics are the errors and warnings of Terraform and of policies, at most 10.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`

	// FinishedAt is when it ended, from which spec.ttl counts.
	// +optional
	FinishedAt *metav1.Time `json:"finishedAt,omitempty"`
}

// DiffKey is the key of a Secret that holds what Terraform says of a plan.
const DiffKey = "diff"

// PreviewDiff names the Secret with Terraform's own account of a plan: with the values of
// attributes, but for sensitive ones. It goes with the Preview.
type PreviewDiff struct {
	// SecretName is the name of a Secret in the Preview's namespace; the text is in its
	// key diff, at most 512 KiB.
	SecretName string `json:"secretName"`
}

// Fault is something wrong in the spec of an Infrastructure.
type Fault struct {
	// Field is where, such as spec.variables[name].
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Field string `json:"field,omitempty"`
	// Message is what is wrong there, and what is wanted.
	// +kubebuilder:validation:MaxLength=4096
	Message string `json:"message"`
}
