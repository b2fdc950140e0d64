package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"
)

func TestOptions_check(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "groundwork-system")
	for _, tc := range []struct {
		name string
		args string
		// namespaces are what is to be watched.
		namespaces []string
		// parts of the error; none for none.
		parts []string
	}{
		{"All namespaces are watched unless some are named.", "", nil, nil},
		{"Namespaces are a list.", "--watch-namespaces=shop,bank-2", []string{"shop", "bank-2"}, nil},
		{"Namespaces are repeated.", "--watch-namespaces=shop --watch-namespaces=bank", []string{"shop", "bank"}, nil},
		{"An empty list is all.", "--watch-namespaces=", nil, nil},
		{"A namespace that no namespace can be called.", "--watch-namespaces=shop,Bank", nil,
			[]string{"--watch-namespaces", `got "Bank"`, "wanted the name of a namespace", "lower case"}},
		{"A namespace with a path.", "--watch-namespaces=shop/orders", nil, []string{"--watch-namespaces", `"shop/orders"`}},
		{"A namespace without a name.", "--watch-namespaces=shop,", nil, []string{"--watch-namespaces", `got ""`}},
		{"A pattern of namespaces.", "--watch-namespaces=shop-*", nil, []string{"--watch-namespaces", `"shop-*"`}},
		{"A namespace that is too long.", "--watch-namespaces=" + strings.Repeat("a", 64), nil, []string{"--watch-namespaces", "63"}},
		{"An argument.", "shop", nil, []string{`"shop"`, "flags only"}},
		{"No system namespace.", "--namespace=", nil, []string{"--namespace", "POD_NAMESPACE"}},
		{"No image.", "--runner-image=", nil, []string{"--runner-image", "bundle"}},
		{"Further bundles.", "--extra-bundle=data=registry.example.com/data@sha256:0 --extra-bundle=net=net:1 --extra-modules-dir=/modules", nil, nil},
		{"A bundle without an image.", "--extra-bundle=data --extra-modules-dir=/modules", nil, []string{"--extra-bundle", `got "data"`, "NAME=IMAGE"}},
		{"A bundle with an empty image.", "--extra-bundle=data= --extra-modules-dir=/modules", nil, []string{"--extra-bundle", `got "data="`, "NAME=IMAGE"}},
		{"A bundle without a name.", "--extra-bundle==data:1 --extra-modules-dir=/modules", nil, []string{"--extra-bundle", `got the name ""`, "DNS label"}},
		{"A bundle's name with a path.", "--extra-bundle=../data=data:1 --extra-modules-dir=/modules", nil, []string{"--extra-bundle", `got the name "../data"`}},
		{"A bundle that is called like another.", "--extra-bundle=data=a --extra-bundle=data=b --extra-modules-dir=/modules", nil, []string{"--extra-bundle", `another bundle "data"`}},
		{"A bundle that is called like the default one.", "--extra-bundle=default=a --extra-modules-dir=/modules", nil, []string{"--extra-bundle", `another bundle "default"`, "--runner-image"}},
		{"Bundles without modules.", "--extra-bundle=data=a", nil, []string{"--extra-modules-dir", "--extra-bundle"}},
		{"No workers.", "--workers=0", nil, []string{"--workers", "got 0", "1 or more"}},
		{"Bounds of runs and upgrades.", "--max-concurrent-runs=20 --max-concurrent-upgrades=5 --max-failed-upgrades=1", nil, nil},
		{"All of a module's objects at a time.", "--max-concurrent-upgrades=100%", nil, nil},
		{"Fewer runs than none.", "--max-concurrent-runs=-1", nil, []string{"--max-concurrent-runs", "got -1", "1 or more"}},
		{"No upgrades at a time.", "--max-concurrent-upgrades=0", nil, []string{"--max-concurrent-upgrades", `got "0"`, "a percentage from 1% to 100%"}},
		{"No percent of them.", "--max-concurrent-upgrades=0%", nil, []string{`got "0%"`}},
		{"More than all.", "--max-concurrent-upgrades=101%", nil, []string{`got "101%"`}},
		{"Half an upgrade.", "--max-concurrent-upgrades=0.5", nil, []string{`got "0.5"`}},
		{"Some upgrades.", "--max-concurrent-upgrades=some", nil, []string{`got "some"`}},
		{"An upgrade that may not fail.", "--max-failed-upgrades=0", nil, []string{"--max-failed-upgrades", "got 0", "1 or more"}},
		{"A webhook of another's certificate.", "--webhook-rotate=false --webhook-secret=", nil, nil},
		{"No webhook.", "--webhook=false --webhook-port=0 --webhook-cert-dir=", nil, nil},
		{"A port that is none.", "--webhook-port=90000", nil, []string{"--webhook-port", "got 90000", "65535"}},
		{"No folder for the certificate.", "--webhook-cert-dir=", nil, []string{"--webhook-cert-dir", "folder"}},
		{"A certificate that is kept nowhere.", "--webhook-secret=", nil, []string{"--webhook-secret", `got ""`}},
		{"A Service that none can be called.", "--webhook-service=A_B", nil, []string{"--webhook-service", `got "A_B"`}},
		{"A CA for nobody.", "--webhook-configuration=", nil, []string{"--webhook-configuration", `got ""`}},
		{"Events for Flux.", "--events-addr=http://notification-controller.flux-system.svc.cluster.local./", nil, nil},
		{"Events for an address without a scheme.", "--events-addr=notification-controller:80", nil, []string{"--events-addr", `got "notification-controller:80"`, "http or https URL"}},
		{"A level that is none.", "--log-level=loud", nil, []string{"--log-level", `"loud"`, "debug, info, warn or error"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var o options
			flags := pflag.NewFlagSet("controller", pflag.ContinueOnError)
			o.addFlags(flags)
			if err := flags.Parse(append([]string{"--runner-image=bundle"}, strings.Fields(tc.args)...)); err != nil {
				t.Fatal(err)
			}
			err := o.check(flags.Args())
			if len(tc.parts) == 0 {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				if diff := cmp.Diff(tc.namespaces, o.watchNamespaces, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("namespaces, -want +got:\n%s", diff)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range tc.parts {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error is %q, want it to contain %q", err, part)
				}
			}
		})
	}
}

