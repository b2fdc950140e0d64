package devenv

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// kubectlImage is what the charts in deploy/examples wait for their Secrets with.
const kubectlImage = "registry.k8s.io/kubectl:v1.36.3"

// registry is where the images are said to come from: the charts name it, and the
// embedded cluster has the images by that name. Another cluster pulls them from
// GROUNDWORK_REGISTRY.
func (s *Stage) registry() string {
	if s.existing && os.Getenv("GROUNDWORK_REGISTRY") != "" {
		return os.Getenv("GROUNDWORK_REGISTRY")
	}
	return registry
}

// image is an image of ours by the tag that the chart asks for.
func (s *Stage) image(name string) string { return s.registry() + "/" + name + ":" + s.version }

// AppImage is the image of hack/demo/app as the cluster knows it.
func (s *Stage) AppImage() string { return s.image("demo-app") }

// Manifest returns a manifest of this repository with our images by the names that the
// cluster knows: the file itself, or a copy.
func (s *Stage) Manifest(file string) (string, error) {
	if s.registry() == registry {
		return file, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	local := filepath.Join(s.dir, filepath.Base(file))
	return local, os.WriteFile(local, bytes.ReplaceAll(text, []byte(registry+"/"), []byte(s.registry()+"/")), 0o600)
}

// ControllerImage is the controller's image as the cluster knows it.
func (s *Stage) ControllerImage() string { return s.image("controller") }

// loadImages builds the images and brings them to the cluster.
func (s *Stage) loadImages(ctx context.Context) error {
	var err error
	if s.version, err = appVersion(s.Root); err != nil {
		return err
	}
	args := append([]string{"run", "./hack/image", "-version", s.version,
		"-controller-tag", s.image("controller"), "-bundle-tag", s.image("bundle"), "-app-tag", s.AppImage(),
	}, s.moduleFlags()...)
	if s.existing {
		if os.Getenv("GROUNDWORK_REGISTRY") == "" {
			return fmt.Errorf("GROUNDWORK_REGISTRY is not set: with CLUSTER=existing it is a registry, such as registry.example.com/groundwork, to push the images to")
		}
		return s.goTool(ctx, append(args, "-push")...)
	}
	args = append(args, "-kubectl", s.kubectl, "-kubectl-tag", kubectlImage)
	dist := filepath.Join(s.Root, "dist")
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	load := []string{"run", "./hack/cluster", "load"}
	for _, image := range []string{"controller", "bundle", "app", "kubectl"} {
		file := filepath.Join(dist, image+".tar")
		args = append(args, "-"+image+"-out", file)
		load = append(load, file)
	}
	if err := s.goTool(ctx, args...); err != nil {
		return err
	}
	return s.goTool(ctx, load...)
}

// LoadBundle builds a bundle with the module library in a directory alone, and brings it
// to the embedded cluster. It returns the image's repository; the tag is as given.
func (s *Stage) LoadBundle(ctx context.Context, tag, library string) (repository string, err error) {
	if s.existing {
		return "", fmt.Errorf("load the bundle %s: it is loaded into the embedded cluster, and CLUSTER=existing is set", tag)
	}
	repository, file := s.registry()+"/extra-bundle", filepath.Join(s.dir, "extra-bundle-"+tag+".tar")
	err = s.goTool(ctx, "run", "./hack/image", "-modules", library, "-bundle-tag", repository+":"+tag, "-bundle-out", file)
	if err != nil {
		return "", err
	}
	return repository, s.goTool(ctx, "run", "./hack/cluster", "load", file)
}

// moduleFlags name the directories of the bundle's modules, from wherever hack/image
// runs.
func (s *Stage) moduleFlags() []string {
	flags := []string{"-modules", filepath.Join(s.Root, "modules")}
	for _, dir := range s.options.Modules {
		flags = append(flags, "-modules", filepath.Join(s.Root, dir))
	}
	return flags
}

// appVersion is the version of Groundwork that the chart in a repository installs.
func appVersion(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, chart, "Chart.yaml"))
	if err != nil {
		return "", err
	}
	var c struct{ AppVersion string }
	return c.AppVersion, yaml.Unmarshal(text, &c)
}
