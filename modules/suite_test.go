package modules

import (
	"testing"
	"testing/fstest"
)

const testManifest = "version: 1.2.3\nsummary: A module for tests.\n"

// folder builds a library from file contents by path.
func folder(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return fsys
}

// loadModule loads a module with one Terraform file.
func loadModule(t testing.TB, tf string) *Module {
	t.Helper()
	c, err := Load(folder(map[string]string{"x/module.yaml": testManifest, "x/main.tf": tf}))
	if err != nil {
		t.Fatal(err)
	}
	return c.Modules()[0]
}
