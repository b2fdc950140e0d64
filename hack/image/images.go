package main

import (
	"context"
	"io"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/bundle"
)

const (
	controllerBinary = "/groundwork/controller"
)

// controllerImage returns the controller on an otherwise empty base.
func controllerImage(ctx context.Context, o options) (v1.Image, error) {
	return commandImage(ctx, o, command{
		folder: "cmd/controller", pkg: ".", path: controllerBinary, linkerFlags: "-X main.version=" + o.version,
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
	const path = "/bin/kubectl"
	return onBase(path, map[string]string{"org.opencontainers.image.title": "kubectl"}, bundle.Layer{
		Name: "kubectl", Entries: []bundle.Entry{{Path: path, Mode: 0o755, File: o.kubectlBinary}}, Cached: true,
	})
}

// command is what an image of one Go command is made of.
type command struct {
	// folder, pkg and linkerFlags are what compile takes.
	folder, pkg, linkerFlags string
	// path is the binary's in the image.
	path string
	// title and description go into the labels.
	title, description string
}

// commandImage returns the command on an otherwise empty base.
func commandImage(ctx context.Context, o options, c command) (v1.Image, error) {
	binary, err := compile(ctx, c.folder, c.pkg, c.linkerFlags)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{
		"org.opencontainers.image.title":       c.title,
		"org.opencontainers.image.description": c.description,
		"org.opencontainers.image.version":     o.version,
	}
	return onBase(c.path, labels, bundle.Layer{Name: c.title, Entries: []bundle.Entry{{Path: c.path, Mode: 0o755, Content: binary}}})
}

// onBase returns the image of a layer on the base.
func onBase(entrypoint string, labels map[string]string, layer bundle.Layer) (v1.Image, error) {
	base, err := bundle.BaseLayer()
	if err != nil {
		return nil, err
	}
	return bundle.Image{
		Architecture: runtime.GOARCH,
		Config:       v1.Config{User: bundle.User, Entrypoint: []string{entrypoint}, Labels: labels},
		Layers:       []bundle.Layer{base, layer},
	}.Build(io.Discard)
}

// bundleImage returns the runner, compiled, with Terraform, providers and modules.
func bundleImage(ctx context.Context, o options) (v1.Image, error) {
	modules, err := bundle.LoadModules(o.modules)
	if err != nil {
		return nil, err
	}
	terraform, err := findTerraform(ctx, o.terraform)
	if err != nil {
		return nil, err
	}
	base, err := bundle.BaseLayer()
	if err != nil {
		return nil, err
	}
	binary, err := compile(ctx, "cmd/runner", ".", "")
	if err != nil {
		return nil, err
	}
	return bundle.Bundle{
		Foundation: bundle.Foundation{
			Architecture: runtime.GOARCH,
			Config:       v1.Config{User: bundle.User},
			Base:         []bundle.Layer{base},
			Terraform:    terraform,
			Runner:       bundle.Layer{Name: "runner", Entries: []bundle.Entry{{Path: runner.Binary, Mode: 0o755, Content: binary}}},
			Version:      o.version,
		},
		Modules:    modules,
		Mirrors:    mirrors(o.providers),
		Downloader: func(context.Context) (string, error) { return terraform.Path, nil },
	}.Image(ctx, io.Discard)
}

// mirrors returns the mirror that is named, or else the one that this machine has. To
// have none is no fault: there are downloads.
func mirrors(named string) []string {
	if named != "" {
		return []string{named}
	}
	found, err := testenv.FindMirror()
	if err != nil {
		return nil
	}
	return []string{found}
}
