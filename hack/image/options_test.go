package main

import (
	"os"
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	cases := map[string]struct {
		reason  string
		args    []string
		wantErr string
	}{
		"file":     {"An image for a file.", []string{"-bundle-out", "x"}, ""},
		"flux":     {"An image of another project.", []string{"-helm-controller-out", "x"}, ""},
		"push":     {"An image for a registry.", []string{"-push", "-app-tag", "x"}, ""},
		"tag":      {"A name alone is nothing to do.", []string{"-app-tag", "x"}, "nothing to do"},
		"no tag":   {"Neither is a push of images without a name.", []string{"-push"}, "nothing to do"},
		"nothing":  {"Nothing to do is a mistake.", nil, "nothing to do"},
		"argument": {"So is an argument.", []string{"-bundle-out", "x", "y"}, "unexpected argument"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o, err := parseOptions(tc.args, os.Stderr)
			if tc.wantErr == "" && err != nil || tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
				t.Errorf("%s\nwant the error %q, got %v", tc.reason, tc.wantErr, err)
			}
			if err == nil && (len(o.modules) != 1 || o.modules[0] != "modules") {
				t.Errorf("%s\nwant the repository's modules, got %v", tc.reason, o.modules)
			}
		})
	}
}
