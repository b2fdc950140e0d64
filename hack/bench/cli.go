package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/groundwork-dev/groundwork/hack/devenv"
	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// commandLine runs terraform as a person would, with the Terraform and the
// mirror that the image is made of.
type commandLine struct {
	dir      string
	binary   string
	endpoint string
	module   string
}

func newCommandLine(ctx context.Context, stage *devenv.Stage) (*commandLine, error) {
	binary, err := testenv.FindTerraform(ctx)
	if err != nil {
		return nil, err
	}
	mirror, err := testenv.FindMirror()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "groundwork-bench-")
	if err != nil {
		return nil, err
	}
	c := &commandLine{dir: dir, binary: binary, endpoint: stage.AWS.URL, module: filepath.Join(stage.Root, "modules", "aws-s3-bucket")}
	rc := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	return c, os.WriteFile(c.config(), []byte(rc), 0o600)
}

func (c *commandLine) config() string { return filepath.Join(c.dir, "terraformrc") }

func (c *commandLine) close() { os.RemoveAll(c.dir) }

// apply makes a bucket in an empty directory, destroys it, and returns the seconds
// that init and apply took.
func (c *commandLine) apply(ctx context.Context, bucket string) (float64, error) {
	work := filepath.Join(c.dir, bucket)
	if err := os.CopyFS(work, os.DirFS(c.module)); err != nil {
		return 0, err
	}
	provider, err := json.Marshal(map[string]any{"provider": map[string]any{"aws": map[string]any{
		"region": "eu-central-1", "s3_use_path_style": true,
		"endpoints": map[string]string{"s3": c.endpoint, "s3control": c.endpoint, "sts": c.endpoint, "iam": c.endpoint},
	}}})
	if err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(work, "provider.tf.json"), provider, 0o600); err != nil {
		return 0, err
	}
	began := time.Now()
	for _, args := range [][]string{{"init"}, {"apply", "-auto-approve", "-var=name=" + bucket}} {
		if err := c.run(ctx, work, args...); err != nil {
			return 0, err
		}
	}
	took := time.Since(began).Seconds()
	return took, c.run(ctx, work, "destroy", "-auto-approve", "-var=name="+bucket)
}

func (c *commandLine) run(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, c.binary, append(args, "-input=false", "-no-color")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+c.config(), "CHECKPOINT_DISABLE=1",
		"AWS_ACCESS_KEY_ID=emulated-key-id", "AWS_SECRET_ACCESS_KEY=emulated-secret-key")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("terraform %s: %w\n%s", args[0], err, out)
	}
	return nil
}
