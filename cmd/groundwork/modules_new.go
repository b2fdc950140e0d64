package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
)

// scaffold is a module that conforms, but for its README's tables.
//
//go:embed scaffold
var scaffold embed.FS

func modulesNewCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a module to start from",
		Long: `Makes the folder NAME with a small module that conforms: Terraform files, module.yaml,
README, an example and tests. It needs no provider, so that it runs at once.`,
		Example: "  groundwork modules new team-cache\n  groundwork modules new team-cache --library ~/platform/modules",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			folder, err := newModule(dir, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is there. Next:\n  groundwork modules test %s\n", folder, folder)
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().StringVarP(&dir, "library", "l", ".", "`DIR` of the module library to make it in")
	_ = c.MarkFlagDirname("library") // the flag is there
	return c
}

// newModule writes a module's folder, whole or not at all, and returns its path.
func newModule(library, name string) (string, error) {
	if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
		return "", fmt.Errorf("got the name %q, wanted one for a Module object: %s", name, strings.Join(problems, "; "))
	}
	folder := filepath.Join(library, name)
	if _, err := os.Lstat(folder); !errors.Is(err, fs.ErrNotExist) {
		return "", errors.Join(fmt.Errorf("%s is there already; take another name, or remove it", folder), err)
	}
	if err := os.MkdirAll(library, 0o755); err != nil {
		return "", err
	}
	partial, err := os.MkdirTemp(library, ".new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(partial)
	// Its parent in the temporary folder is a library of one, which the tables need.
	if err := writeScaffold(filepath.Join(partial, name), name); err != nil {
		return "", err
	}
	if _, err := updateDocs(partial, false, io.Discard); err != nil {
		return "", err
	}
	return folder, os.Rename(filepath.Join(partial, name), folder)
}

// writeScaffold writes the files of a new module.
func writeScaffold(folder, name string) error {
	files, err := fs.Sub(scaffold, "scaffold")
	if err != nil {
		return err
	}
	return fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		target := filepath.Join(folder, filepath.FromSlash(path))
		if err != nil || entry.IsDir() {
			return errors.Join(err, os.MkdirAll(target, 0o755))
		}
		t, err := template.ParseFS(files, path)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, struct{ Name string }{name}); err != nil {
			return err
		}
		return os.WriteFile(target, b.Bytes(), 0o644)
	})
}
