package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-version"
	install "github.com/hashicorp/hc-install"
	"github.com/hashicorp/hc-install/fs"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
	"github.com/hashicorp/hc-install/src"
)

const (
	// terraformVersion is downloaded when none is installed.
	terraformVersion = "1.11.4"
	// terraformWanted is what an installed one has to meet.
	terraformWanted = ">= 1.11"
)

// Terraform returns the path of a Terraform binary.
func Terraform(t testing.TB) string {
	t.Helper()
	path, err := FindTerraform(t.Context())
	if err != nil {
		t.Fatalf("Terraform %s is not on the PATH and cannot be downloaded; install it from https://developer.hashicorp.com/terraform/install: %v", terraformWanted, err)
	}
	return path
}

// FindTerraform is Terraform outside of tests.
func FindTerraform(ctx context.Context) (string, error) {
	wanted := version.MustConstraints(version.NewConstraint(terraformWanted))
	installed := &fs.Version{Product: product.Terraform, Constraints: wanted}
	if path, err := installed.Find(ctx); err == nil {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "groundwork", "terraform", terraformVersion)
	cached := &fs.ExactVersion{
		Product:    product.Terraform,
		Version:    version.Must(version.NewVersion(terraformVersion)),
		ExtraPaths: []string{dir},
	}
	if path, err := cached.Find(ctx); err == nil {
		return path, nil
	}
	return downloadTerraform(ctx, dir)
}

// downloadTerraform installs Terraform into dir, at once and whole, because other
// packages' tests may do the same at the same time.
func downloadTerraform(ctx context.Context, dir string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	partial, err := os.MkdirTemp(filepath.Dir(dir), ".partial-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(partial)
	release := &releases.ExactVersion{
		Product:    product.Terraform,
		Version:    version.Must(version.NewVersion(terraformVersion)),
		InstallDir: partial,
		Timeout:    5 * time.Minute,
	}
	path, err := install.NewInstaller().Ensure(ctx, []src.Source{release})
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
