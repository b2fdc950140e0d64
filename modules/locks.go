package modules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// ProviderLock is a provider in a module's dependency lock file.
// Source: https://developer.hashicorp.com/terraform/language/files/dependency-lock
type ProviderLock struct {
	// Source is the provider's full source: registry.terraform.io/hashicorp/aws.
	Source string `hcl:"source,label"`
	// Version is the one that was chosen.
	Version string `hcl:"version"`
	// Hashes are the checksums of its packages, with their scheme: h1:….
	Hashes []string `hcl:"hashes,optional"`
	Rest   hcl.Body `hcl:",remain"`
}

// TerraformSource returns the address in Terraform's registry of a provider in OpenTofu's.
func TerraformSource(source string) (string, bool) {
	rest, ok := strings.CutPrefix(source, openTofuRegistry+"/")
	return defaultRegistry + "/" + rest, ok
}

// OpenTofuSource returns the address in OpenTofu's registry of a provider in Terraform's:
// the one that OpenTofu asks for when a module names the registry of neither.
func OpenTofuSource(source string) (string, bool) {
	rest, ok := strings.CutPrefix(source, defaultRegistry+"/")
	return openTofuRegistry + "/" + rest, ok
}

// Locks reads the module's lock file, which must have every provider that the
// module uses, in Terraform's registry or in OpenTofu's.
func (m *Module) Locks() ([]ProviderLock, error) {
	parsed, diags := hclsyntax.ParseConfig(m.lockFile, m.Name+"/"+lockFile, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	var content struct {
		Providers []ProviderLock `hcl:"provider,block"`
	}
	if diags := gohcl.DecodeBody(parsed.Body, nil, &content); diags.HasErrors() {
		return nil, diags
	}
	var errs []error
	for _, source := range m.Providers {
		other, _ := OpenTofuSource(source)
		if !slices.ContainsFunc(content.Providers, func(l ProviderLock) bool { return l.Source == source || l.Source == other }) {
			errs = append(errs, fmt.Errorf("the module %s uses the provider %s, which its lock file does not have: run `terraform providers lock -platform=linux_amd64 -platform=linux_arm64` in its folder", m.Name, source))
		}
	}
	return content.Providers, errors.Join(errs...)
}
