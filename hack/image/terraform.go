package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-version"
	install "github.com/hashicorp/hc-install"
	"github.com/hashicorp/hc-install/fs"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
	"github.com/hashicorp/hc-install/src"
	"github.com/hashicorp/terraform-exec/tfexec"
)

// terraformVersion is what the bundle has unless a binary is named.
const terraformVersion = "1.11.4"

// terraformBinary is a Terraform and its version.
type terraformBinary struct{ path, version string }

// findTerraform returns the named binary, or else one of exactly
// terraformVersion: on the PATH, from an earlier download, or downloaded and
// verified.
func findTerraform(ctx context.Context, path string) (terraformBinary, error) {
	if path == "" {
		var err error
		if path, err = pinnedTerraform(ctx); err != nil {
			return terraformBinary{}, fmt.Errorf("find or download Terraform %s; -terraform names another binary: %w", terraformVersion, err)
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

func pinnedTerraform(ctx context.Context) (string, error) {
	dir, err := cacheDir(filepath.Join("terraform", terraformVersion))
	if err != nil {
		return "", err
	}
	pinned := version.Must(version.NewVersion(terraformVersion))
	return install.NewInstaller().Ensure(ctx, []src.Source{
		&fs.ExactVersion{Product: product.Terraform, Version: pinned},
		&fs.ExactVersion{Product: product.Terraform, Version: pinned, ExtraPaths: []string{dir}},
		&releases.ExactVersion{Product: product.Terraform, Version: pinned, InstallDir: dir, Timeout: 5 * time.Minute},
	})
}
