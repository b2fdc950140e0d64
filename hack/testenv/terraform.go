package testenv

import (
	"context"
	"testing"

	"github.com/groundwork-dev/groundwork/runner/bundle/install"
)

// Terraform returns the path of a Terraform binary.
func Terraform(t testing.TB) string {
	t.Helper()
	path, err := FindTerraform(t.Context())
	if err != nil {
		t.Fatalf("%v; install it from https://developer.hashicorp.com/terraform/install", err)
	}
	return path
}

// FindTerraform is Terraform outside of tests.
func FindTerraform(ctx context.Context) (string, error) { return install.FindTerraform(ctx, ">= 1.11") }
