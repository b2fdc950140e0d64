package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// TestInstaller_manifests renders the manifests of the pinned modules.
func TestInstaller_manifests(t *testing.T) {
	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	if _, err := os.Stat(kubectl); err != nil {
		t.Fatalf("run `export KUBEBUILDER_ASSETS=$(go run ./hack/cluster bin)` in the repository's root: %v", err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	i := &installer{root: root, kubectl: kubectl, log: t.Output()}
	manifests, err := i.manifests(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	want, got := map[string]string{}, map[string]string{}
	for _, name := range controllers() {
		m, err := i.module(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		want[name] = registry + "/" + name + ":" + m.Version + " as " + name
	}
	bound := map[string]string{}
	for _, document := range strings.Split(manifests, "\n---\n") {
		var deployment appsv1.Deployment
		var binding rbacv1.ClusterRoleBinding
		decode(t, document, &deployment)
		switch deployment.Kind {
		case "Deployment":
			pod := deployment.Spec.Template.Spec
			got[deployment.Name] = pod.Containers[0].Image + " as " + pod.ServiceAccountName
		case "ClusterRoleBinding":
			decode(t, document, &binding)
			bound[binding.RoleRef.Name] = binding.Subjects[0].Namespace + "/" + binding.Subjects[0].Name
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("each controller has the image that is built, and its own account; -want, +got:\n%s", diff)
	}
	wantBound := map[string]string{
		"helm-manager-role":    "flux-system/helm-controller",
		"helm-reconciler-role": "flux-system/helm-controller", // It may do everything.
		"manager-role":         "flux-system/notification-controller",
		"source-manager-role":  "flux-system/source-controller",
	}
	if diff := cmp.Diff(wantBound, bound); diff != "" {
		t.Errorf("only helm-controller is an administrator; -want, +got:\n%s", diff)
	}
}

func decode(t *testing.T, document string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(document), into); err != nil {
		t.Fatal(err)
	}
}

func TestCurrent(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(t *testing.T, dir string)
		want   bool
	}{
		"same":    {"A file that is made of the same is current.", func(*testing.T, string) {}, true},
		"test":    {"Tests do not count.", func(t *testing.T, dir string) { write(t, dir, "x_test.go", "") }, true},
		"version": {"Another version makes another file.", func(t *testing.T, dir string) { write(t, dir, "go.mod", "v2") }, false},
		"new":     {"So does a further input.", func(t *testing.T, dir string) { write(t, dir, "go.sum", "") }, false},
		"gone":    {"A file that is gone is not current.", func(t *testing.T, dir string) { remove(t, dir, "image.tar") }, false},
		"unnoted": {"Nor is one that was left half written.", func(t *testing.T, dir string) { remove(t, dir, "image.tar.made") }, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "go.mod", "v1")
			write(t, dir, "image.tar", "")
			write(t, dir, "image.tar.made", made(t, dir))
			tc.change(t, dir)
			if got := current(filepath.Join(dir, "image.tar"), made(t, dir)); got != tc.want {
				t.Errorf("%s\nwant %v, got %v", tc.reason, tc.want, got)
			}
		})
	}
}

func made(t *testing.T, dir string) string {
	t.Helper()
	f, err := fingerprint(filepath.Join(dir, "go.*"), filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func write(t *testing.T, dir, file, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, dir, file string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, file)); err != nil {
		t.Fatal(err)
	}
}

func TestRun(t *testing.T) {
	cases := map[string]struct {
		reason  string
		args    []string
		wantErr error
	}{
		"help":    {"Help is printed.", []string{"help"}, nil},
		"nothing": {"A command has to be given.", nil, errUsage},
		"unknown": {"It has to be one that exists.", []string{"down"}, errUsage},
		"more":    {"No command takes an argument.", []string{"up", "now"}, errUsage},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), tc.args, &out, t.Output())
			if !errors.Is(err, tc.wantErr) {
				t.Errorf("%s\nwant the error %v, got %v", tc.reason, tc.wantErr, err)
			}
			if tc.wantErr == nil && out.String() != usage {
				t.Errorf("%s\ngot %q", tc.reason, &out)
			}
		})
	}
}
