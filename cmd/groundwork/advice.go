package main

import "github.com/groundwork-dev/groundwork/api/v1alpha1"

// advice is what a person does about an object that is not Ready, or has drifted, for
// the reason; empty for a reason that is not known. line is the command line that does
// something with the object.
func advice(reason string, line func(verb string) string) string {
	switch reason {
	case v1alpha1.ReasonInSync:
		return "Nothing; all is as asked for."
	case v1alpha1.ReasonProgressing, v1alpha1.ReasonDestroying:
		return "Wait. If the message does not change for long, a platform engineer looks at the run and its pod."
	case v1alpha1.ReasonUpgradePending:
		return "Nothing; the new version comes by itself. To have it at once: " + line("reconcile")
	case v1alpha1.ReasonUpgradeStopped:
		return "Nothing for this one; a platform engineer mends those that the message names. To have the new version all the same: " + line("reconcile")
	case v1alpha1.ReasonDriftDetected:
		return "Put it back: " + line("approve") + ". Or take the change over into the spec."
	case v1alpha1.ReasonDriftUnknown:
		return "Nothing at once: the next look comes by itself. If it fails again, read the message; often credentials lack a right."
	}
	if text := adviceToWait(reason, line); text != "" {
		return text
	}
	return adviceToChange(reason, line)
}

// adviceToWait is the advice for reasons to wait.
func adviceToWait(reason string, line func(verb string) string) string {
	switch reason {
	case v1alpha1.ReasonSuspended:
		return "If runs are to start again: " + line("resume")
	case v1alpha1.ReasonNamespaceTerminating:
		return "Nothing; the object goes with its namespace. Events and Secrets cannot be written any more."
	case v1alpha1.ReasonProtected:
		return "If the resources are to be destroyed, set spec.deletionPolicy to Delete."
	case v1alpha1.ReasonApprovalRequired:
		return "Look at the plan; then approve it: " + line("approve") + ". Or put the spec back to what is applied."
	case v1alpha1.ReasonLocked:
		return "Ask the one whom the message names. If they do not work on it any more, a platform engineer releases the lock."
	case v1alpha1.ReasonInputMissing:
		return "Make the Secret, ConfigMap or key that the message names; it is seen by itself."
	case v1alpha1.ReasonDependencyNotReady:
		return "Look at the Infrastructure that the message names; this one goes on when that is ready."
	case v1alpha1.ReasonDependants:
		return "Delete those that the message names as well, or take this one out of their specs."
	case v1alpha1.ReasonRunFailed:
		return "Read the message. The next try comes by itself; to try at once: " + line("reconcile")
	case v1alpha1.ReasonRetrying:
		return "Nothing at once: it is tried again. If it stays, show the message to your platform engineers."
	}
	return ""
}

// adviceToChange is the advice for reasons to stall.
func adviceToChange(reason string, line func(verb string) string) string {
	switch reason {
	case v1alpha1.ReasonModuleNotFound:
		return "Correct spec.module or spec.moduleVersion; kubectl get modules.infra.groundwork.dev lists what there is."
	case v1alpha1.ReasonInvalidVariables:
		return "Correct the variable that the message names, in the spec or where variablesFrom takes it from."
	case v1alpha1.ReasonOutputNotFound:
		return "Correct the outputRef that the message names: it has to be an output of the other one's module."
	case v1alpha1.ReasonDependencyCycle:
		return "Take one of the objects that the message names out of another's dependsOn or variablesFrom."
	case v1alpha1.ReasonInvalidOutputs:
		return "Correct spec.outputs: the output, key or template that the message names."
	case v1alpha1.ReasonProviderConfigNotFound, v1alpha1.ReasonProviderConfigForbidden:
		return "Name another one in spec.providerConfig, or ask your platform engineers for one that admits this namespace."
	case v1alpha1.ReasonModuleChanged:
		return "Put spec.module and spec.providerConfig back. For another module, make another object, then delete this one."
	case v1alpha1.ReasonOutputSecretConflict:
		return "Choose another spec.outputs.secretName, or delete that Secret if nobody needs it."
	case v1alpha1.ReasonPolicyDenied:
		return "Change the spec so that the policy admits it, or ask your platform engineers for an exception; then: " + line("reconcile")
	case v1alpha1.ReasonCancelled:
		return "Change the spec, or start another run: " + line("reconcile")
	case v1alpha1.ReasonRetriesExhausted:
		return "Mend what the message says. A change of the spec is tried at once; else: " + line("reconcile")
	case v1alpha1.ReasonStateMissing:
		return "Touch nothing, and tell your platform engineers: they restore the Secret that the message names, a state by " + line("state restore") + ", else from a backup."
	}
	return ""
}
