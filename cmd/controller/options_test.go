package main

import (
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
		{"No workers.", "--workers=0", nil, []string{"--workers", "got 0", "1 or more"}},
		{"A webhook of another's certificate.", "--webhook-rotate=false --webhook-secret=", nil, nil},
		{"No webhook.", "--webhook=false --webhook-port=0 --webhook-cert-dir=", nil, nil},
		{"A port that is none.", "--webhook-port=90000", nil, []string{"--webhook-port", "got 90000", "65535"}},
		{"No folder for the certificate.", "--webhook-cert-dir=", nil, []string{"--webhook-cert-dir", "folder"}},
		{"A certificate that is kept nowhere.", "--webhook-secret=", nil, []string{"--webhook-secret", `got ""`}},
		{"A Service that none can be called.", "--webhook-service=A_B", nil, []string{"--webhook-service", `got "A_B"`}},
		{"A CA for nobody.", "--webhook-configuration=", nil, []string{"--webhook-configuration", `got ""`}},
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
