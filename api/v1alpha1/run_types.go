package v1alpha1

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Run is one plan, apply or destroy of an Infrastructure: immutable inputs, one
// runner pod of the same name, one result. Runs live in the system namespace and are
// made by the controller.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=tfrun,categories=groundwork
// +kubebuilder:printcolumn:name="Namespace",type=string,JSONPath=`.spec.infrastructure.namespace`
// +kubebuilder:printcolumn:name="Infrastructure",type=string,JSONPath=`.spec.infrastructure.name`
// +kubebuilder:printcolumn:name="Operation",type=string,JSONPath=`.spec.operation`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.reason`
// +kubebuilder:printcolumn:name="Module",type=string,priority=1,JSONPath=`.spec.module.name`
// +kubebuilder:printcolumn:name="Version",type=string,priority=1,JSONPath=`.spec.module.version`
type Run struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="a Run's spec cannot be changed"
	Spec RunSpec `json:"spec"`
	// +kubebuilder:default:={"phase":"Pending"}
	Status RunStatus `json:"status,omitempty"`
}

// RunList is a list of Runs.
//
// +kubebuilder:object:root=true
type RunList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Run `json:"items"`
}

// Operation is what a Run does.
// +kubebuilder:validation:Enum=Plan;Apply;Destroy
type Operation string

// The operations.
const (
	// OperationPlan compares the resources with what is wanted and changes nothing.
	OperationPlan    Operation = "Plan"
	OperationApply   Operation = "Apply"
	OperationDestroy Operation = "Destroy"
)

// RunTrigger is why a Run was started.
// +kubebuilder:validation:Enum=Change;Retry;Upgrade;Drift;Preview
type RunTrigger string

// The triggers.
const (
	// TriggerChange: the object asks for something that is not applied, for a deletion, or
	// for a run by an annotation.
	TriggerChange RunTrigger = "Change"
	// TriggerRetry: an earlier run for the same failed.
	TriggerRetry RunTrigger = "Retry"
	// TriggerUpgrade: the object was in sync, and a bundle has another version of its
	// module.
	TriggerUpgrade RunTrigger = "Upgrade"
	// TriggerDrift: it is time to look for drift.
	TriggerDrift RunTrigger = "Drift"
	// TriggerPreview: a Preview asks what would be changed. The run takes no lock and
	// leaves no trace in the state.
	TriggerPreview RunTrigger = "Preview"
)

// RunSpec is the input of a Run, except for what may be secret: variables,
// provider settings and the module's files are in the Secret of the same name.
type RunSpec struct {
	// Infrastructure is the object that the run is for.
	Infrastructure InfrastructureReference `json:"infrastructure"`
	// Operation is what the run does.
	Operation Operation `json:"operation"`
	// Module is what is applied or destroyed.
	Module ModuleReference `json:"module"`
	// InputsDigest identifies everything that decides the outcome: module,
	// variables, provider settings. "sha256:<hex>".
	InputsDigest string `json:"inputsDigest"`
	// ProviderConfig is the ProviderConfig's name; empty for a module without a
	// provider.
	// +optional
	ProviderConfig string `json:"providerConfig,omitempty"`
	// Credentials are what the runner pod gets.
	// +optional
	Credentials Credentials `json:"credentials,omitzero"`
	// Trigger is why the run was started.
	// +optional
	Trigger RunTrigger `json:"trigger,omitempty"`
	// UpgradeFrom is the version of the module that was applied to an object in sync before
	// a bundle brought the one of this run; also on each retry of such a run. Empty for any
	// other run.
	// +kubebuilder:validation:MaxLength=256
	// +optional
	UpgradeFrom string `json:"upgradeFrom,omitempty"`
	// Approval says which plans of an apply are not applied but kept for approval.
	// Default: none.
	// +optional
	Approval ApprovalMode `json:"approval,omitempty"`
	// Approved is the plan that is applied without being asked about again: the saved one,
	// or, when the state has moved since, another with the same id.
	// +optional
	Approved *ApprovedPlan `json:"approved,omitempty"`
	// Timeout bounds the run, from its admission.
	Timeout metav1.Duration `json:"timeout"`
	// ReconcileRequest is the value of the annotation
	// reconcile.fluxcd.io/requestedAt that the run answers.
	// +optional
	ReconcileRequest string `json:"reconcileRequest,omitempty"`
}

// InfrastructureReference names one Infrastructure for good.
type InfrastructureReference struct {
	// Namespace is the object's namespace.
	Namespace string `json:"namespace"`
	// Name is the object's name.
	Name string `json:"name"`
	// UID is the object's UID: a re-created object is another one. Empty for a preview of
	// an object that is not there.
	UID types.UID `json:"uid"`
	// Generation is the object's generation that asked for the run.
	Generation int64 `json:"generation"`
}

