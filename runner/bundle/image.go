package bundle

import (
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// User is what images run as, unless they are based on one that says otherwise.
const User = "65532:65532"

// Image is what an image is made of.
type Image struct {
	// Architecture is that of its binaries, as GOARCH has it.
	Architecture string
	// Config says how it runs, and has its labels.
	Config v1.Config
	// Layers are its files, from the bottom to the top.
	Layers []Layer
}

// Build makes the image, and tells progress what each layer is and how large.
func (i Image) Build(progress io.Writer) (v1.Image, error) {
	var layers []mutate.Addendum
	for _, source := range i.Layers {
		layer, err := source.layer()
		if err != nil {
			return nil, err
		}
		size, err := layer.Size()
		if err != nil {
			return nil, fmt.Errorf("tell the size of the layer %q: %w", source.Name, err)
		}
		fmt.Fprintf(progress, "%9s  %s\n", megabytes(size), source.Name)
		added := mutate.Addendum{Layer: layer}
		// Other images' layers may have OCI's name for the same format.
		if mediaType, err := layer.MediaType(); err == nil && mediaType == types.OCILayer {
			added.MediaType = types.DockerLayer
		}
		layers = append(layers, added)
	}
	image, err := mutate.Append(empty.Image, layers...)
	if err != nil {
		return nil, fmt.Errorf("append the layers: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the image's config: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", i.Architecture
	config.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	config.Config = i.Config
	return mutate.ConfigFile(image, config)
}

// megabytes says how large something is.
func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }
