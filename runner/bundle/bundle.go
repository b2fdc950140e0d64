package bundle

import (
	"context"
	"errors"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

const (
	labelTitle       = "org.opencontainers.image.title"
	labelDescription = "org.opencontainers.image.description"
	labelVersion     = "org.opencontainers.image.version"
)

// Foundation is the part of a bundle that comes with Groundwork.
type Foundation struct {
	// Architecture is that of its binaries, as GOARCH has it.
	Architecture string
	// Config has the user and the environment; the rest is overwritten.
	Config v1.Config
	// Base are the layers with the user and the CA certificates.
	Base []Layer
	// Terraform is Terraform or OpenTofu; the zero value is none.
	Terraform Terraform
	// Runner is the layer with the runner.
	Runner Layer
	// Version is the runner's.
	Version string
}

// Bundle is what a bundle image is made of.
type Bundle struct {
	Foundation
	// Modules are the module library.
	Modules []Module
	// Policies are files for Terraform plans to be judged by, beside the runner's
	// default set; none is fine.
	Policies map[string][]byte
	// Mirrors are unpacked filesystem mirrors of providers; the first one that has a
	// provider counts.
	Mirrors []string
	// Downloader returns the binary of Terraform or OpenTofu that downloads providers
	// which are in no mirror; nil to download none.
	Downloader func(context.Context) (string, error)
}

// Image makes the bundle's image: what changes most comes last. Nothing is made before
// all providers are found and verified.
func (b Bundle) Image(ctx context.Context, progress io.Writer) (v1.Image, error) {
	if b.Terraform.Version == "" {
		return nil, errors.New("a bundle has Terraform or OpenTofu, and none is named")
	}
	providers, err := b.findProviders(ctx)
	if err != nil {
		return nil, err
	}
	image := Image{Architecture: b.Architecture, Config: b.Config}
	image.Layers = append(image.Layers, b.Base...)
	image.Layers = append(image.Layers, b.Terraform.layer())
	var names []string
	for _, p := range providers {
		layer, err := p.layer()
		if err != nil {
			return nil, err
		}
		image.Layers = append(image.Layers, layer)
		names = append(names, p.source+" "+p.version)
	}
	image.Layers = append(image.Layers, b.Runner)
	if len(b.Policies) > 0 {
		image.Layers = append(image.Layers, policyLayer(b.Policies))
	}
	image.Layers = append(image.Layers, moduleLayer(b.Modules))
	image.Config.Entrypoint, image.Config.Cmd = []string{runner.Binary}, nil
	image.Config.Labels = map[string]string{
		labelTitle:       "groundwork-bundle",
		labelDescription: "Groundwork's runner with " + string(b.Terraform.Product) + ", providers and modules.",
		labelVersion:     b.Version,

		b.Terraform.Product.label():   b.Terraform.Version,
		v1alpha1.Group + "/providers": strings.Join(names, ", "),
		v1alpha1.Group + "/modules":   strings.Join(moduleNames(b.Modules), ", "),
	}
	if len(b.Policies) > 0 {
		image.Config.Labels[v1alpha1.Group+"/policies"] = strings.Join(policyNames(b.Policies), ", ")
	}
	return image.Build(progress)
}
