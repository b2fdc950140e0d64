package bundle

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/groundwork-dev/groundwork/runner"
)

// part is what a layer of a bundle holds; each holds one.
type part string

const (
	partBase      part = "base"
	partTerraform part = "Terraform"
	partProviders part = "providers"
	partRunner    part = "runner"
	partModules   part = "modules"
	partPolicies  part = "policies"
)

// From takes the foundation of an existing bundle: a file in the format of docker save,
// or an image in a registry, which is read with Docker's credentials. Its layers with the
// base, the runner and Terraform stay as they are; the others are left out.
func From(ctx context.Context, from string) (Foundation, error) {
	image, err := open(ctx, from)
	if err != nil {
		return Foundation{}, fmt.Errorf("open the bundle %s: %w", from, err)
	}
	f, err := foundation(image)
	if err != nil {
		return Foundation{}, fmt.Errorf("take the runner from %s: %w", from, err)
	}
	return f, nil
}

func open(ctx context.Context, from string) (v1.Image, error) {
	info, err := os.Stat(from)
	switch {
	case err == nil && info.Mode().IsRegular():
		return tarball.ImageFromPath(from, nil)
	case err == nil:
		return nil, errors.New("it is not a file")
	case strings.HasSuffix(from, ".tar") || path.IsAbs(from) || strings.HasPrefix(from, "."):
		return nil, err
	}
	ref, err := name.ParseReference(from)
	if err != nil {
		return nil, err
	}
	return remote.Image(ref,
		remote.WithContext(ctx),
		remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}),
	)
}

// foundation sorts the layers of a bundle.
func foundation(image v1.Image) (Foundation, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return Foundation{}, err
	}
	layers, err := image.Layers()
	if err != nil {
		return Foundation{}, err
	}
	f := Foundation{
		Architecture: config.Architecture,
		Config:       v1.Config{User: config.Config.User, Env: config.Config.Env},
		Version:      config.Config.Labels[labelVersion],
	}
	for _, layer := range layers {
		if err := f.take(layer, config.Config.Labels); err != nil {
			digest, _ := layer.Digest() // known to the manifest
			return Foundation{}, fmt.Errorf("the layer %s: %w", digest, err)
		}
	}
	if f.Runner.taken == nil {
		return Foundation{}, fmt.Errorf("no layer has %s: it is not a bundle", runner.Binary)
	}
	if len(f.Base) == 0 {
		return Foundation{}, errors.New("no layer has a user and CA certificates: it is not a bundle")
	}
	return f, nil
}

// take keeps the layer if it belongs to the foundation.
func (f *Foundation) take(layer v1.Layer, labels map[string]string) error {
	held, err := holds(layer)
	if err != nil {
		return err
	}
	taken := Layer{Name: string(held), taken: layer}
	switch held {
	case partBase:
		f.Base = append(f.Base, taken)
	case partRunner:
		if f.Runner.taken != nil {
			return errors.New("it is the second with the runner")
		}
		f.Runner = taken
	case partTerraform:
		if f.Terraform.taken != nil {
			return errors.New("it is the second with Terraform")
		}
		// Only the labels say which it is; without, another has to be named.
		f.Terraform.taken = layer
		for _, product := range []Product{ProductTerraform, ProductOpenTofu} {
			if version := labels[product.label()]; version != "" {
				f.Terraform.Product, f.Terraform.Version = product, version
			}
		}
	}
	return nil
}

// holds reads the headers of a layer and says what it holds. Layers that are left out
// are large, and are not read further than to their first file.
func holds(layer v1.Layer) (part, error) {
	r, err := layer.Uncompressed()
	if err != nil {
		return "", err
	}
	defer r.Close()
	var held part
	for tr := tar.NewReader(r); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			// Folders alone are the base.
			return cmp.Or(held, partBase), nil
		}
		if err != nil {
			return "", fmt.Errorf("read it: %w", err)
		}
		if header.Typeflag == tar.TypeDir {
			continue
		}
		found, err := partOf(path.Clean("/" + header.Name))
		if err != nil {
			return "", err
		}
		if held != "" && found != held {
			return "", fmt.Errorf("it has both %s and %s; in a bundle each is in a layer of its own", held, found)
		}
		held = found
		if held == partProviders || held == partModules || held == partPolicies {
			return held, nil
		}
	}
}

// partOf says which part of a bundle a file is.
func partOf(file string) (part, error) {
	switch {
	case file == runner.Binary:
		return partRunner, nil
	case file == runner.TerraformBinary:
		return partTerraform, nil
	case strings.HasPrefix(file, runner.ProvidersDir+"/"):
		return partProviders, nil
	case strings.HasPrefix(file, runner.ModulesDir+"/"):
		return partModules, nil
	case strings.HasPrefix(file, runner.PoliciesDir+"/"):
		return partPolicies, nil
	case strings.HasPrefix(file, path.Dir(runner.Binary)+"/"):
		return "", fmt.Errorf("it has %s, which is no part of a bundle", file)
	}
	return partBase, nil
}
