package infrastructure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// request resolves everything that an apply needs, and checks all that can be
// checked without Terraform. A *status.Error says what is wrong with the object or
// what it waits for.
func (r *Reconciler) request(ctx context.Context, o *observed) (*runner.Request, error) {
	infra := o.infra
	valid, err := r.valid(ctx, o)
	if err != nil {
		return nil, err
	}
	module, config := valid.module, valid.providerConfig
	if err := r.checkOutputSecret(ctx, infra); err != nil {
		return nil, err
	}
	if err := awaitDependencies(infra, valid.others); err != nil {
		return nil, err
	}
	variables, err := r.variables(ctx, infra, valid)
	if err != nil {
		return nil, err
	}
	req := &runner.Request{
		Operation: v1alpha1.OperationApply,
		Module:    v1alpha1.ModuleReference{Name: module.Name, Version: module.Version, Digest: module.Digest, Bundle: module.Bundle},
		Files:     module.Archive(),
		Variables: variables,
		Sensitive: module.SensitiveVariables(),
		Backend:   state.Backend(r.namespace, o.key),
		Snapshot:  state.SnapshotName(o.key),
		Labels:    labelsOf(o.key),

		StatefulTypes: module.StatefulTypes,
		HarmlessDrift: module.HarmlessDrift,
		Base:          o.base(),
	}
	if config != nil {
		if err := r.checkCredentials(ctx, config.Name, config.Spec.Credentials); err != nil {
			return nil, err
		}
		req.ProviderConfig, req.Credentials = config.Name, config.Spec.Credentials
		if req.Provider, err = providerFile(config); err != nil {
			return nil, err
		}
	}
	req.InputsDigest, err = inputsDigest(req)
	return req, err
}

// valid validates the object. The webhook has done that before, if it was there.
func (r *Reconciler) valid(ctx context.Context, o *observed) (resolved, error) {
	var was applied
	if run := o.applied(); run != nil {
		was = applied{module: run.Spec.Module.Name, providerConfig: run.Spec.ProviderConfig}
	}
	v := validator{catalogue: r.catalogue, cached: r.client, live: r.live}
	valid, faults, err := v.check(ctx, o.infra, was)
	if err == nil && len(faults) > 0 {
		err = stalled(faults...)
	}
	return valid, err
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
