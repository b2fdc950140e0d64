package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// providerLock is a provider in a dependency lock file.
// Source: https://developer.hashicorp.com/terraform/language/files/dependency-lock
type providerLock struct {
	Source  string   `hcl:"source,label"`
	Version string   `hcl:"version"`
	Hashes  []string `hcl:"hashes,optional"`
	Rest    hcl.Body `hcl:",remain"`
}

// locks reads the module's lock file, which must have every provider that the
// module uses.
func (m *libraryModule) locks() ([]providerLock, error) {
	file := filepath.Join(m.folder, ".terraform.lock.hcl")
	src, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	parsed, diags := hclsyntax.ParseConfig(src, file, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	var content struct {
		Providers []providerLock `hcl:"provider,block"`
	}
	if diags := gohcl.DecodeBody(parsed.Body, nil, &content); diags.HasErrors() {
		return nil, diags
	}
	for _, source := range m.Providers {
		if !slices.ContainsFunc(content.Providers, func(l providerLock) bool { return l.Source == source }) {
			return nil, fmt.Errorf("the module %s uses the provider %s, which its lock file does not have: run `terraform providers lock -platform=%s` in %s",
				m.Name, source, platform(), m.folder)
		}
	}
	return content.Providers, nil
}
