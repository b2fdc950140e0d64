package bundle

import (
	"archive/tar"
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// TestDestination_Deliver reads back what was written.
func TestDestination_Deliver(t *testing.T) {
	isolateCache(t)
	image, err := Image{Architecture: runtime.GOARCH, Layers: []Layer{
		{Entries: []Entry{{Path: "/b", Mode: 0o644, Content: []byte("b")}, {Path: "/a", Mode: 0o644, Content: []byte("a")}}},
		{Entries: []Entry{{Path: "/c", Mode: 0o644, Content: []byte("c")}}, Cached: true},
	}}.Build(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image.tar")
	d, err := NewDestination("example.com/x:1", file, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Deliver(t.Context(), image, io.Discard); err != nil {
		t.Fatal(err)
	}
	read, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	r := mutate.Extract(read)
	defer r.Close()
	for tr := tar.NewReader(r); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, header.Name)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}
