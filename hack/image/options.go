package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// options are the command's flags.
type options struct {
	controllerOut, controllerTag string
	bundleOut, bundleTag         string
	appOut, appTag               string
	push                         bool
	modules                      repeated
	providers                    string
	terraform                    string
	version                      string
}

// repeated is a flag that may be given more than once.
type repeated []string

func (r *repeated) String() string { return fmt.Sprint(*r) }

func (r *repeated) Set(s string) error {
	*r = append(*r, s)
	return nil
}

func parseOptions(args []string, out io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("image", flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&o.controllerOut, "controller-out", "", "write the controller image to this file, as `docker save` would")
	f.StringVar(&o.controllerTag, "controller-tag", "groundwork-controller:dev", "name of the controller image")
	f.StringVar(&o.bundleOut, "bundle-out", "", "write the bundle image to this file")
	f.StringVar(&o.bundleTag, "bundle-tag", "groundwork-bundle:dev", "name of the bundle image")
	f.StringVar(&o.appOut, "app-out", "", "write the image of the demo's app to this file")
	f.StringVar(&o.appTag, "app-tag", "groundwork-demo-app:dev", "name of the image of the demo's app")
	f.BoolVar(&o.push, "push", false, "push the images to the registries that their names tell, with Docker's credentials")
	f.Var(&o.modules, "modules", "directory with modules, a folder with module.yaml each; may be repeated (default ./modules)")
	f.StringVar(&o.providers, "providers", "", "unpacked filesystem mirror of providers (default: looked up, see README.md)")
	f.StringVar(&o.terraform, "terraform", "", "Terraform binary (default: "+terraformVersion+", looked up or downloaded)")
	f.StringVar(&o.version, "version", "dev", "version in the images' labels")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if len(o.modules) == 0 {
		o.modules = repeated{"modules"}
	}
	if o.controllerOut == "" && o.bundleOut == "" && o.appOut == "" && !o.push {
		return o, errors.New("nothing to do: give -controller-out, -bundle-out, -app-out or -push")
	}
	return o, nil
}
