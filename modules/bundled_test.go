package modules

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBundled(t *testing.T) {
	bundled, err := Bundled()
	if err != nil {
		t.Fatal(err)
	}
	fromDisk, err := Load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if len(bundled.Modules()) == 0 {
		t.Fatal("the bundled library is empty")
	}
	if diff := cmp.Diff(fromDisk.names(), bundled.names()); diff != "" {
		t.Fatalf("modules on disk and bundled (-disk +bundled):\n%s", diff)
	}
	for i, m := range bundled.Modules() {
		if want := fromDisk.Modules()[i]; m.Digest != want.Digest {
			t.Errorf("module %s is bundled with the digest %s, on disk it has %s: add the files that are missing to the patterns in bundled.go", m.Name, m.Digest, want.Digest)
		}
	}
}

// TestLoad_testBundle loads a library that is not ours from a folder.
func TestLoad_testBundle(t *testing.T) {
	c, err := Load(os.DirFS(filepath.Join("..", "hack", "testbundle")))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Modules() {
		if len(m.Providers) != 0 {
			t.Errorf("module %s needs the providers %v, want none", m.Name, m.Providers)
		}
	}
	if len(c.Modules()) == 0 {
		t.Error("the test bundle is empty")
	}
}
