// Package runner is the contract between the controller and a runner pod.
//
// The controller writes a Request into a Secret of the Run's name, which the pod
// mounts at RequestDir. The runner takes the Run (status.podUID), writes
// progress and the result into the Run's status, and repeats the result in its
// termination message; its exit code is the last resort.
package runner

import (
	"encoding/json"
	"fmt"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

const (
	// RequestDir is where the pod finds its Request, one file per key.
	RequestDir = "/groundwork/request"
	// WorkDir is the pod's writable directory, in memory: variables and plans
	// hold secrets.
	WorkDir = "/groundwork/work"
	// Binary is the runner in the bundle image.
	Binary = "/groundwork/runner"
	// TerraformBinary is Terraform in the bundle image.
	TerraformBinary = "/groundwork/terraform"
	// ProvidersDir is the bundle image's filesystem mirror, unpacked.
	ProvidersDir = "/groundwork/providers"
	// ModulesDir is the bundle image's module library, a folder a module.
	ModulesDir = "/groundwork/modules"
	// PoliciesDir has the bundle image's policies, beside the runner's default set;
	// it need not exist.
	PoliciesDir = "/groundwork/policies"
	// PoliciesConfigDir has the policies in PoliciesConfigMap, which win.
	PoliciesConfigDir = "/groundwork/policies.d"
	// PoliciesConfigMap is the ConfigMap in the system namespace that has policies,
	// a key a file; it need not exist.
	PoliciesConfigMap = "groundwork-policies"
)

// Environment variables that the pod sets for the runner.
const (
	// EnvRun is the Run's name.
	EnvRun = "GROUNDWORK_RUN"
	// EnvNamespace is the system namespace.
	EnvNamespace = "GROUNDWORK_NAMESPACE"
	// EnvPodUID is the pod's own UID.
	EnvPodUID = "GROUNDWORK_POD_UID"
	// EnvMemoryLimit is the container's memory limit in bytes, for messages.
	EnvMemoryLimit = "GROUNDWORK_MEMORY_LIMIT"
	// EnvGracePeriod is the pod's termination grace period in seconds: how long
	// the runner lives after SIGTERM.
	EnvGracePeriod = "GROUNDWORK_GRACE_PERIOD"
)

// Exit codes of the runner.
const (
	// ExitSucceeded: the Run succeeded.
	ExitSucceeded = 0
	// ExitFailed: the Run failed; the termination message holds the Result.
	ExitFailed = 1
	// ExitUsage: the runner was started wrongly.
	ExitUsage = 2
	// ExitNotTaken: the Run belongs to another pod or is finished; nothing was
	// done.
	ExitNotTaken = 3
)

// Keys of the Secret that holds a Request or, under the name that
// Request.Snapshot gives, the last Request that went on to change resources.
const (
	keyRequest = "request.json"
	keyModule  = "module.tar.gz"
)

// DiffSecret is the name of the Secret in which the runner leaves Terraform's account of
// what a preview would change, in the key v1alpha1.DiffKey.
func DiffSecret(run string) string { return run + "-diff" }

// Request is all that a runner needs for one Run. It is also the snapshot that a
// destroy works from, so it holds nothing that could be gone by then but the
// credentials, which it names.
type Request struct {
	// Operation is what to do.
	Operation v1alpha1.Operation `json:"operation"`
	// Module is the module in Files.
	Module v1alpha1.ModuleReference `json:"module"`
	// Files is the module's directory as a gzipped tar (modules.Module.Archive).
	Files []byte `json:"-"`
	// InputsDigest is the Run's.
	InputsDigest string `json:"inputsDigest"`
	// Variables is the content of terraform.tfvars.json.
	Variables json.RawMessage `json:"variables"`
	// Sensitive names the variables whose values are masked in everything that
	// the runner says.
	Sensitive []string `json:"sensitive,omitempty"`
	// StatefulTypes are the resource types whose loss may have to be approved.
	StatefulTypes []string `json:"statefulTypes,omitempty"`
	// HarmlessDrift are attributes that differ without harm, each as TYPE.ATTRIBUTE.
	HarmlessDrift []string `json:"harmlessDrift,omitempty"`
	// Base is what the plan is made on top of: the last Run that succeeded. It is part of
	// the plan's id, so that an approval holds for one change only.
	Base string `json:"base,omitempty"`
	// ProviderConfig is the ProviderConfig's name; empty without one.
	ProviderConfig string `json:"providerConfig,omitempty"`
	// Provider is a Terraform JSON file with the provider blocks; empty without.
	Provider json.RawMessage `json:"provider,omitempty"`
	// Backend is a Terraform JSON file with the backend block (state.Backend).
	Backend json.RawMessage `json:"backend"`
	// Snapshot is the name of the Secret that the runner writes this Request to
	// before Terraform changes anything.
	Snapshot string `json:"snapshot"`
	// Labels are put on the snapshot.
	Labels map[string]string `json:"labels,omitempty"`
	// Credentials are what the pod gets; a destroy from the snapshot gets the
	// same.
	Credentials v1alpha1.Credentials `json:"credentials,omitempty"`
}

// SecretData returns the Secret data that holds the request.
func (r *Request) SecretData() (map[string][]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	return map[string][]byte{keyRequest: b, keyModule: r.Files}, nil
}

// ParseRequest reads a request from Secret data, or from the files of a mounted
// Secret by name. It fails when a part is missing.
func ParseRequest(data map[string][]byte) (*Request, error) {
	for _, key := range []string{keyRequest, keyModule} {
		if len(data[key]) == 0 {
			return nil, fmt.Errorf("the request has no key %q", key)
		}
	}
	r := &Request{}
	if err := json.Unmarshal(data[keyRequest], r); err != nil {
		// The JSON error could quote a variable's value.
		return nil, fmt.Errorf("the request's key %q is not the JSON of a request", keyRequest)
	}
	r.Files = data[keyModule]
	return r, nil
}
