package terraform

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// maxModule bounds an unpacked module, in bytes: the directory is in memory.
const maxModule = 64 << 20

// unpack writes the files of a gzipped tar into dir, which exists. Nothing gets
// out of dir, links are refused, and so are names that the runner takes itself.
func unpack(archive []byte, dir string, reserved ...string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack the module: %w", err)
	}
	defer root.Close()
	zr, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return fmt.Errorf("unpack the module: %w", err)
	}
	limited := &io.LimitedReader{R: zr, N: maxModule}
	tr := tar.NewReader(limited)
	for {
		header, err := tr.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case limited.N <= 0:
			return fmt.Errorf("unpack the module: it is larger than %d bytes", maxModule)
		case err != nil:
			return fmt.Errorf("unpack the module: %w", err)
		}
		if top, _, _ := strings.Cut(path.Clean(header.Name), "/"); slices.Contains(reserved, top) {
			return fmt.Errorf("unpack the module: the name %q is the runner's own", top)
		}
		if err := unpackEntry(root, header, tr); err != nil {
			return fmt.Errorf("unpack the module's %q: %w", header.Name, err)
		}
	}
}

func unpackEntry(root *os.Root, header *tar.Header, r io.Reader) error {
	switch header.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(path.Clean(header.Name), 0o700)
	case tar.TypeReg:
	default:
		return errors.New("neither a file nor a directory")
	}
	if err := root.MkdirAll(path.Dir(header.Name), 0o700); err != nil {
		return err
	}
	// A module may bring scripts.
	f, err := root.OpenFile(header.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600|os.FileMode(header.Mode)&0o100)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
