package infrastructure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// request resolves everything that an apply needs, and checks all that can be
// checked without Terraform. A *status.Error says what is wrong with the object or
// what it waits for.
func (r *Reconciler) request(ctx context.Context, o *observed) (*runner.Request, error) {
	infra := o.infra
	module, err := r.catalogue.Get(infra.Spec.Module, infra.Spec.ModuleVersion)
	if err != nil {
		field := "spec.moduleVersion"
		if unknown := (*modules.UnknownModuleError)(nil); errors.As(err, &unknown) {
			field = "spec.module"
		}
		return nil, status.Stalled(v1alpha1.ReasonModuleNotFound, 0, "%s: %s", field, err)
	}
	if applied := o.applied(); applied != nil && applied.Spec.Module.Name != module.Name {
		return nil, moduleChanged(module.Name, applied.Spec.Module.Name)
	}
	if err := checkOutputs(infra.Spec.Outputs, module); err != nil {
		return nil, status.Stalled(v1alpha1.ReasonInvalidOutputs, 0, "%s", err)
	}
	if err := r.checkOutputSecret(ctx, infra); err != nil {
		return nil, err
	}
	variables, err := r.variables(ctx, infra, module)
	if err != nil {
		return nil, err
	}
	req := &runner.Request{
		Operation: v1alpha1.OperationApply,
		Module:    v1alpha1.ModuleReference{Name: module.Name, Version: module.Version, Digest: module.Digest},
		Files:     module.Archive(),
		Variables: variables,
		Sensitive: module.SensitiveVariables(),
		Backend:   state.Backend(r.namespace, o.key),
		Snapshot:  state.SnapshotName(o.key),
		Labels:    labelsOf(o.key),
	}
	config, err := r.providerConfig(ctx, o, module)
	if err != nil {
		return nil, err
	}
	if config != nil {
		req.ProviderConfig, req.Credentials = config.Name, config.Spec.Credentials
		if req.Provider, err = providerFile(config); err != nil {
			return nil, err
		}
	}
	req.InputsDigest, err = inputsDigest(req)
	return req, err
}

func moduleChanged(got, applied string) error {
	return status.Stalled(v1alpha1.ReasonModuleChanged, 0,
		"spec.module: got %s, but %s is applied and its resources would be destroyed; put it back, or create another Infrastructure and delete this one",
		got, applied)
}

// inputsDigest identifies what decides the outcome of an apply. Credentials do
// not: a rotated key makes no difference to what exists.
func inputsDigest(req *runner.Request) (string, error) {
	b, err := json.Marshal([]any{req.Module.Name, req.Module.Digest, req.Variables, req.ProviderConfig, req.Provider})
	if err != nil {
		return "", fmt.Errorf("digest of the inputs: %w", err)
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
