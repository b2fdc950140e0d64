package modules

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// maxArchive is what an archive may have in bytes: a Secret holds 1 MiB, in
// which the variables and the provider settings need room too.
const maxArchive = 512 << 10

const lockFile = ".terraform.lock.hcl"

// sourceFile is a file of a module, its path relative to the module's folder.
type sourceFile struct {
	path    string
	content []byte
}

// readFiles returns the files that Terraform needs, sorted by path.
func readFiles(library fs.FS, folder string, faults *faults) []sourceFile {
	var files []sourceFile
	err := fs.WalkDir(library, folder, func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(p, folder), "/")
		switch {
		case rel == "":
			return nil
		case ignored(rel) && entry.IsDir():
			return fs.SkipDir
		case ignored(rel) || entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			faults.add(p, 0, "is not a regular file")
			return nil
		case strings.HasSuffix(rel, ".tfvars") || strings.HasSuffix(rel, ".tfvars.json"):
			faults.add(p, 0, "would set variables that users set; give variables a default instead")
			return nil
		}
		b, err := fs.ReadFile(library, p)
		files = append(files, sourceFile{rel, b})
		return err
	})
	if err != nil {
		faults.add(folder, 0, "cannot be read: %v", err)
	}
	return files
}

// ignored tells whether Terraform has no need of a file or folder: what is there
// for people and tests, and what a local run leaves behind.
func ignored(rel string) bool {
	name := path.Base(rel)
	switch {
	case rel == lockFile:
		return false
	case rel == manifestFile, rel == "tests", rel == "examples", name == "README.md":
		return true
	case strings.HasSuffix(name, ".tftest.hcl"), strings.HasSuffix(name, ".tftest.json"):
		return true
	case strings.Contains(name, ".tfstate"):
		return true
	default:
		return strings.HasPrefix(name, ".")
	}
}

// digest identifies the files by path and content, "sha256:<hex>".
func digest(files []sourceFile) string {
	h := sha256.New()
	for _, f := range files {
		// Lengths keep a path and a content apart.
		fmt.Fprintf(h, "%d %s %d ", len(f.path), f.path, len(f.content))
		h.Write(f.content)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// archive packs the files, the same bytes for the same files.
func archive(files []sourceFile) []byte {
	var b bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	pack := tar.NewWriter(zip)
	for _, f := range files {
		header := &tar.Header{Name: f.path, Mode: 0o644, Size: int64(len(f.content)), Format: tar.FormatPAX}
		// Nothing that writes to a buffer fails, save for a header that tar cannot
		// hold; PAX holds any.
		if err := pack.WriteHeader(header); err != nil {
			panic(err)
		}
		if _, err := pack.Write(f.content); err != nil {
			panic(err)
		}
	}
	if err := pack.Close(); err != nil {
		panic(err)
	}
	if err := zip.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
