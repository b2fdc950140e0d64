package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/runner"
)

// libraryModule is a module and the folder that it comes from.
type libraryModule struct {
	*modules.Module
	folder string
	// files are what the image has of it: what Terraform needs, and what the catalogue
	// shows.
	files []entry
}

// loadModules loads the libraries. A name may be in one of them only.
func loadModules(libraries []string) ([]libraryModule, error) {
	var all []libraryModule
	from := map[string]string{}
	for _, library := range libraries {
		catalogue, err := modules.Load(os.DirFS(library))
		if err != nil {
			return nil, fmt.Errorf("load the modules in %s: %w", library, err)
		}
		for _, m := range catalogue.Modules() {
			if other, ok := from[m.Name]; ok {
				return nil, fmt.Errorf("the module %s is in %s and in %s", m.Name, other, library)
			}
			from[m.Name] = library
			loaded := libraryModule{Module: m, folder: filepath.Join(library, m.Name)}
			if err := loaded.read(); err != nil {
				return nil, fmt.Errorf("read the module %s: %w", m.Name, err)
			}
			all = append(all, loaded)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no module in %v: a module is a folder with a module.yaml", libraries)
	}
	return all, nil
}

// read collects the module's files, so that the catalogue in the image has the
// same digests as the one that was loaded here.
func (m *libraryModule) read() error {
	dir := path.Join(runner.ModulesDir, m.Name)
	manifest, err := os.ReadFile(filepath.Join(m.folder, "module.yaml"))
	if err != nil {
		return err
	}
	m.files = []entry{{path: path.Join(dir, "module.yaml"), mode: 0o644, content: manifest}}
	if m.Example != "" {
		m.files = append(m.files, entry{path: path.Join(dir, "examples", "first", "infrastructure.yaml"), mode: 0o644, content: []byte(m.Example)})
	}
	zr, err := gzip.NewReader(bytes.NewReader(m.Archive()))
	if err != nil {
		return err
	}
	for tr := tar.NewReader(zr); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(tr)
		if err != nil {
			return err
		}
		m.files = append(m.files, entry{path: path.Join(dir, header.Name), mode: 0o644, content: content})
	}
}

func moduleEntries(all []libraryModule) []entry {
	var entries []entry
	for _, m := range all {
		entries = append(entries, m.files...)
	}
	return entries
}

func moduleNames(all []libraryModule) []string {
	var names []string
	for _, m := range all {
		names = append(names, m.Name+" "+m.Version)
	}
	return names
}
