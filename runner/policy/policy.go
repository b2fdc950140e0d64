// Package policy judges Terraform plans by Rego policies, written as conftest takes
// them: rules deny, violation and warn in the package main, which look at the JSON of
// `terraform show -json PLAN`.
//
// Policies reach neither the network nor the environment, and what is wrong with them
// is an error before anything is judged.
package policy

import (
	"embed"
	"io/fs"
	"path"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

//go:embed library/*.rego
var library embed.FS

// Library returns the default set, one file a policy.
func Library() fs.FS {
	sub, err := fs.Sub(library, "library")
	if err != nil {
		panic(err) // the name is a valid one
	}
	return sub
}

// Policies are compiled policies.
type Policies struct {
	compiler *ast.Compiler
	rules    []rule
}

// Load reads the policies in sources (Read) and compiles them. A file replaces the one of
// the same name in an earlier source; a file of comments alone takes it away.
//
// The error says of each fault, up to a few, in which file and line it is.
func Load(sources ...fs.FS) (*Policies, error) {
	files, err := readAll(sources)
	if err != nil {
		return nil, err
	}
	modules, err := parseAll(files)
	if err != nil {
		return nil, err
	}
	rules, err := findRules(modules)
	if err != nil {
		return nil, err
	}
	compiler, err := compile(modules)
	if err != nil {
		return nil, err
	}
	return &Policies{compiler: compiler, rules: rules}, nil
}

// Concern tells whether a policy looks at one of the resource types, and so whether a
// plan that changes them has to be judged.
func (p *Policies) Concern(types []string) bool {
	return slices.ContainsFunc(p.rules, func(r rule) bool {
		return len(types) > 0 && (r.types == nil || slices.ContainsFunc(types, r.looksAt))
	})
}

func (r rule) looksAt(resourceType string) bool {
	return slices.ContainsFunc(r.types, func(pattern string) bool {
		ok, _ := path.Match(pattern, resourceType) // findRules has checked the pattern
		return ok
	})
}
