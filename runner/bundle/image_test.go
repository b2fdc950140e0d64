package bundle

import (
	"io"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// TestImage_Build_mediaType takes a layer that OCI names otherwise than Docker.
func TestImage_Build_mediaType(t *testing.T) {
	image, err := Image{Layers: []Layer{{taken: static.NewLayer([]byte("x"), types.OCILayer)}}}.Build(io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if got := manifest.Layers[0].MediaType; got != types.DockerLayer {
		t.Errorf("want one format's names in one manifest, got %s in %s", got, manifest.MediaType)
	}
}
