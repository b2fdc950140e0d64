package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

const (
	controllerBinary = "/groundwork/controller"
)

// controllerImage returns the controller on an otherwise empty base.
func controllerImage(ctx context.Context, o options) (v1.Image, error) {
	return commandImage(ctx, o, command{
		folder: "cmd/controller", pkg: ".", path: controllerBinary,
		title: "groundwork-controller", description: "The controller of Groundwork.",
	})
}

// appImage returns the app of the demo and the e2e tests.
func appImage(ctx context.Context, o options) (v1.Image, error) {
	return commandImage(ctx, o, command{
		folder: "hack/demo/app", pkg: ".", path: "/app",
		title: "groundwork-demo-app", description: "An app that asks its database who it is.",
	})
}

// fluxImage returns what builds the image of one of Flux's controllers, from the Go
// module that hack/flux pins.
func fluxImage(name string) func(context.Context, options) (v1.Image, error) {
	return func(ctx context.Context, o options) (v1.Image, error) {
		return commandImage(ctx, o, command{
			folder: "hack/flux/" + name, pkg: "github.com/fluxcd/" + name, path: "/" + name,
			title: name, description: "Flux's " + name + ", compiled from its Go module.",
		})
	}
}

// kubectlImage returns a kubectl that is there already, as registry.k8s.io/kubectl has
// it.
func kubectlImage(_ context.Context, o options) (v1.Image, error) {
	base, err := baseEntries()
	if err != nil {
		return nil, err
	}
	const path = "/bin/kubectl"
	return assemble(path, map[string]string{"org.opencontainers.image.title": "kubectl"}, []layerSource{
		{entries: base},
		{entries: []entry{{path: path, mode: 0o755, file: o.kubectlBinary}}, cached: true},
	})
}

// command is what an image of one Go command is made of.
type command struct {
	// folder and pkg are what compile takes.
	folder, pkg string
	// path is the binary's in the image.
	path string
	// title and description go into the labels.
	title, description string
}

// commandImage returns the command on an otherwise empty base.
func commandImage(ctx context.Context, o options, c command) (v1.Image, error) {
	binary, err := compile(ctx, c.folder, c.pkg)
	if err != nil {
		return nil, err
	}
	base, err := baseEntries()
	if err != nil {
		return nil, err
	}
	labels := map[string]string{
		"org.opencontainers.image.title":       c.title,
		"org.opencontainers.image.description": c.description,
		"org.opencontainers.image.version":     o.version,
	}
	return assemble(c.path, labels, []layerSource{
		{entries: base},
		{entries: []entry{{path: c.path, mode: 0o755, content: binary}}},
	})
}

// bundleImage returns the runner with Terraform, providers and modules: what
// changes most comes last.
func bundleImage(ctx context.Context, o options) (v1.Image, error) {
	modules, err := loadModules(o.modules)
	if err != nil {
		return nil, err
	}
	terraform, err := findTerraform(ctx, o.terraform)
	if err != nil {
		return nil, err
	}
	providers, err := findProviders(ctx, o.providers, terraform.path, modules)
	if err != nil {
		return nil, err
	}
	binary, err := compile(ctx, "cmd/runner", ".")
	if err != nil {
		return nil, err
	}
	base, err := baseEntries()
	if err != nil {
		return nil, err
	}
	layers := []layerSource{
		{entries: base},
		{entries: []entry{{path: runner.TerraformBinary, mode: 0o755, file: terraform.path}}, cached: true},
	}
	var names []string
	for _, p := range providers {
		entries, err := p.entries()
		if err != nil {
			return nil, err
		}
		layers = append(layers, layerSource{entries: entries, cached: true})
		names = append(names, p.source+" "+p.version)
	}
	layers = append(layers,
		layerSource{entries: []entry{{path: runner.Binary, mode: 0o755, content: binary}}},
		layerSource{entries: moduleEntries(modules)},
	)
	return assemble(runner.Binary, map[string]string{
		"org.opencontainers.image.title":       "groundwork-bundle",
		"org.opencontainers.image.description": "Groundwork's runner with Terraform, providers and modules.",
		"org.opencontainers.image.version":     o.version,
		v1alpha1.Group + "/terraform":          terraform.version,
		v1alpha1.Group + "/providers":          strings.Join(names, ", "),
		v1alpha1.Group + "/modules":            strings.Join(moduleNames(modules), ", "),
	}, layers)
}

// assemble makes an image of layers.
func assemble(entrypoint string, labels map[string]string, sources []layerSource) (v1.Image, error) {
	var layers []v1.Layer
	for _, source := range sources {
		layer, err := source.layer()
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	image, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, fmt.Errorf("append the layers: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the image's config: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	config.Config = v1.Config{
		User:       "65532:65532",
		Entrypoint: []string{entrypoint},
		Labels:     labels,
	}
	return mutate.ConfigFile(image, config)
}
