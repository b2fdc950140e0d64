package modules

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// exampleFiles are a module's examples as users write them.
const exampleFiles = "examples/*/infrastructure.yaml"

// Load reads a library: every folder with a module.yaml is a module, other
// entries are ignored. All that is wrong is reported together, in a LoadError.
func Load(library fs.FS) (*Catalogue, error) {
	entries, err := fs.ReadDir(library, ".") // sorted by name
	if err != nil {
		return nil, fmt.Errorf("read the module library: %w", err)
	}
	var faults faults
	c := &Catalogue{}
	for _, entry := range entries {
		if _, err := fs.Stat(library, path.Join(entry.Name(), manifestFile)); err != nil {
			continue
		}
		c.modules = append(c.modules, load(library, entry.Name(), &faults))
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// LoadModule reads one module of a library, the folder of that name. All that is
// wrong is reported together, in a LoadError.
func LoadModule(library fs.FS, name string) (*Module, error) {
	var faults faults
	m := load(library, name, &faults)
	return m, faults.err()
}

// load reads one module. Where there are faults, the result is incomplete.
func load(library fs.FS, name string, faults *faults) *Module {
	m := &Module{Name: name}
	if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
		faults.add(name, 0, "the folder's name is the module's and must be a DNS label: %s", strings.Join(problems, "; "))
	}
	m.readManifest(library, faults)
	m.readExample(library, faults)
	files := readFiles(library, name, faults)
	m.Digest = digest(files)
	m.archive = archive(files)
	for _, f := range files {
		if f.path == lockFile {
			m.lockFile = f.content
		}
	}
	if len(m.archive) > maxArchive {
		faults.add(name, 0, "the module's files make a gzipped archive of %d KiB, at most %d KiB fit beside a run's request; leave out what Terraform does not need", len(m.archive)>>10, maxArchive>>10)
	}
	m.readConfig(name, files, faults)
	return m
}

// readExample reads the first example that is an Infrastructure.
func (m *Module) readExample(library fs.FS, faults *faults) {
	files, err := fs.Glob(library, path.Join(m.Name, exampleFiles)) // sorted
	if err != nil || len(files) == 0 {
		return
	}
	b, err := fs.ReadFile(library, files[0])
	if err != nil {
		faults.add(files[0], 0, "cannot be read: %v", err)
	}
	m.Example = string(b)
}
