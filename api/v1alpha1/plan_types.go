package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ApprovalMode says which plans wait for a person's approval.
//
// +kubebuilder:validation:Enum=Auto;OnDestructive;Manual
type ApprovalMode string

// The approval modes.
const (
	// ApprovalAuto: no plan waits.
	ApprovalAuto ApprovalMode = "Auto"
	// ApprovalOnDestructive: a plan waits that deletes or replaces a resource of a
	// type that the module declares stateful, or that lets go of one.
	ApprovalOnDestructive ApprovalMode = "OnDestructive"
	// ApprovalManual: every plan waits that changes a resource.
	ApprovalManual ApprovalMode = "Manual"
)

// DriftMode says what is done about drift.
//
// +kubebuilder:validation:Enum=Report;Correct;Ignore
type DriftMode string

// The drift modes.
const (
	// DriftReport: the condition Drifted tells of it, and it can be approved to be
	// put back.
	DriftReport DriftMode = "Report"
	// DriftCorrect: it is put back, unless that has to be approved.
	DriftCorrect DriftMode = "Correct"
	// DriftIgnore: nobody looks.
	DriftIgnore DriftMode = "Ignore"
)

// DriftSpec says how the resources are compared with what was applied.
type DriftSpec struct {
	// Mode says what is done about drift: Report, Correct or Ignore. Default: Report.
	// +kubebuilder:default=Report
	// +optional
	Mode DriftMode `json:"mode,omitempty"`

	// Interval is the time between two looks, each a run that refreshes and plans.
	// Objects with the same interval spread evenly over it. From 1m to 720h.
	// Default: 1h.
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('720h')",message="drift.interval must be a duration between 1m and 720h, such as 1h"
	// +kubebuilder:default="1h0m0s"
	// +optional
	Interval metav1.Duration `json:"interval,omitzero"`
}

// PlanSummary is what a plan changes.
type PlanSummary struct {
	// ID identifies the planned changes, the module, the variables and what they are
	// planned on top of: to approve it is to approve these changes, once. Absent for a plan
	// that nobody was asked about.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	ID string `json:"id,omitempty"`
	// Create is the number of resources to be made.
	Create int32 `json:"create"`
	// Update is the number of resources to be changed in place.
	Update int32 `json:"update"`
	// Replace is the number of resources to be destroyed and made anew.
	Replace int32 `json:"replace"`
	// Delete is the number of resources to be destroyed.
	Delete int32 `json:"delete"`
	// Changes are the planned changes of a plan with an id, and of a Preview's, those that
	// need approval first, at most 20; the counts have all.
	// +kubebuilder:validation:MaxItems=20
	// +listType=atomic
	// +optional
	Changes []ResourceChange `json:"changes,omitempty"`
}

// Total is the number of resources that the plan counts.
func (p *PlanSummary) Total() int { return int(p.Create + p.Update + p.Replace + p.Delete) }

// ResourceChange is the planned change of one resource.
type ResourceChange struct {
	// Address is the resource's address.
	// +kubebuilder:validation:MaxLength=1024
	Address string `json:"address"`
	// Action is what happens to it.
	// +kubebuilder:validation:Enum=Create;Update;Replace;Delete;Forget
	Action ChangeAction `json:"action"`
	// Attributes are the names of those that force a replacement or are updated, at most
	// 10. Never their values.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	Attributes []string `json:"attributes,omitempty"`
	// Reason is why Terraform deletes or replaces it, when no attribute is.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	Reason string `json:"reason,omitempty"`
	// Destructive says that the resource is of a type that the module declares stateful,
	// and is lost by the change.
	// +optional
	Destructive bool `json:"destructive,omitempty"`
}

// ChangeAction is what a plan does to a resource.
type ChangeAction string

// The actions of a plan.
const (
	// ChangeCreate: it is made.
	ChangeCreate ChangeAction = "Create"
	// ChangeUpdate: it is changed in place.
	ChangeUpdate ChangeAction = "Update"
	// ChangeReplace: it is destroyed and made anew, in either order.
	ChangeReplace ChangeAction = "Replace"
	// ChangeDelete: it is destroyed.
	ChangeDelete ChangeAction = "Delete"
	// ChangeForget: it stays, and Terraform no longer knows of it.
	ChangeForget ChangeAction = "Forget"
)

// ResourceProgress is the change of a resource that a run has begun.
type ResourceProgress struct {
	// Address is the resource's address.
	// +kubebuilder:validation:MaxLength=1024
	Address string `json:"address"`
	// Action is what happens to it; a replacement is a deletion and a creation.
	// +kubebuilder:validation:Enum=Create;Update;Delete
	Action ChangeAction `json:"action"`
	// StartedAt is when it began.
	StartedAt metav1.Time `json:"startedAt"`
	// FinishedAt is when it ended; absent until then.
	// +optional
	FinishedAt *metav1.Time `json:"finishedAt,omitempty"`
	// Failed says that it ended with an error.
	// +optional
	Failed bool `json:"failed,omitempty"`
}

// ApprovedPlan is a plan that a person has approved.
type ApprovedPlan struct {
	// ID is the plan's.
	// +kubebuilder:validation:MaxLength=63
	ID string `json:"id"`
	// Run is the one that made the plan, which is saved under its name.
	Run string `json:"run"`
	// By is the user who approved it, as the API server knew them; absent where it has no
	// policy that notes it.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	By string `json:"by,omitempty"`
}