// RunPhase is how far a Run is.
// +kubebuilder:validation:Enum=Pending;Initializing;Planning;Applying;Destroying;Planned;Succeeded;Failed
type RunPhase string

// The phases of a Run, in order. Planned, Succeeded and Failed are final.
const (
	// RunPending: the run waits for a place, or no runner pod has taken it yet; the
	// message says what it waits for.
	RunPending RunPhase = "Pending"
	// RunInitializing: the runner pod has taken the run and prepares Terraform.
	RunInitializing RunPhase = "Initializing"
	// RunPlanning: Terraform refreshes and plans.
	RunPlanning RunPhase = "Planning"
	// RunApplying: Terraform makes and changes resources.
	RunApplying RunPhase = "Applying"
	// RunDestroying: Terraform destroys resources.
	RunDestroying RunPhase = "Destroying"
	// RunPlanned: the plan changes something, and is kept instead of applied: it waits for
	// approval, or reports drift.
	RunPlanned RunPhase = "Planned"
	// RunSucceeded: done.
	RunSucceeded RunPhase = "Succeeded"
	// RunFailed: ended otherwise; the reason says how.
	RunFailed RunPhase = "Failed"
)

// Finished tells whether the phase is final.
func (p RunPhase) Finished() bool { return p == RunPlanned || p == RunSucceeded || p == RunFailed }

// RunReason says how a Run ended.
type RunReason string

// Reasons that the runner gives.
const (
	// RunReasonSucceeded: Terraform did what it was asked for.
	RunReasonSucceeded RunReason = "Succeeded"
	// RunReasonPlanned: the plan is kept instead of applied.
	RunReasonPlanned RunReason = "Planned"
	// RunReasonInvalidRequest: the runner cannot read its request.
	RunReasonInvalidRequest RunReason = "InvalidRequest"
	// RunReasonInitFailed: terraform init failed.
	RunReasonInitFailed RunReason = "InitFailed"
	// RunReasonPlanFailed: terraform plan failed; nothing was touched.
	RunReasonPlanFailed RunReason = "PlanFailed"
	// RunReasonSnapshotFailed: what a destroy needs could not be written, or that
	// the apply is about to start; nothing was touched.
	RunReasonSnapshotFailed RunReason = "SnapshotFailed"
	// RunReasonPolicyDenied: a policy denies the plan; nothing was touched.
	RunReasonPolicyDenied RunReason = "PolicyDenied"
	// RunReasonPolicyInvalid: the policies do not compile, or could not be evaluated;
	// nothing was touched.
	RunReasonPolicyInvalid RunReason = "PolicyInvalid"
	// RunReasonApplyFailed: the plan was applied in part; the state says how far.
	RunReasonApplyFailed RunReason = "ApplyFailed"
	// RunReasonLocked: someone holds the state's lock; nothing was touched.
	RunReasonLocked RunReason = "Locked"
	// RunReasonInterrupted: the pod was asked to end; Terraform stopped and saved
	// its state.
	RunReasonInterrupted RunReason = "Interrupted"
	// RunReasonCancelled: as Interrupted, because the annotation cancel asked for it.
	RunReasonCancelled RunReason = "Cancelled"
	// RunReasonTimedOut: the run outlived its timeout.
	RunReasonTimedOut RunReason = "TimedOut"
	// RunReasonOutOfMemory: Terraform, a provider or the runner was killed for
	// want of memory.
	RunReasonOutOfMemory RunReason = "OutOfMemory"
)

// Reasons that the controller gives when the runner could not.
const (
	// RunReasonPodRejected: the API server refuses the pod: quota, policy.
	RunReasonPodRejected RunReason = "PodRejected"
	// RunReasonPodUnschedulable: no node takes the pod.
	RunReasonPodUnschedulable RunReason = "PodUnschedulable"
	// RunReasonImagePullFailed: the runner image cannot be pulled.
	RunReasonImagePullFailed RunReason = "ImagePullFailed"
	// RunReasonPodNotStarted: the pod did not start for another reason.
	RunReasonPodNotStarted RunReason = "PodNotStarted"
	// RunReasonPodLost: the pod is gone without having left a result.
	RunReasonPodLost RunReason = "PodLost"
	// RunReasonEvicted: the node evicted the pod.
	RunReasonEvicted RunReason = "Evicted"
	// RunReasonRunnerFailed: the runner ended without a result.
	RunReasonRunnerFailed RunReason = "RunnerFailed"
	// RunReasonSuperseded: something else was wanted before a pod had taken the
	// run, or its bundle was gone; nothing was touched.
	RunReasonSuperseded RunReason = "Superseded"
)

