package devenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// registry is where the images are said to come from: deploy/ names it, and the
// embedded cluster has the images by that name. Another cluster pulls them from
// GROUNDWORK_REGISTRY.
func (s *Stage) registry() string {
	if s.existing && os.Getenv("GROUNDWORK_REGISTRY") != "" {
		return os.Getenv("GROUNDWORK_REGISTRY")
	}
	return registry
}

// AppImage is the image of hack/demo/app as the cluster knows it.
func (s *Stage) AppImage() string { return s.registry() + "/demo-app:dev" }

// loadImages builds the images and brings them to the cluster.
func (s *Stage) loadImages(ctx context.Context) error {
	args := []string{"run", "./hack/image", "-modules", "modules",
		"-controller-tag", s.registry() + "/controller:dev",
		"-bundle-tag", s.registry() + "/bundle:dev",
		"-app-tag", s.AppImage(),
	}
	for _, dir := range s.options.Modules {
		args = append(args, "-modules", dir)
	}
	if s.existing {
		if os.Getenv("GROUNDWORK_REGISTRY") == "" {
			return fmt.Errorf("GROUNDWORK_REGISTRY is not set: with CLUSTER=existing it is a registry, such as registry.example.com/groundwork, to push the images to")
		}
		return s.goTool(ctx, append(args, "-push")...)
	}
	dist := filepath.Join(s.Root, "dist")
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	load := []string{"run", "./hack/cluster", "load"}
	for _, image := range []string{"controller", "bundle", "app"} {
		file := filepath.Join(dist, image+".tar")
		args = append(args, "-"+image+"-out", file)
		load = append(load, file)
	}
	if err := s.goTool(ctx, args...); err != nil {
		return err
	}
	return s.goTool(ctx, load...)
}
