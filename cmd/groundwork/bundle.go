package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"
	"golang.org/x/mod/module"

	"github.com/groundwork-dev/groundwork/runner/bundle"
	"github.com/groundwork-dev/groundwork/runner/bundle/install"
)

// bundleRepository has Groundwork's own bundles, tagged with their versions.
const bundleRepository = "ghcr.io/groundwork-dev/bundle"

// bundleCommand returns the commands about bundles.
func bundleCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bundle",
		Short: "Make bundle images of your own modules",
		Args:  cobra.NoArgs,
		RunE:  help,
	}
	c.AddCommand(bundleBuildCommand())
	return c
}

// bundleOptions are the flags of bundle build.
type bundleOptions struct {
	// from is the bundle that the runner comes from.
	from string
	// terraform is a binary, providers a mirror; optional.
	terraform, providers string
	// policies is a folder; optional.
	policies string
	// tag is the image's name, out a file; optional.
	tag, out string
	push     bool
}

func bundleBuildCommand() *cobra.Command {
	var o bundleOptions
	c := &cobra.Command{
		Use:   "build DIR...",
		Short: "Make a bundle image of module libraries",
		Long: `Makes a bundle image of the module libraries in DIR..., without Docker: the runner, Terraform or
OpenTofu, the providers that the modules' lock files select, policies, and the modules.

The runner, the user and the CA certificates come from the bundle that --from names, and so
does Terraform without --terraform; its providers, policies and modules are left out. The same inputs
give the same digest.

Providers come from the mirror that --providers names, or else are downloaded from their
registries. Each must have a checksum (h1:) that the lock file of every module that uses it
admits: runner pods do not verify that again.

Policies that --policies names judge plans beside the default set of the runner, which is
always there; a file replaces the one of the same name in it.

Registries are read and written with Docker's credentials. Progress goes to stderr; the
digest of the image goes to stdout, for the chart's images.bundle.digest.`,
		Example: `  groundwork bundle build ./modules -t registry.example.com/platform/bundle:1.0.0 --push
  groundwork bundle build ./modules ../network/modules --providers /opt/providers -t bundle:dev -o bundle.tar
  groundwork bundle build ./modules --terraform /usr/local/bin/tofu -t registry.example.com/platform/bundle:1.0.0-tofu --push
  groundwork bundle build ./modules --from dist/bundle.tar -t bundle:dev -o bundle-dev.tar`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(c *cobra.Command, libraries []string) error {
			digest, err := o.build(c.Context(), libraries, c.ErrOrStderr())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), digest)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&o.from, "from", "", "`IMAGE` or file of a bundle with the runner (default: "+bundleRepository+" in the version of this command)")
	f.StringVar(&o.terraform, "terraform", "", "`FILE` of Terraform or OpenTofu, for the platform of --from (default: the one in --from)")
	f.StringVar(&o.providers, "providers", "", "`DIR` with an unpacked filesystem mirror of providers (default: earlier downloads, then the registries)")
	f.StringVar(&o.policies, "policies", "", "`DIR` with policies in Rego, one *.rego each (default: none but the runner's own)")
	f.StringVarP(&o.tag, "tag", "t", "", "`NAME` of the image, with a version: registry.example.com/platform/bundle:1.0.0")
	f.StringVarP(&o.out, "output", "o", "", "write the image to this `FILE`, in the format of docker save")
	f.BoolVar(&o.push, "push", false, "push the image to its registry")
	// The flags are there.
	_ = c.MarkFlagRequired("tag")
	_ = c.MarkFlagDirname("providers")
	_ = c.MarkFlagDirname("policies")
	_ = c.RegisterFlagCompletionFunc("tag", cobra.NoFileCompletions)
	return c
}

// build makes the bundle and delivers it. It returns the image's digest.
func (o bundleOptions) build(ctx context.Context, libraries []string, progress io.Writer) (v1.Hash, error) {
	if o.out == "" && !o.push {
		return v1.Hash{}, errors.New("nothing to do: name a file with --output, or push the image with --push")
	}
	modules, err := bundle.LoadModules(libraries)
	if err != nil {
		return v1.Hash{}, err
	}
	var policies map[string][]byte
	if o.policies != "" {
		if policies, err = bundle.LoadPolicies(o.policies); err != nil {
			return v1.Hash{}, err
		}
	}
	destination, err := bundle.NewDestination(o.tag, o.out, o.push)
	if err != nil {
		return v1.Hash{}, err
	}
	foundation, err := o.foundation(ctx, progress)
	if err != nil {
		return v1.Hash{}, err
	}
	b := bundle.Bundle{Foundation: foundation, Modules: modules, Policies: policies}
	if o.providers != "" {
		b.Mirrors = []string{o.providers}
	} else {
		b.Downloader = downloader(foundation.Terraform)
	}
	image, err := b.Image(ctx, progress)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := destination.Deliver(ctx, image, progress); err != nil {
		return v1.Hash{}, err
	}
	return image.Digest()
}

// foundation returns what comes from another bundle.
func (o bundleOptions) foundation(ctx context.Context, progress io.Writer) (bundle.Foundation, error) {
	from := o.from
	if from == "" {
		version, err := releasedVersion()
		if err != nil {
			return bundle.Foundation{}, err
		}
		from = bundleRepository + ":" + version
	}
	fmt.Fprintf(progress, "the runner comes from %s\n", from)
	f, err := bundle.From(ctx, from)
	if err != nil {
		return f, err
	}
	if o.terraform != "" {
		f.Terraform, err = bundle.ReadTerraform(ctx, o.terraform)
	} else if f.Terraform.Version == "" {
		err = fmt.Errorf("%s does not say in its labels which Terraform it has: name a binary with --terraform", from)
	}
	return f, err
}

// releasedVersion returns the version of this command, without a v; a build from a
// checkout has none.
func releasedVersion() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if ok && strings.HasPrefix(info.Main.Version, "v") && !module.IsPseudoVersion(info.Main.Version) && !strings.Contains(info.Main.Version, "+") {
		return strings.TrimPrefix(info.Main.Version, "v"), nil
	}
	return "", errors.New("this build of groundwork has no version, so there is no bundle that belongs to it: name one with --from, for example " + bundleRepository + ":<version> or a file of hack/image")
}

// downloader returns what finds the binary that downloads providers. That in another
// image cannot be run here.
func downloader(t bundle.Terraform) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		switch {
		case t.Path != "":
			return t.Path, nil
		case t.Product == bundle.ProductOpenTofu:
			return "", errors.New("name a mirror with --providers, or OpenTofu with --terraform")
		}
		return install.FindTerraform(ctx, ">= 1.11")
	}
}
