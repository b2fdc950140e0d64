package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// entry is a file of a layer, or a folder when its path ends in a slash.
type entry struct {
	// path is absolute.
	path string
	mode int64
	// content or file is what is in it.
	content []byte
	file    string
	// id identifies the content of file, so that it need not be read; optional.
	id string
}

// layerSource is what a layer is made of.
type layerSource struct {
	entries []entry
	// cached layers are kept in the user's cache folder: they are large and change
	// seldom.
	cached bool
}

func (s layerSource) layer() (v1.Layer, error) {
	slices.SortFunc(s.entries, func(a, b entry) int { return cmp.Compare(a.path, b.path) })
	if s.cached {
		return s.cachedLayer()
	}
	var b bytes.Buffer
	if err := s.write(&b); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	}, tarball.WithCompressionLevel(compressionLevel))
}

// write writes the layer as a tar archive: sorted, owned by root, no times.
func (s layerSource) write(w io.Writer) error {
	tw := tar.NewWriter(w)
	for _, e := range s.entries {
		if err := e.write(tw); err != nil {
			return fmt.Errorf("write %s: %w", e.path, err)
		}
	}
	return tw.Close()
}

func (e entry) write(tw *tar.Writer) error {
	header := &tar.Header{
		Name:     strings.TrimPrefix(e.path, "/"),
		Mode:     e.mode,
		ModTime:  time.Unix(0, 0),
		Typeflag: tar.TypeReg,
		Size:     int64(len(e.content)),
		Format:   tar.FormatPAX,
	}
	if strings.HasSuffix(e.path, "/") {
		header.Typeflag = tar.TypeDir
	}
	if e.file == "" {
		if err := tw.WriteHeader(header); err != nil {
			return err
		}
		_, err := tw.Write(e.content)
		return err
	}
	f, err := os.Open(e.file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header.Size = info.Size()
	if err := tw.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(tw, f)
	return err
}

// key identifies the layer's content, before it is made.
func (s layerSource) key() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "gzip %d\n", compressionLevel)
	for _, e := range s.entries {
		id := e.id
		if id == "" {
			sum, err := e.sum()
			if err != nil {
				return "", err
			}
			id = sum
		}
		fmt.Fprintf(h, "%q %o %q\n", e.path, e.mode, id)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (e entry) sum() (string, error) {
	h := sha256.New()
	if e.file == "" {
		h.Write(e.content)
		return hex.EncodeToString(h.Sum(nil)), nil
	}
	f, err := os.Open(e.file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", e.file, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
