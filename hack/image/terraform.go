package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/groundwork-dev/groundwork/runner/bundle"
)

// terraformBinary is a Terraform and its version.
type terraformBinary struct{ path, version string }

// findTerraform returns the named binary, or else one of exactly
// bundle.TerraformVersion.
func findTerraform(ctx context.Context, path string) (terraformBinary, error) {
	if path == "" {
		var err error
		if path, err = bundle.FindTerraform(ctx, bundle.TerraformVersion); err != nil {
			return terraformBinary{}, fmt.Errorf("%w; -terraform names another binary", err)
		}
	}
	tf, err := tfexec.NewTerraform(filepath.Dir(path), path)
	if err != nil {
		return terraformBinary{}, err
	}
	v, _, err := tf.Version(ctx, true)
	if err != nil {
		return terraformBinary{}, fmt.Errorf("ask %s for its version: %w", path, err)
	}
	return terraformBinary{path, v.String()}, nil
}
