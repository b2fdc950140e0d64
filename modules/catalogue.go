package modules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Catalogue is the modules of one library, or of several: a module then has several
// versions.
type Catalogue struct {
	modules []*Module // sorted by name, the newest version first
	bundles []string  // that it was made of
}

// Modules returns all modules, each in the version that Get returns without a
// constraint, sorted by name.
func (c *Catalogue) Modules() []*Module {
	names := c.names()
	newest := make([]*Module, len(names))
	for i, name := range names {
		newest[i] = newestOf(c.Versions(name))
	}
	return newest
}

// Versions returns all versions of the module of that name, newest first; none when
// there is no such module.
func (c *Catalogue) Versions(name string) []*Module {
	// The search finds the first of several.
	i, _ := slices.BinarySearchFunc(c.modules, name, func(m *Module, name string) int {
		return strings.Compare(m.Name, name)
	})
	n := i
	for n < len(c.modules) && c.modules[n].Name == name {
		n++
	}
	return slices.Clone(c.modules[i:n])
}

// HasBundle tells whether the catalogue was made of that bundle, be it without a
// module. The default one, which has no name here, is always there.
func (c *Catalogue) HasBundle(name string) bool {
	return name == "" || slices.Contains(c.bundles, name)
}

// Get returns the newest version of the module of that name that meets the
// constraint, in Terraform's syntax ("~> 1.2"). An empty one is met by every version;
// a pre-release is then returned only when there is nothing else. It fails with an
// UnknownModuleError, a VersionError or a ConstraintError.
// Source: https://developer.hashicorp.com/terraform/language/expressions/version-constraints
func (c *Catalogue) Get(name, constraint string) (*Module, error) {
	versions := c.Versions(name)
	if len(versions) == 0 {
		return nil, &UnknownModuleError{Name: name, Known: c.names()}
	}
	return choose(versions, constraint)
}

// Objects returns the entries of the cluster's catalogue, sorted by name.
func (c *Catalogue) Objects() []*v1alpha1.Module {
	var objects []*v1alpha1.Module
	for _, m := range c.Modules() {
		o := m.Object()
		o.Spec.Versions = nil
		for _, version := range c.Versions(m.Name) {
			o.Spec.Versions = append(o.Spec.Versions, version.entry())
		}
		objects = append(objects, o)
	}
	return objects
}

// Meets fails with a VersionError when the module's version does not meet the
// constraint, and with a ConstraintError when that is none; an empty one is met.
func (m *Module) Meets(constraint string) error {
	_, err := choose([]*Module{m}, constraint)
	return err
}

// choose returns the newest of a module's versions that meets the constraint.
func choose(versions []*Module, constraint string) (*Module, error) {
	if strings.TrimSpace(constraint) == "" {
		return newestOf(versions), nil
	}
	want, err := version.NewConstraint(constraint)
	if err != nil {
		return nil, &ConstraintError{Constraint: constraint}
	}
	var there []string
	for _, m := range versions {
		if want.Check(m.version) {
			return m, nil
		}
		there = append(there, m.Version)
	}
	return nil, &VersionError{Module: versions[0].Name, Constraint: constraint, Versions: there}
}

// newestOf returns the first version that is no pre-release, else the first.
func newestOf(versions []*Module) *Module {
	for _, m := range versions {
		if m.version.Prerelease() == "" {
			return m
		}
	}
	return versions[0]
}

// names returns the names of all modules, sorted.
func (c *Catalogue) names() []string {
	names := make([]string, len(c.modules))
	for i, m := range c.modules {
		names[i] = m.Name
	}
	return slices.Compact(names)
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

// VersionError says that the catalogue has the module in other versions only.
type VersionError struct {
	// Module is the module's name.
	Module string
	// Constraint is what was asked for.
	Constraint string
	// Versions are those that there are, newest first.
	Versions []string
}

func (e *VersionError) Error() string {
	if len(e.Versions) == 1 {
		return fmt.Sprintf("module %s is there in version %s, which does not meet the constraint %q", e.Module, e.Versions[0], e.Constraint)
	}
	return fmt.Sprintf("module %s is there in the versions %s, none of which meets the constraint %q", e.Module, strings.Join(e.Versions, ", "), e.Constraint)
}

// ConstraintError says that a version constraint does not parse.
type ConstraintError struct {
	// Constraint is what was given.
	Constraint string
}

func (e *ConstraintError) Error() string {
	return fmt.Sprintf("%q is not a version constraint; write it as Terraform does, such as \"~> 1.2\" or \">= 1.0, < 2.0\"", e.Constraint)
}
