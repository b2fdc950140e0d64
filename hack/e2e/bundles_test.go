//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// greeting is a module that no bundle of ours has, with its version as an output.
const greeting = `
variable "name" {
  description = "Whom to greet."
  type        = string
}

resource "terraform_data" "greeting" {
  input = "Hello ${var.name}, this is VERSION"
}

output "greeting" {
  description = "The greeting."
  value       = terraform_data.greeting.output
}
`

// extraBundle is a bundle with one version of the module greeting.
type extraBundle struct{ name, version, repository string }

func (b extraBundle) image() string { return b.repository + ":" + b.version }

// loadBundle builds a bundle of a library that is not ours.
func loadBundle(t *testing.T, name, version string) extraBundle {
	t.Helper()
	library := t.TempDir()
	dir := filepath.Join(library, "greeting")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"module.yaml": "version: " + version + "\nsummary: Greets somebody.\n",
		"main.tf":     strings.ReplaceAll(greeting, "VERSION", version),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	repository, err := stage.LoadBundle(t.Context(), version, library)
	if err != nil {
		t.Fatal(err)
	}
	return extraBundle{name, version, repository}
}

// installBundles upgrades the release to these bundles beside the default one.
func installBundles(ctx context.Context, bundles ...extraBundle) error {
	var settings []string
	for i, b := range bundles {
		for key, value := range map[string]string{"name": b.name, "repository": b.repository, "tag": b.version} {
			settings = append(settings, fmt.Sprintf("extraBundles[%d].%s=%s", i, key, value))
		}
	}
	return stage.Install(ctx, settings...)
}

// TestBundles installs two bundles beside ours, one after the other, with a module in
// another version each, and takes both away again. It is not parallel: there is one
// installation.
func TestBundles(t *testing.T) {
	needsOwnCluster(t, "the bundles' images are loaded into its node")
	one, two := loadBundle(t, "one", "1.1.0"), loadBundle(t, "two", "2.0.0")
	t.Cleanup(func() {
		if err := installBundles(context.Background()); err != nil {
			t.Error(err)
		}
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(installBundles(t.Context(), one))
	ns := newNamespace(t)
	held := create(t, ns, "held", "greeting", map[string]any{"name": "held"}, func(i *v1alpha1.Infrastructure) { i.Spec.ModuleVersion = "~> 1.0" })
	free := create(t, ns, "free", "greeting", map[string]any{"name": "free"})
	for _, infra := range []*v1alpha1.Infrastructure{held, free} {
		waitReady(t, infra, 2*time.Minute)
		wantGreeting(t, infra, one)
	}

	must(installBundles(t.Context(), one, two))
	eventually(t, 2*time.Minute, "free is applied in the newer version", func(context.Context) (bool, string) {
		get(t, free)
		return free.Status.Module.Version == two.version && free.Status.Run == nil, fmt.Sprintf("%+v", free.Status)
	})
	waitReady(t, free, time.Minute)
	wantGreeting(t, free, two)
	waitReady(t, held, time.Minute)
	wantGreeting(t, held, one)
	if all := runs(t, held); len(all) != 1 {
		t.Errorf("held: want the one run from before the second bundle, got %+v", all)
	}
	wantVersions(t, two, one)

	must(installBundles(t.Context()))
	for _, infra := range []*v1alpha1.Infrastructure{held, free} {
		waitCondition(t, infra, time.Minute, v1alpha1.ConditionStalled, v1alpha1.ReasonModuleNotFound)
		told := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady).Message
		for _, part := range []string{`there is no module "greeting"`, "stay as they are", "a delete still destroys them"} {
			if !strings.Contains(told, part) {
				t.Errorf("%s: the message is %q, want %q in it", infra.Name, told, part)
			}
		}
	}
	wantSecretPutBack(t, held)
	for _, infra := range []*v1alpha1.Infrastructure{held, free} {
		remove(t, infra, 2*time.Minute)
	}
}

// wantGreeting checks that the object is applied from a bundle, by its image.
func wantGreeting(t *testing.T, infra *v1alpha1.Infrastructure, from extraBundle) {
	t.Helper()
	if m := infra.Status.Module; m == nil || m.Version != from.version || m.Bundle != from.name {
		t.Errorf("%s: applied is %+v, want %+v", infra.Name, m, from)
	}
	if got, want := outputs(t, infra)["greeting"], "Hello "+infra.Name+", this is "+from.version; got != want {
		t.Errorf("%s: got the greeting %q, want %q", infra.Name, got, want)
	}
	var events corev1.EventList
	err := stage.Client.List(t.Context(), &events, client.InNamespace(devenv.Namespace), client.MatchingFields{"involvedObject.name": infra.Status.History[0].Run, "reason": "Pulled"})
	if err != nil {
		t.Fatal(err)
	}
	if len(events.Items) == 0 || !strings.Contains(events.Items[0].Message, from.image()) {
		t.Errorf("%s: want a runner pod with the image %s, its events are %+v", infra.Name, from.image(), events.Items)
	}
}

// wantVersions checks what the catalogue says of the module greeting, newest first.
func wantVersions(t *testing.T, bundles ...extraBundle) {
	t.Helper()
	module := &v1alpha1.Module{ObjectMeta: metav1.ObjectMeta{Name: "greeting"}}
	get(t, module)
	var want, got []string
	for _, b := range bundles {
		want = append(want, b.version+" of "+b.name)
	}
	for _, v := range module.Spec.Versions {
		got = append(got, v.Version+" of "+v.Bundle)
	}
	if diff := cmp.Diff(want, got); diff != "" || module.Spec.Version != bundles[0].version {
		t.Errorf("the catalogue has %s of the module, want %s; versions, -want +got:\n%s", module.Spec.Version, bundles[0].version, diff)
	}
}

// wantSecretPutBack deletes the output Secret and waits for it to be as it was.
func wantSecretPutBack(t *testing.T, infra *v1alpha1.Infrastructure) {
	t.Helper()
	before := outputs(t, infra)
	key := client.ObjectKey{Namespace: infra.Namespace, Name: infra.Status.Outputs.SecretName}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	if err := stage.Client.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the output Secret is back", func(ctx context.Context) (bool, string) {
		err := stage.Client.Get(ctx, key, &corev1.Secret{})
		return err == nil, fmt.Sprint(err)
	})
	if diff := cmp.Diff(before, outputs(t, infra)); diff != "" {
		t.Errorf("the output Secret, -before +after:\n%s", diff)
	}
}
