package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// registry is where the manifests say that the images come from. They are loaded into
// the cluster, and never pulled.
const registry = "ghcr.io/groundwork-dev"

// noteSuffix names the file beside an image that notes what the image was made of.
const noteSuffix = ".made"

// image returns the file of a controller's image in dist/, which is built unless it is
// there and made of the same: to link and to pack it takes a while even when
// everything is compiled.
func (i *installer) image(ctx context.Context, name string) (string, error) {
	file := filepath.Join(i.root, "dist", name+".tar")
	made, err := fingerprint(i.path(name, "go.*"), filepath.Join(i.root, "hack", "image", "*.go"))
	if err != nil {
		return "", err
	}
	if current(file, made) {
		fmt.Fprintf(i.log, "%s is up to date\n", file)
		return file, nil
	}
	m, err := i.module(ctx, name)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(i.log, "compiling %s %s (with an empty Go build cache 3 minutes)\n", name, m.Version)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	if err := os.RemoveAll(file + noteSuffix); err != nil { // It is not true while the file is written.
		return "", err
	}
	err = i.run(ctx, "go", "run", "./hack/image", "-version="+m.Version, "-"+name+"-out="+file, "-"+name+"-tag="+registry+"/"+name+":"+m.Version)
	if err != nil {
		return "", err
	}
	return file, os.WriteFile(file+noteSuffix, []byte(made), 0o644)
}

// current tells whether a file is there and what it was made of, as was noted beside
// it, is what it would be made of now.
func current(file, made string) bool {
	if _, err := os.Stat(file); err != nil {
		return false
	}
	noted, err := os.ReadFile(file + noteSuffix)
	return err == nil && string(noted) == made
}

// fingerprint identifies the content of the files that match the patterns, but for
// tests, and the Go that compiles.
func fingerprint(patterns ...string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOARCH)
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			content, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(h, "%s %d\n%s", filepath.Base(file), len(content), content)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
