package devenv

import (
	"context"
	"fmt"
	"path/filepath"
)

// previousTag is the tag of the images that InstallPrevious builds.
const previousTag = "previous"

// InstallPrevious puts the chart and the images of the commit before this one in the
// place of what is installed, with this commit's modules: whether those have changed is
// not what an upgrade is about. Where the commit before has no chart, or is not in the
// clone, this commit stands in for it, under another tag; the log says so.
func (s *Stage) InstallPrevious(ctx context.Context) error {
	commit := "HEAD^"
	if _, err := output(ctx, s.Root, "git", "cat-file", "-e", commit+":"+chart+"/Chart.yaml"); err != nil {
		s.logf("    the commit before has no chart, or is not here; this one stands in for it: %v", err)
		commit = "HEAD"
	}
	dir := filepath.Join(s.dir, "previous")
	if _, err := output(ctx, s.Root, "git", "worktree", "add", "--detach", "--force", dir, commit); err != nil {
		return err
	}
	defer func() {
		// In a context of its own: the caller's may have ended.
		_, _ = output(context.WithoutCancel(ctx), s.Root, "git", "worktree", "remove", "--force", dir)
	}()
	args := []string{"run", "-C", dir, "./hack/image", "-modules", filepath.Join(s.Root, "modules")}
	for _, more := range s.options.Modules {
		args = append(args, "-modules", filepath.Join(s.Root, more))
	}
	load := []string{"run", "./hack/cluster", "load"}
	var settings []string
	for _, image := range []string{"controller", "bundle"} {
		repository, file := s.registry()+"/"+image, filepath.Join(s.dir, image+"-previous.tar")
		args = append(args, "-"+image+"-tag", repository+":"+previousTag, "-"+image+"-out", file)
		load = append(load, file)
		settings = append(settings, "images."+image+".repository="+repository, "images."+image+".tag="+previousTag)
	}
	if s.existing {
		return fmt.Errorf("install the commit before: the images are loaded into the embedded cluster, and CLUSTER=existing is set")
	}
	if err := s.goTool(ctx, args...); err != nil {
		return err
	}
	if err := s.goTool(ctx, load...); err != nil {
		return err
	}
	return s.upgrade(ctx, filepath.Join(dir, chart), settings)
}
