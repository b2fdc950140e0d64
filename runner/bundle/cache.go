package bundle

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

	"github.com/groundwork-dev/groundwork/runner/bundle/install"
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
func (l Layer) cachedLayer() (v1.Layer, error) {
	key, err := l.key()
	if err != nil {
		return nil, err
	}
	dir, err := install.CacheDir("layers")
	if err != nil {
		return nil, err
	}
	kept := &storedLayer{path: filepath.Join(dir, key+".tar.gz")}
	meta := filepath.Join(dir, key+".json")
	if b, err := os.ReadFile(meta); err == nil && json.Unmarshal(b, kept) == nil {
		if info, err := os.Stat(kept.path); err == nil && info.Size() == kept.SizeInBytes {
			return kept, nil
		}
	}
	if err := l.store(kept); err != nil {
		return nil, fmt.Errorf("keep a layer in %s: %w", dir, err)
	}
	b, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	return kept, os.WriteFile(meta, b, 0o644)
}

// store writes the layer to its path, at once and whole, and notes its digests.
func (l Layer) store(kept *storedLayer) error {
	f, err := os.CreateTemp(filepath.Dir(kept.path), ".partial-")
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
	err = errors.Join(l.write(io.MultiWriter(zw, diffID)), zw.Close(), f.Close())
	if err != nil {
		return err
	}
	kept.DigestHash, kept.DiffIDHash, kept.SizeInBytes = imageHash(digest), imageHash(diffID), counter.n
	return os.Rename(f.Name(), kept.path)
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
