package bundle

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

// Entry is a file of a layer, or a folder when its path ends in a slash.
type Entry struct {
	// Path is absolute.
	Path string
	// Mode is the permissions, as of tar.
	Mode int64
	// Content or File is what is in it.
	Content []byte
	File    string
	// ID identifies the content of File, so that it need not be read; optional.
	ID string
}

// Layer is what a layer is made of.
type Layer struct {
	// Name is what the user is told of it.
	Name string
	// Entries are the files in it.
	Entries []Entry
	// Cached layers are kept in the user's cache folder: they are large and change
	// seldom.
	Cached bool

	// taken is a layer of another image, which stays as it is; it has no entries.
	taken v1.Layer
}

func (l Layer) layer() (v1.Layer, error) {
	if l.taken != nil {
		return l.taken, nil
	}
	slices.SortFunc(l.Entries, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	if l.Cached {
		return l.cachedLayer()
	}
	var b bytes.Buffer
	if err := l.write(&b); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	}, tarball.WithCompressionLevel(compressionLevel))
}

// write writes the layer as a tar archive: sorted, owned by root, no times.
func (l Layer) write(w io.Writer) error {
	tw := tar.NewWriter(w)
	for _, e := range l.Entries {
		if err := e.write(tw); err != nil {
			return fmt.Errorf("write %s: %w", e.Path, err)
		}
	}
	return tw.Close()
}

func (e Entry) write(tw *tar.Writer) error {
	header := &tar.Header{
		Name:     strings.TrimPrefix(e.Path, "/"),
		Mode:     e.Mode,
		ModTime:  time.Unix(0, 0),
		Typeflag: tar.TypeReg,
		Size:     int64(len(e.Content)),
		Format:   tar.FormatPAX,
	}
	if strings.HasSuffix(e.Path, "/") {
		header.Typeflag = tar.TypeDir
	}
	if e.File == "" {
		if err := tw.WriteHeader(header); err != nil {
			return err
		}
		_, err := tw.Write(e.Content)
		return err
	}
	f, err := os.Open(e.File)
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
func (l Layer) key() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "gzip %d\n", compressionLevel)
	for _, e := range l.Entries {
		id := e.ID
		if id == "" {
			sum, err := e.sum()
			if err != nil {
				return "", err
			}
			id = sum
		}
		fmt.Fprintf(h, "%q %o %q\n", e.Path, e.Mode, id)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (e Entry) sum() (string, error) {
	h := sha256.New()
	if e.File == "" {
		h.Write(e.Content)
		return hex.EncodeToString(h.Sum(nil)), nil
	}
	f, err := os.Open(e.File)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", e.File, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
