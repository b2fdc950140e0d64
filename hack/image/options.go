package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/groundwork-dev/groundwork/runner/bundle/install"
)

// options are the command's flags.
type options struct {
	controller, bundle, app                                  target
	sourceController, helmController, notificationController target
	kubectl                                                  target

	// kubectlBinary is what goes into the kubectl image.
	kubectlBinary string

	push      bool
	modules   repeated
	providers string
	terraform string
	version   string
}

// target is where an image goes. It is built when a file is named, or a tag is and
// the images are pushed.
type target struct {
	out, tag string
	// local is the tag without one given.
	local string
}

func (t *target) addFlags(f *flag.FlagSet, name, what string) {
	t.local = "groundwork-" + name + ":dev"
	f.StringVar(&t.out, name+"-out", "", "write the image of the "+what+" to this `FILE`, in the format of docker save")
	f.StringVar(&t.tag, name+"-tag", "", "`NAME` of that image (default "+t.local+"; required for -push)")
}

func (t *target) wanted(push bool) bool { return t.out != "" || push && t.tag != "" }

// reference is the image's name.
func (t *target) reference() string { return cmp.Or(t.tag, t.local) }

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
	o.controller.addFlags(f, "controller", "controller")
	o.bundle.addFlags(f, "bundle", "runner pods")
	o.app.addFlags(f, "app", "demo's app")
	o.sourceController.addFlags(f, "source-controller", "source-controller of Flux")
	o.helmController.addFlags(f, "helm-controller", "helm-controller of Flux")
	o.notificationController.addFlags(f, "notification-controller", "notification-controller of Flux")
	o.kubectl.addFlags(f, "kubectl", "init container of deploy/examples")
	f.StringVar(&o.kubectlBinary, "kubectl", "", "`FILE` of kubectl, for that image")
	f.BoolVar(&o.push, "push", false, "push the images that a -…-tag names to their registries, with Docker's credentials")
	f.Var(&o.modules, "modules", "`DIR` with modules, a folder with module.yaml each; may be repeated (default ./modules)")
	f.StringVar(&o.providers, "providers", "", "`DIR` of an unpacked filesystem mirror of providers (default: looked up, see README.md)")
	f.StringVar(&o.terraform, "terraform", "", "`FILE` of Terraform (default: "+install.TerraformVersion+", looked up or downloaded)")
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
	all := []target{o.controller, o.bundle, o.app, o.sourceController, o.helmController, o.notificationController, o.kubectl}
	if !slices.ContainsFunc(all, func(t target) bool { return t.wanted(o.push) }) {
		return o, errors.New("nothing to do: name a file with -controller-out or another of the …-out, or tags and -push")
	}
	if o.kubectl.wanted(o.push) && o.kubectlBinary == "" {
		return o, errors.New("-kubectl-out and -kubectl-tag need a kubectl: name it with -kubectl")
	}
	return o, nil
}
