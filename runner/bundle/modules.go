package bundle

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
	"strings"

	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/runner"
)

// Module is a module and the folder that it comes from.
type Module struct {
	*modules.Module
	folder string
	// files are what the image has of it: what Terraform needs, and what the catalogue
	// shows.
	files []Entry
}

// LoadModules loads libraries, folders with a folder for each module. A name may be in
// one of them only.
func LoadModules(libraries []string) ([]Module, error) {
	var all []Module
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
			loaded := Module{Module: m, folder: filepath.Join(library, m.Name)}
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
func (m *Module) read() error {
	dir := path.Join(runner.ModulesDir, m.Name)
	manifest, err := os.ReadFile(filepath.Join(m.folder, "module.yaml"))
	if err != nil {
		return err
	}
	m.files = []Entry{{Path: path.Join(dir, "module.yaml"), Mode: 0o644, Content: manifest}}
	if m.Example != "" {
		m.files = append(m.files, Entry{Path: path.Join(dir, "examples", "first", "infrastructure.yaml"), Mode: 0o644, Content: []byte(m.Example)})
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
		m.files = append(m.files, Entry{Path: path.Join(dir, header.Name), Mode: 0o644, Content: content})
	}
}

// moduleLayer is the module library.
func moduleLayer(all []Module) Layer {
	layer := Layer{Name: "modules: " + strings.Join(moduleNames(all), ", ")}
	for _, m := range all {
		layer.Entries = append(layer.Entries, m.files...)
	}
	return layer
}

func moduleNames(all []Module) []string {
	var names []string
	for _, m := range all {
		names = append(names, m.Name+" "+m.Version)
	}
	return names
}
