package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// compile builds a package as a static binary that is the same on every machine. The
// folder is in this repository; its go.mod, or that above it, says what the package is
// built of. "." is the package in the folder itself.
// The linker gets linkerFlags besides its own.
func compile(ctx context.Context, folder, pkg, linkerFlags string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "groundwork-image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "binary")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid= "+linkerFlags, "-o", binary, pkg)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile %s in %s: %w\n%s", pkg, folder, err, out)
	}
	return os.ReadFile(binary)
}