// A further bundle's modules come from the folder of its name, and its image goes to its
// runner pods.
func TestOptions_extraBundles(t *testing.T) {
	root := t.TempDir()
	for folder, version := range map[string]string{"default": "1.0.0", "data": "2.0.0"} {
		module := filepath.Join(root, folder, "queue")
		must(t, os.MkdirAll(module, 0o700))
		must(t, os.WriteFile(filepath.Join(module, "module.yaml"), []byte("version: "+version+"\nsummary: For tests\n"), 0o600))
		must(t, os.WriteFile(filepath.Join(module, "main.tf"), nil, 0o600))
	}
	o := options{
		runnerImage: "bundle", modulesDir: filepath.Join(root, "default"),
		extraBundles: []string{"data=registry.example.com:5000/data@sha256:0"}, extraModulesDir: root,
	}
	catalogue, err := o.catalogue()
	must(t, err)
	config, err := o.pod()
	must(t, err)
	for constraint, want := range map[string][]string{
		"~> 1.0": {"", "bundle"},
		"~> 2.0": {"data", "registry.example.com:5000/data@sha256:0"},
	} {
		module, err := catalogue.Get("queue", constraint)
		must(t, err)
		if got := []string{module.Bundle, config.ImageOf(module.Bundle)}; !slices.Equal(got, want) {
			t.Errorf("%s is of %q, want %q", constraint, got, want)
		}
	}
	o.extraBundles = append(o.extraBundles, "gone=image")
	if _, err := o.catalogue(); err == nil || !strings.Contains(err.Error(), "bundle gone") {
		t.Errorf("got %v, want it to say that bundle gone has no modules", err)
	}
}
