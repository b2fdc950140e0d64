package modules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// LoadError lists everything that is wrong with a library.
type LoadError struct {
	// Faults are sorted by file and line.
	Faults []Fault
}

// Fault is something wrong with a file of a library.
type Fault struct {
	// File is the path from the library's folder.
	File string
	// Line counts from 1; 0 is the file as a whole.
	Line int
	// Message says what is wrong and what to do.
	Message string
}

func (e *LoadError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return "the module library has faults:\n" + strings.Join(lines, "\n")
}

func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
}

// faults collects what is wrong.
type faults []Fault

func (f *faults) add(file string, line int, format string, args ...any) {
	*f = append(*f, Fault{File: file, Line: line, Message: fmt.Sprintf(format, args...)})
}

// at adds a fault at a place in a Terraform file.
func (f *faults) at(r hcl.Range, format string, args ...any) {
	f.add(r.Filename, r.Start.Line, format, args...)
}

// diagnostics adds the errors among the diagnostics of the HCL library.
func (f *faults) diagnostics(diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		r := hcl.Range{}
		if d.Subject != nil {
			r = *d.Subject
		}
		f.at(r, "%s: %s", d.Summary, d.Detail)
	}
}

// err returns nil when nothing is wrong, a LoadError otherwise.
func (f *faults) err() error {
	if len(*f) == 0 {
		return nil
	}
	sorted := slices.Clone(*f)
	slices.SortStableFunc(sorted, func(a, b Fault) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return &LoadError{Faults: sorted}
}
