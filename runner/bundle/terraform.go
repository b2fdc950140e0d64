package bundle

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// Product is the name of what carries out modules.
type Product string

const (
	// ProductTerraform is HashiCorp's.
	ProductTerraform Product = "Terraform"
	// ProductOpenTofu is the Linux Foundation's. It asks for providers in a registry of
	// its own.
	ProductOpenTofu Product = "OpenTofu"
)

// label is the image label with the product's version.
func (p Product) label() string { return v1alpha1.Group + "/" + strings.ToLower(string(p)) }

// command is what the product is called on the command line.
func (p Product) command() string {
	if p == ProductOpenTofu {
		return "tofu"
	}
	return "terraform"
}

// Terraform is a Terraform or an OpenTofu for a bundle.
type Terraform struct {
	Product Product
	// Version is what it says of itself: 1.11.4.
	Version string
	// Path is the binary; empty when it is in another image.
	Path string

	// taken is the layer of another image that has it.
	taken v1.Layer
}

// ReadTerraform asks a binary what it is. Only the text of `version` has the name of the
// product; `version -json` has the version alone.
// Source: https://opentofu.org/docs/cli/commands/version/
func ReadTerraform(ctx context.Context, path string) (Terraform, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Terraform{}, err
	}
	tf, err := tfexec.NewTerraform(filepath.Dir(path), path)
	if err != nil {
		return Terraform{}, fmt.Errorf("use %s: %w", path, err)
	}
	version, _, err := tf.Version(ctx, true)
	if err != nil {
		return Terraform{}, fmt.Errorf("ask %s for its version, which works for a binary of this machine's platform: %w", path, err)
	}
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Dir = filepath.Dir(path)
	text, err := cmd.Output()
	if err != nil {
		return Terraform{}, fmt.Errorf("ask %s what it is: %w", path, err)
	}
	t := Terraform{Product: ProductTerraform, Version: version.String(), Path: path}
	if strings.HasPrefix(string(text), string(ProductOpenTofu)+" v") {
		t.Product = ProductOpenTofu
	}
	return t, nil
}

// layer is the one with the binary. The runner knows it by one name, whichever it is.
func (t Terraform) layer() Layer {
	name := string(t.Product) + " " + t.Version
	if t.Path == "" {
		return Layer{Name: name, taken: t.taken}
	}
	return Layer{Name: name, Entries: []Entry{{Path: runner.TerraformBinary, Mode: 0o755, File: t.Path}}, Cached: true}
}
