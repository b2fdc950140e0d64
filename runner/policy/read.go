package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Read reads the policy files of a source, by name: every *.rego at its top, but for tests
// (*_test.rego). A source that does not exist has none.
func Read(source fs.FS) (map[string][]byte, error) {
	entries, err := fs.ReadDir(source, ".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the policies: %w", err)
	}
	files := map[string][]byte{}
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !strings.HasSuffix(name, ".rego") || strings.HasSuffix(name, "_test.rego") {
			continue
		}
		if files[name], err = fs.ReadFile(source, name); err != nil {
			return nil, fmt.Errorf("read the policy %s: %w", name, err)
		}
	}
	return files, nil
}

// readAll reads the policy files that count, by name.
func readAll(sources []fs.FS) (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, source := range sources {
		files, err := Read(source)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, files)
	}
	maps.DeleteFunc(all, func(_ string, text []byte) bool { return isEmpty(text) })
	return all, nil
}

// isEmpty tells whether there is nothing in a file but comments.
func isEmpty(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

// parseAll parses the files, and reports the faults of all.
func parseAll(files map[string][]byte) (map[string]*ast.Module, error) {
	modules := map[string]*ast.Module{}
	var faults ast.Errors
	for _, name := range slices.Sorted(maps.Keys(files)) {
		module, err := parse(name, string(files[name]))
		if err != nil {
			var several ast.Errors
			if !errors.As(err, &several) {
				return nil, fmt.Errorf("policy %s: %w", name, err)
			}
			faults = append(faults, several...)
			continue
		}
		modules[name] = module
	}
	return modules, describe(faults)
}

// parse parses a file as Rego v1 or, failing that, as the v0 that conftest took before.
func parse(name, text string) (*ast.Module, error) {
	options := ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1}
	module, err := ast.ParseModuleWithOpts(name, text, options)
	if err == nil {
		return module, nil
	}
	options.RegoVersion = ast.RegoV0
	if module, errV0 := ast.ParseModuleWithOpts(name, text, options); errV0 == nil {
		return module, nil
	}
	return nil, err
}
