package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// copyModules makes dir a copy of the module library: an init container of the
// controller reads a bundle image's catalogue this way. What is in dir goes
// first, as it may be left of a try that was interrupted.
func copyModules(library, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("copy the modules: %w", err)
	}
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		// dir itself may be a mount point, which cannot be removed.
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	if err != nil {
		return fmt.Errorf("clear %s for the modules: %w", dir, err)
	}
	if err := os.CopyFS(dir, os.DirFS(library)); err != nil {
		return fmt.Errorf("copy the modules: %w", err)
	}
	return nil
}
