package v1alpha1

// Condition types of an Infrastructure; a Preview has the first three. Reconciling and Stalled are absent when
// they are not True, and never both there.
const (
	// ConditionReady is True when the applied resources and the output Secret are
	// what the spec asks for, Unknown while a run is under way, False otherwise.
	ConditionReady = "Ready"
	// ConditionReconciling is True while the controller works on the object or
	// waits for something that is expected to come by itself.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when a person has to change something.
	ConditionStalled = "Stalled"
	// ConditionDrifted is True when the resources were found to differ from what was
	// applied, Unknown when the last look failed, and absent otherwise.
	ConditionDrifted = "Drifted"
)

// Reasons of Drifted.
const (
	// ReasonDriftDetected: status.plan would put the resources back. Drifted=True.
	ReasonDriftDetected = "DriftDetected"
	// ReasonDriftUnknown: the run that looked for drift failed. Drifted=Unknown.
	ReasonDriftUnknown = "DriftUnknown"
)

// Reasons of the conditions of an Infrastructure in good order.
const (
	// ReasonInSync: applied as asked for, outputs written. Ready=True.
	ReasonInSync = "InSync"
	// ReasonProgressing: a run is about to start or under way. Ready=Unknown.
	ReasonProgressing = "Progressing"
	// ReasonUpgradePending: applied as asked for, and a newer version of the module comes
	// when it is the object's turn. Ready=True.
	ReasonUpgradePending = "UpgradePending"
	// ReasonUpgradeStopped: as UpgradePending, but the version has failed for too many other
	// objects, and is not applied before somebody does something about it. Ready=True.
	ReasonUpgradeStopped = "UpgradeStopped"
	// ReasonSuspended: spec.suspend is set; no run is started. Ready keeps what
	// it was; an object that never was Ready, or is being deleted, is False.
	ReasonSuspended = "Suspended"
	// ReasonDestroying: the object is being deleted and its resources destroyed.
	ReasonDestroying = "Destroying"
)

// Reasons to wait. Ready=False, Reconciling=True.
const (
	// ReasonNamespaceTerminating: the object's namespace is being deleted and takes
	// no Secret any more.
	ReasonNamespaceTerminating = "NamespaceTerminating"
	// ReasonProtected: the object is being deleted, and spec.deletionPolicy is
	// Protect.
	ReasonProtected = "Protected"
	// ReasonApprovalRequired: status.plan waits for approval.
	ReasonApprovalRequired = "ApprovalRequired"
	// ReasonLocked: someone else holds the state's lock; the message says who and
	// since when.
	ReasonLocked = "Locked"
	// ReasonInputMissing: a Secret, ConfigMap or key that spec.variablesFrom or
	// the ProviderConfig names does not exist yet.
	ReasonInputMissing = "InputMissing"
	// ReasonDependencyNotReady: an Infrastructure that spec.dependsOn or an outputRef
	// of spec.variablesFrom names is not Ready for its current generation.
	ReasonDependencyNotReady = "DependencyNotReady"
	// ReasonDependants: the object is being deleted, and others of its namespace
	// still need it; the message names them.
	ReasonDependants = "Dependants"
	// ReasonRunFailed: the last run failed and will be retried.
	ReasonRunFailed = "RunFailed"
	// ReasonRetrying: something that the controller tried itself failed and will
	// be tried again.
	ReasonRetrying = "Retrying"
)

// Reasons to stall. Ready=False, Stalled=True.
const (
	// ReasonModuleNotFound: no bundle has a module of that name, or none in a
	// version that spec.moduleVersion admits.
	ReasonModuleNotFound = "ModuleNotFound"
	// ReasonInvalidVariables: a variable is unknown, missing or of a wrong type.
	ReasonInvalidVariables = "InvalidVariables"
	// ReasonOutputNotFound: an outputRef of spec.variablesFrom names an output that
	// the other Infrastructure's module does not have.
	ReasonOutputNotFound = "OutputNotFound"
	// ReasonDependencyCycle: the object needs itself, through others of its namespace;
	// the message names them.
	ReasonDependencyCycle = "DependencyCycle"
	// ReasonInvalidOutputs: spec.outputs names an output that the module does not
	// have, a key that a Secret cannot have, or a template that does not parse.
	ReasonInvalidOutputs = "InvalidOutputs"
	// ReasonProviderConfigNotFound: the named ProviderConfig, or a default one,
	// does not exist, or more than one is the default.
	ReasonProviderConfigNotFound = "ProviderConfigNotFound"
	// ReasonProviderConfigForbidden: the ProviderConfig does not admit the
	// object's namespace, or is for a provider that the module does not use.
	ReasonProviderConfigForbidden = "ProviderConfigForbidden"
	// ReasonModuleChanged: spec names another module or ProviderConfig than the one
	// that is applied.
	ReasonModuleChanged = "ModuleChanged"
	// ReasonOutputSecretConflict: the output Secret exists and belongs to someone
	// else.
	ReasonOutputSecretConflict = "OutputSecretConflict"
	// ReasonPolicyDenied: a policy denies the plan; the message has the policy, the
	// resource and what it says.
	ReasonPolicyDenied = "PolicyDenied"
	// ReasonCancelled: the last run was cancelled; none is started before the spec changes or
	// a run is asked for.
	ReasonCancelled = "Cancelled"
	// ReasonRetriesExhausted: five runs in a row failed.
	ReasonRetriesExhausted = "RetriesExhausted"
	// ReasonStateMissing: resources were applied, but their state or the inputs
	// they were applied with are gone; nothing is touched until they are back.
	ReasonStateMissing = "StateMissing"
)

// ConditionSucceeded is the one condition of a Run: Unknown while it is under
// way, then True or False for good. Its reason is the Run's status.reason.
const ConditionSucceeded = "Succeeded"
