package bundle

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// unzipProvider unpacks an archive of a packed mirror,
// <host>/<namespace>/<type>/terraform-provider-<type>_<version>_<platform>.zip,
// into the place that it has in an unpacked one, at once and whole.
func unzipProvider(packed, archive, mirror, platform string) error {
	rel, err := filepath.Rel(packed, filepath.Dir(archive))
	if err != nil {
		return err
	}
	version, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(archive), "_"+platform+".zip"), "terraform-provider-"+filepath.Base(rel)+"_")
	if !ok {
		return fmt.Errorf("%s is not named as a provider's archive is", filepath.Base(archive))
	}
	target := filepath.Join(mirror, rel, version, platform)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	partial, err := os.MkdirTemp(filepath.Dir(target), ".partial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(partial)
	if err := unzip(archive, partial); err != nil {
		return err
	}
	if err := os.Chmod(partial, 0o755); err != nil {
		return err
	}
	if err := os.Rename(partial, target); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func unzip(archive, dir string) error {
	zr, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer zr.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range zr.File {
		if err := unzipFile(root, f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func unzipFile(root *os.Root, f *zip.File) error {
	if f.FileInfo().IsDir() {
		return root.MkdirAll(f.Name, 0o755)
	}
	if err := root.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := root.OpenFile(f.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
