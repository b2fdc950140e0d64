package modules

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// archiveFiles are the files of a module, those that Terraform needs first.
func archiveFiles() map[string]string {
	return map[string]string{
		"x/.terraform.lock.hcl":   "# lock",
		"x/main.tf":               "# main",
		"x/more.tf.json":          "{}",
		"x/parts/a/main.tf":       "# part",
		"x/templates/user.sh":     "#!/bin/sh",
		"x/tests.tf":              "# no test",
		"x/module.yaml":           testManifest,
		"x/README.md":             "text",
		"x/parts/a/README.md":     "text",
		"x/tests/a.tftest.hcl":    "text",
		"x/tests/setup/main.tf":   "text",
		"x/main.tftest.hcl":       "text",
		"x/examples/a/main.tf":    "text",
		"x/.terraform/a/main.tf":  "text",
		"x/.gitignore":            "text",
		"x/terraform.tfstate":     "secret",
		"x/.terraform.tfstate.ab": "secret",
	}
}

func loadFiles(t *testing.T, files map[string]string) *Module {
	t.Helper()
	c, err := Load(folder(files))
	if err != nil {
		t.Fatal(err)
	}
	return c.Modules()[0]
}

// unpack reads an archive into file contents by path, and checks the headers.
func unpack(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for pack := tar.NewReader(zip); ; {
		header, err := pack.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag != tar.TypeReg || header.Mode != 0o644 || header.Uid != 0 {
			t.Errorf("%s: type %q, mode %o, user %d; want a regular file, 644, root", header.Name, header.Typeflag, header.Mode, header.Uid)
		}
		content, err := io.ReadAll(pack)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = string(content)
	}
}

func TestModule_Archive(t *testing.T) {
	m := loadFiles(t, archiveFiles())
	want := map[string]string{
		".terraform.lock.hcl": "# lock",
		"main.tf":             "# main",
		"more.tf.json":        "{}",
		"parts/a/main.tf":     "# part",
		"templates/user.sh":   "#!/bin/sh",
		"tests.tf":            "# no test",
	}
	if diff := cmp.Diff(want, unpack(t, m.Archive())); diff != "" {
		t.Errorf("files in the archive (-want +got):\n%s", diff)
	}
	if again := loadFiles(t, archiveFiles()); !bytes.Equal(m.Archive(), again.Archive()) {
		t.Error("the same files made two archives")
	}
}

func TestModule_Digest(t *testing.T) {
	cases := map[string]struct {
		change func(files map[string]string)
		same   bool
	}{
		"The same files have the same digest.": {func(map[string]string) {}, true},
		"A README does not count.":             {func(f map[string]string) { f["x/README.md"] = "other" }, true},
		"A test does not count.":               {func(f map[string]string) { delete(f, "x/tests/a.tftest.hcl") }, true},
		"A summary does not count.":            {func(f map[string]string) { f["x/module.yaml"] = "version: 1.2.3\nsummary: other\n" }, true},
		"A file's content counts.":             {func(f map[string]string) { f["x/main.tf"] = "# Main" }, false},
		"A file's name counts.":                {func(f map[string]string) { f["x/mein.tf"] = f["x/main.tf"]; delete(f, "x/main.tf") }, false},
		"A new file counts.":                   {func(f map[string]string) { f["x/new.tf"] = "" }, false},
		"The lock file counts.":                {func(f map[string]string) { f["x/.terraform.lock.hcl"] = "" }, false},
		"A file that moves into another one counts.": {func(f map[string]string) {
			f["x/main.tf"] += "more.tf.json" + f["x/more.tf.json"]
			delete(f, "x/more.tf.json")
		}, false},
	}
	digest := loadFiles(t, archiveFiles()).Digest
	if hex, ok := strings.CutPrefix(digest, "sha256:"); !ok || len(hex) != 64 {
		t.Errorf("Digest = %q, want sha256:<64 hex digits>", digest)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			files := archiveFiles()
			c.change(files)
			if got := loadFiles(t, files).Digest; (got == digest) != c.same {
				t.Errorf("Digest = %s, before the change %s", got, digest)
			}
		})
	}
}

func TestLoad_link(t *testing.T) {
	fsys := folder(archiveFiles())
	fsys["x/link.tf"] = &fstest.MapFile{Data: []byte("main.tf"), Mode: fs.ModeSymlink}
	_, err := Load(fsys)
	var load *LoadError
	if !errors.As(err, &load) {
		t.Fatalf("Load() = %v, want a LoadError", err)
	}
	if diff := cmp.Diff([]Fault{{File: "x/link.tf", Message: "is not a regular file"}}, load.Faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}
