// Package conformance checks whether a module is one that app teams can rely on: that
// it is described, documented with an example that is right, tested, locked to
// provider versions, and that a new version keeps what earlier ones have made.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/groundwork-dev/groundwork/modules"
)

// Options say what a module is checked with.
type Options struct {
	// Terraform is the path of the binary, of Terraform or of OpenTofu.
	Terraform string
	// Providers is an unpacked filesystem mirror of providers; empty for what
	// Terraform is configured to use.
	Providers string
	// Previous is a library with the modules' previous versions; empty for none.
	Previous string
}

// Report is what was found of one module.
type Report struct {
	// Module is the module's name.
	Module string
	// Faults are what has to be mended; none for a module that conforms.
	Faults []modules.Fault
	// Notes say what was not checked, and why.
	Notes []string
}

// Test checks the module in a folder, or every module of the library there. It fails
// when there is none, or when ctx ends.
func Test(ctx context.Context, dir string, o Options) ([]Report, error) {
	folders, err := find(dir)
	if err != nil {
		return nil, err
	}
	var reports []Report
	for _, folder := range folders {
		reports = append(reports, test(ctx, folder, o))
		if err := ctx.Err(); err != nil {
			return reports, err
		}
	}
	return reports, nil
}

// find returns the folders of modules: the one given, or those inside it.
func find(dir string) ([]string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	const manifest = "module.yaml"
	if _, err := os.Stat(filepath.Join(dir, manifest)); err == nil {
		return []string{dir}, nil
	}
	manifests, err := filepath.Glob(filepath.Join(dir, "*", manifest))
	if err != nil {
		return nil, err
	}
	if len(manifests) == 0 {
		return nil, fmt.Errorf("%s is neither a module nor a library: neither it nor a folder in it has a %s; `groundwork modules new` makes one", dir, manifest)
	}
	folders := make([]string, len(manifests))
	for i, m := range manifests {
		folders[i] = filepath.Dir(m)
	}
	return folders, nil
}

// checker collects what is wrong with one module.
type checker struct {
	*modules.Module
	// library is the folder that the module's folder is in.
	library string
	report  Report
}

// test checks one module. What its files say comes first: where that is wrong,
// Terraform would only say so again.
func test(ctx context.Context, folder string, o Options) Report {
	c := checker{library: filepath.Dir(folder), report: Report{Module: filepath.Base(folder)}}
	m, err := modules.LoadModule(os.DirFS(c.library), c.report.Module)
	if wrong := (*modules.LoadError)(nil); errors.As(err, &wrong) {
		c.report.Faults = wrong.Faults
		return c.report
	}
	c.Module = m
	for _, check := range []func(){c.manifest, c.descriptions, c.readme, c.examples, c.tests, c.locks} {
		check()
	}
	if len(c.report.Faults) > 0 {
		return c.report
	}
	c.terraform(ctx, o)
	if len(c.report.Faults) == 0 && o.Previous != "" {
		c.upgrade(ctx, o)
	}
	return c.report
}

// fault adds a fault of one of the module's files.
func (c *checker) fault(file, format string, args ...any) {
	c.report.Faults = append(c.report.Faults, modules.Fault{File: filepath.Join(c.Name, file), Message: fmt.Sprintf(format, args...)})
}

func (c *checker) note(format string, args ...any) {
	c.report.Notes = append(c.report.Notes, fmt.Sprintf(format, args...))
}

// path returns the path of one of the module's files.
func (c *checker) path(file string) string { return filepath.Join(c.library, c.Name, file) }

// usesAWS tells whether the module has rights in AWS to ask for.
func (c *checker) usesAWS() bool {
	return slices.ContainsFunc(c.Providers, func(source string) bool { return strings.HasSuffix(source, "/hashicorp/aws") })
}