// RunStatus is a Run's progress, then its result.
//
// +kubebuilder:validation:XValidation:rule="!(oldSelf.phase in ['Planned', 'Succeeded', 'Failed']) || self == oldSelf",message="a finished Run cannot be changed"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.podUID) || (has(self.podUID) && self.podUID == oldSelf.podUID)",message="a Run that a pod has taken cannot be taken by another"
type RunStatus struct {
	// Phase is how far the run is.
	// +kubebuilder:default=Pending
	Phase RunPhase `json:"phase"`
	// Reason is how the run ended; empty until then.
	// +optional
	Reason RunReason `json:"reason,omitempty"`
	// Message is the progress, then the result, for people. Never secret.
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Message string `json:"message,omitempty"`
	// PodUID is the one pod that has taken the run; set by that pod before it
	// does anything.
	// +optional
	PodUID types.UID `json:"podUID,omitempty"`
	// CancelRequested says that the run is to end gracefully.
	// +optional
	CancelRequested bool `json:"cancelRequested,omitempty"`
	// AdmittedAt is when the run got a place among those that are carried out at a time;
	// absent while it waits for one. Only then it gets a pod.
	// +optional
	AdmittedAt *metav1.Time `json:"admittedAt,omitempty"`
	// StartedAt is when the pod took the run.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// ApplyStartedAt is when Terraform was about to change resources for the
	// first time; absent in a run that has touched nothing.
	// +optional
	ApplyStartedAt *metav1.Time `json:"applyStartedAt,omitempty"`
	// FinishedAt is when the run ended.
	// +optional
	FinishedAt *metav1.Time `json:"finishedAt,omitempty"`
	// Plan is what is to be changed; absent until the plan is made.
	// +optional
	Plan *PlanSummary `json:"plan,omitempty"`
	// Resources are those that the run has begun to change, the last 20, in the order in
	// which it began.
	// +kubebuilder:validation:MaxItems=20
	// +listType=atomic
	// +optional
	Resources []ResourceProgress `json:"resources,omitempty"`
	// Warnings are what policies warn of, at most 21 with the one that counts the rest.
	// +kubebuilder:validation:MaxItems=21
	// +listType=atomic
	// +optional
	Warnings []string `json:"warnings,omitempty"`
	// Diagnostics are Terraform's errors and warnings, at most 10.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
	// Conditions hold Succeeded, for kubectl wait.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Waits tells whether the run waits for a place. One that a pod has taken does not: an
// earlier version of the controller admitted none, and gave each its pod at once.
func (r *Run) Waits() bool {
	return !r.Status.Phase.Finished() && r.Status.AdmittedAt == nil && r.Status.PodUID == ""
}

// Begin is when the time of the run began to count: its admission, or its creation when
// an earlier version of the controller has not admitted it.
func (r *Run) Begin() time.Time {
	if r.Status.AdmittedAt != nil {
		return r.Status.AdmittedAt.Time
	}
	return r.CreationTimestamp.Time
}

// Phase is the final phase of a Run that ended for the reason.
func (r RunReason) Phase() RunPhase {
	switch r {
	case RunReasonSucceeded:
		return RunSucceeded
	case RunReasonPlanned:
		return RunPlanned
	}
	return RunFailed
}

// Finish records how the run ended: phase, reason, message, time and condition.
// message must not be longer than the status holds.
func (s *RunStatus) Finish(reason RunReason, message string, at metav1.Time) {
	succeeded := metav1.ConditionTrue
	s.Phase, s.Reason, s.Message, s.FinishedAt = reason.Phase(), reason, message, &at
	if s.Phase == RunFailed {
		succeeded = metav1.ConditionFalse
	}
	meta.SetStatusCondition(&s.Conditions, metav1.Condition{
		Type: ConditionSucceeded, Status: succeeded, Reason: string(reason), Message: message,
		LastTransitionTime: at,
	})
}

// Diagnostic is an error or a warning from Terraform, sensitive values masked.
type Diagnostic struct {
	// Severity is error or warning.
	// +kubebuilder:validation:Enum=error;warning
	Severity string `json:"severity"`
	// Summary is its first line.
	// +kubebuilder:validation:MaxLength=1024
	Summary string `json:"summary"`
	// Detail is the rest.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	Detail string `json:"detail,omitempty"`
	// Address is the resource's address; empty when it is about none.
	// +optional
	Address string `json:"address,omitempty"`
}
