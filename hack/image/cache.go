package main

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// compressionLevel trades size for time: layers are made and unpacked far more
// often than they travel. README.md has the measurements.
const compressionLevel = gzip.BestSpeed

// storedLayer is a layer in the cache. Unlike go-containerregistry's own, it need
// not be read to be known.
type storedLayer struct {
	DigestHash  v1.Hash `json:"digest"`
	DiffIDHash  v1.Hash `json:"diffID"`
	SizeInBytes int64   `json:"size"`

	path string
}

func (l *storedLayer) Digest() (v1.Hash, error)            { return l.DigestHash, nil }
func (l *storedLayer) DiffID() (v1.Hash, error)            { return l.DiffIDHash, nil }
func (l *storedLayer) Size() (int64, error)                { return l.SizeInBytes, nil }
func (l *storedLayer) MediaType() (types.MediaType, error) { return types.DockerLayer, nil }
func (l *storedLayer) Compressed() (io.ReadCloser, error)  { return os.Open(l.path) }
func (l *storedLayer) Uncompressed() (io.ReadCloser, error) {
	f, err := os.Open(l.path)
	if err != nil {
		return nil, err
	}
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{zr, f}, nil
}

// cachedLayer returns the layer from the cache, making it first if need be.
func (s layerSource) cachedLayer() (v1.Layer, error) {
	key, err := s.key()
	if err != nil {
		return nil, err
	}
	dir, err := cacheDir("layers")
	if err != nil {
		return nil, err
	}
	l := &storedLayer{path: filepath.Join(dir, key+".tar.gz")}
	meta := filepath.Join(dir, key+".json")
	if b, err := os.ReadFile(meta); err == nil && json.Unmarshal(b, l) == nil {
		if info, err := os.Stat(l.path); err == nil && info.Size() == l.SizeInBytes {
			return l, nil
		}
	}
	if err := s.store(l); err != nil {
		return nil, fmt.Errorf("keep a layer in %s: %w", dir, err)
	}
	b, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	return l, os.WriteFile(meta, b, 0o644)
}

// store writes the layer to its path, at once and whole, and notes its digests.
func (s layerSource) store(l *storedLayer) error {
	f, err := os.CreateTemp(filepath.Dir(l.path), ".partial-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	digest, diffID := sha256.New(), sha256.New()
	counter := &countingWriter{w: io.MultiWriter(f, digest)}
	zw, err := gzip.NewWriterLevel(counter, compressionLevel)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	err = errors.Join(s.write(io.MultiWriter(zw, diffID)), zw.Close(), f.Close())
	if err != nil {
		return err
	}
	l.DigestHash, l.DiffIDHash, l.SizeInBytes = imageHash(digest), imageHash(diffID), counter.n
	return os.Rename(f.Name(), l.path)
}

func imageHash(h hash.Hash) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", h.Sum(nil))}
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// cacheDir returns a folder of the user's cache, which exists.
func cacheDir(name string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "groundwork", name)
	return dir, os.MkdirAll(dir, 0o755)
}
