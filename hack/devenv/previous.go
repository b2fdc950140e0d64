package devenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// previousTag is the tag of the images that InstallPrevious builds.
const previousTag = "previous"

// InstallPrevious puts the chart and the images of the commit before this one in the
// place of what is installed, with this commit's modules: whether those have changed is
// not what an upgrade is about. Where the commit before has no chart, or is not in the
// clone, this commit stands in for it, under another tag; the log says so.
func (s *Stage) InstallPrevious(ctx context.Context) error {
	if s.existing {
		return fmt.Errorf("install the commit before: its images are loaded into the embedded cluster, and CLUSTER=existing is set")
	}
	dir, err := s.previous(ctx)
	if err != nil {
		s.logf("    the commit before has no chart, or is not here; this one stands in for it: %v", err)
		dir = s.Root
	}
	args := append([]string{"run", "-C", dir, "./hack/image"}, s.moduleFlags()...)
	load := []string{"run", "./hack/cluster", "load"}
	var settings []string
	for _, image := range []string{"controller", "bundle"} {
		repository, file := s.registry()+"/"+image, filepath.Join(s.dir, image+"-previous.tar")
		args = append(args, "-"+image+"-tag", repository+":"+previousTag, "-"+image+"-out", file)
		load = append(load, file)
		settings = append(settings, "images."+image+".repository="+repository, "images."+image+".tag="+previousTag)
	}
	if err := s.goTool(ctx, args...); err != nil {
		return err
	}
	if err := s.goTool(ctx, load...); err != nil {
		return err
	}
	return s.upgrade(ctx, filepath.Join(dir, chart), settings)
}

// previous unpacks the commit before this one, and returns the folder.
func (s *Stage) previous(ctx context.Context) (string, error) {
	archive, dir := filepath.Join(s.dir, "previous.tar"), filepath.Join(s.dir, "previous")
	if _, err := output(ctx, s.Root, "git", "archive", "--output="+archive, "HEAD^"); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if _, err := output(ctx, s.Root, "tar", "-xf", archive, "-C", dir); err != nil {
		return "", err
	}
	_, err := os.Stat(filepath.Join(dir, chart, "Chart.yaml"))
	return dir, err
}
