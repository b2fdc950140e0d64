package modules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"
)

// Catalogue is a library of modules, each in one version.
type Catalogue struct {
	modules []*Module // sorted by name
}

// Modules returns all modules, sorted by name.
func (c *Catalogue) Modules() []*Module { return slices.Clone(c.modules) }

// Get returns the module of that name when its version meets the constraint, in
// Terraform's syntax ("~> 1.2"); an empty one is always met. It fails with an
// UnknownModuleError, a VersionError or a ConstraintError.
// Source: https://developer.hashicorp.com/terraform/language/expressions/version-constraints
func (c *Catalogue) Get(name, constraint string) (*Module, error) {
	i, found := slices.BinarySearchFunc(c.modules, name, func(m *Module, name string) int {
		return strings.Compare(m.Name, name)
	})
	if !found {
		return nil, &UnknownModuleError{Name: name, Known: c.names()}
	}
	m := c.modules[i]
	if err := m.Meets(constraint); err != nil {
		return nil, err
	}
	return m, nil
}

// Meets fails with a VersionError when the module's version does not meet the
// constraint, and with a ConstraintError when that is none; an empty one is met.
func (m *Module) Meets(constraint string) error {
	if strings.TrimSpace(constraint) == "" {
		return nil
	}
	want, err := version.NewConstraint(constraint)
	if err != nil {
		return &ConstraintError{Constraint: constraint}
	}
	if !want.Check(m.version) {
		return &VersionError{Module: m.Name, Constraint: constraint, Version: m.Version}
	}
	return nil
}

func (c *Catalogue) names() []string {
	names := make([]string, len(c.modules))
	for i, m := range c.modules {
		names[i] = m.Name
	}
	return names
}

// UnknownModuleError says that the catalogue has no module of that name.
type UnknownModuleError struct {
	// Name is what was asked for.
	Name string
	// Known are the names of all modules, sorted.
	Known []string
}

func (e *UnknownModuleError) Error() string {
	return fmt.Sprintf("there is no module %q; %s", e.Name, instead(e.Name, "the modules are", "the library is empty", e.Known))
}

// VersionError says that the catalogue has the module in another version only.
type VersionError struct {
	// Module is the module's name.
	Module string
	// Constraint is what was asked for.
	Constraint string
	// Version is the version that there is.
	Version string
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("module %s is there in version %s, which does not meet the constraint %q", e.Module, e.Version, e.Constraint)
}

// ConstraintError says that a version constraint does not parse.
type ConstraintError struct {
	// Constraint is what was given.
	Constraint string
}

func (e *ConstraintError) Error() string {
	return fmt.Sprintf("%q is not a version constraint; write it as Terraform does, such as \"~> 1.2\" or \">= 1.0, < 2.0\"", e.Constraint)
}
