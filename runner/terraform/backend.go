package terraform

import (
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// backendBlock is the one backend block of a Terraform JSON file.
type backendBlock struct {
	kind     string
	settings json.RawMessage
}

func parseBackend(file json.RawMessage) (backendBlock, error) {
	var doc struct {
		Terraform struct {
			Backend map[string]json.RawMessage `json:"backend"`
		} `json:"terraform"`
	}
	if err := json.Unmarshal(file, &doc); err != nil {
		return backendBlock{}, fmt.Errorf("read the request's backend: %w", err)
	}
	if len(doc.Terraform.Backend) != 1 {
		return backendBlock{}, fmt.Errorf("the request's backend has %d backend blocks, want 1", len(doc.Terraform.Backend))
	}
	var b backendBlock
	for kind, settings := range doc.Terraform.Backend {
		b = backendBlock{kind, settings}
	}
	return b, nil
}

// backendState returns what `terraform init` keeps of a backend in
// .terraform/terraform.tfstate. The hash only spares Terraform a comparison of
// the settings; with 0 it compares.
func backendState(file json.RawMessage) ([]byte, error) {
	b, err := parseBackend(file)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"version": 3,
		"backend": map[string]any{"type": b.kind, "config": b.settings, "hash": 0},
	})
}

// The names that the kubernetes backend gives to the state and to its lock.
// Source: https://github.com/hashicorp/terraform/blob/v1.11.4/internal/backend/remote-state/kubernetes/client.go (createSecretName, createLeaseName)
const (
	statePrefix = "tfstate-default-"
	leasePrefix = "lock-" + statePrefix
)

// secret is the Secret that the kubernetes backend keeps the state in, the first
// of them when it is in parts.
func (b backendBlock) secret() (types.NamespacedName, error) { return b.object(statePrefix) }

// lease is the Lease that the kubernetes backend locks the state with.
func (b backendBlock) lease() (types.NamespacedName, error) { return b.object(leasePrefix) }

func (b backendBlock) object(prefix string) (types.NamespacedName, error) {
	var settings struct {
		Namespace string `json:"namespace"`
		Suffix    string `json:"secret_suffix"`
	}
	if err := json.Unmarshal(b.settings, &settings); err != nil {
		return types.NamespacedName{}, fmt.Errorf("read the request's backend: %w", err)
	}
	if b.kind != "kubernetes" || settings.Namespace == "" || settings.Suffix == "" {
		return types.NamespacedName{}, errors.New("the request's backend is not the kubernetes backend with namespace and secret_suffix")
	}
	return types.NamespacedName{Namespace: settings.Namespace, Name: prefix + settings.Suffix}, nil
}
