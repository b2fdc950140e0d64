package main

import (
	"context"
	"fmt"

	"github.com/groundwork-dev/groundwork/runner/bundle"
	"github.com/groundwork-dev/groundwork/runner/bundle/install"
)

// findTerraform returns the named binary, or else one of exactly
// install.TerraformVersion.
func findTerraform(ctx context.Context, path string) (bundle.Terraform, error) {
	if path == "" {
		var err error
		if path, err = install.FindTerraform(ctx, install.TerraformVersion); err != nil {
			return bundle.Terraform{}, fmt.Errorf("%w; -terraform names another binary", err)
		}
	}
	return bundle.ReadTerraform(ctx, path)
}
