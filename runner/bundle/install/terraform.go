// Package install finds Terraform on this machine, or downloads it.
package install

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-version"
	hcinstall "github.com/hashicorp/hc-install"
	"github.com/hashicorp/hc-install/fs"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
	"github.com/hashicorp/hc-install/src"
)

// TerraformVersion is what Groundwork's own bundle has, and what is downloaded when
// no Terraform is found.
const TerraformVersion = "1.11.4"

// FindTerraform returns the path of a Terraform whose version meets the constraint: on
// the PATH, from an earlier download, or TerraformVersion, downloaded with its checksum
// and signature verified.
func FindTerraform(ctx context.Context, constraint string) (string, error) {
	wanted, err := version.NewConstraint(constraint)
	if err != nil {
		return "", err
	}
	installed := &fs.Version{Product: product.Terraform, Constraints: wanted}
	if path, err := installed.Find(ctx); err == nil {
		return path, nil
	}
	dir, err := CacheDir("terraform")
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, TerraformVersion)
	pinned := version.Must(version.NewVersion(TerraformVersion))
	cached := &fs.ExactVersion{Product: product.Terraform, Version: pinned, ExtraPaths: []string{dir}}
	if path, err := cached.Find(ctx); err == nil {
		return path, nil
	}
	path, err := download(ctx, pinned, dir)
	if err != nil {
		return "", fmt.Errorf("no Terraform %s is on the PATH, and %s cannot be downloaded: %w", constraint, TerraformVersion, err)
	}
	return path, nil
}

// download installs Terraform into dir, at once and whole: others may do the same at
// the same time.
func download(ctx context.Context, v *version.Version, dir string) (string, error) {
	partial, err := os.MkdirTemp(filepath.Dir(dir), ".partial-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(partial)
	release := &releases.ExactVersion{Product: product.Terraform, Version: v, InstallDir: partial, Timeout: 5 * time.Minute}
	path, err := hcinstall.NewInstaller().Ensure(ctx, []src.Source{release})
	if err != nil {
		return "", err
	}
	if err := os.Chmod(partial, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(partial, dir); err != nil && !os.IsExist(err) {
		return "", fmt.Errorf("keep the downloaded Terraform: %w", err)
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

// CacheDir returns a folder of the user's cache, which exists.
func CacheDir(name string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "groundwork", name)
	return dir, os.MkdirAll(dir, 0o755)
}
