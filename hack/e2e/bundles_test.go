//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// extraBundle is a bundle with one version of the module greeting.
type extraBundle struct{ name, version, repository string }

func (b extraBundle) image() string { return b.repository + ":" + b.version }

// platformTeam is somebody with the command line, a library of his own and a registry.
type platformTeam struct {
	*testing.T
	command, library, registry string
}

func newPlatformTeam(t *testing.T) platformTeam {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	team := platformTeam{t, filepath.Join(t.TempDir(), "groundwork"), filepath.Join(t.TempDir(), "modules"), strings.TrimPrefix(server.URL, "http://")}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", team.command, "./cmd/groundwork")
	build.Dir = stage.Root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	team.groundwork("modules", "new", "greeting", "--library", team.library)
	return team
}

func (p platformTeam) groundwork(args ...string) {
	p.Helper()
	if out, err := exec.CommandContext(p.Context(), p.command, args...).CombinedOutput(); err != nil {
		p.Fatalf("groundwork %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// bundle makes a version of the module, which greets with it, and pushes a bundle of it.
func (p platformTeam) bundle(name, version string, flags ...string) extraBundle {
	p.Helper()
	for file, edit := range map[string][2]string{
		"module.yaml":                        {`version: \S+`, "version: " + version},
		"variables.tf":                       {`default     = ".*"`, `default     = "Hello from ` + version + `"`},
		"tests/module.tftest.hcl":            {`"Hello.*, World"`, `"Hello from ` + version + `, World"`},
		"examples/first/infrastructure.yaml": {`moduleVersion: .*`, "moduleVersion: " + version},
	} {
		file = filepath.Join(p.library, "greeting", file)
		text, err := os.ReadFile(file)
		if err != nil {
			p.Fatal(err)
		}
		if err := os.WriteFile(file, regexp.MustCompile(edit[0]).ReplaceAll(text, []byte(edit[1])), 0o600); err != nil {
			p.Fatal(err)
		}
	}
	p.groundwork("modules", "docs", p.library)
	p.groundwork("modules", "test", p.library)
	b := extraBundle{name, version, p.registry + "/team/bundle"}
	p.groundwork(append([]string{"bundle", "build", p.library, "--from", stage.BundleFile(), "--tag", b.image(), "--push"}, flags...)...)
	return b
}

// openTofu returns the path of OpenTofu, built from the module that hack/opentofu pins.
func openTofu(t *testing.T) string {
	t.Helper()
	tofu := filepath.Join(t.TempDir(), "tofu")
	build := exec.CommandContext(t.Context(), "go", "build", "-modfile", "hack/opentofu/go.mod", "-o", tofu, "github.com/opentofu/opentofu/cmd/tofu")
	build.Dir, build.Env = stage.Root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return tofu
}

// installBundles upgrades the release to these bundles beside the default one.
func installBundles(ctx context.Context, bundles ...extraBundle) error {
	return stage.Install(ctx, bundleSettings(bundles...)...)
}

// bundleSettings are the chart's settings for these bundles beside the default one.
func bundleSettings(bundles ...extraBundle) []string {
	var settings []string
	for i, b := range bundles {
		for key, value := range map[string]string{"name": b.name, "repository": b.repository, "tag": b.version} {
			settings = append(settings, fmt.Sprintf("extraBundles[%d].%s=%s", i, key, value))
		}
	}
	return settings
}

// TestBundles installs two bundles of a platform team beside ours, one after the other, with a module in
// another version each, one of them with OpenTofu, and takes both away again. It is not parallel: there is one
// installation.
func TestBundles(t *testing.T) {
	needsOwnCluster(t, "its node pulls the bundles from a registry on this machine")
	team := newPlatformTeam(t)
	one, two := team.bundle("one", "1.1.0"), team.bundle("two", "2.0.0", "--terraform", openTofu(t))
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
	careful := create(t, ns, "careful", "greeting", map[string]any{"name": "careful"}, func(i *v1alpha1.Infrastructure) { i.Spec.Approval = v1alpha1.ApprovalManual })
	annotate(t, careful, "", v1alpha1.AnnotationApprove, waitsForApproval(t, careful, ""))
	same := create(t, ns, "same", "outputs", nil)
	for _, infra := range []*v1alpha1.Infrastructure{held, free, careful} {
		waitReady(t, infra, 2*time.Minute)
		wantGreeting(t, infra, one)
	}
	waitReady(t, same, time.Minute)

	must(installBundles(t.Context(), one, two))
	eventually(t, 2*time.Minute, "free is applied in the newer version", func(context.Context) (bool, string) {
		get(t, free)
		return free.Status.Module.Version == two.version && free.Status.Run == nil, fmt.Sprintf("%+v", free.Status)
	})
	waitReady(t, free, time.Minute)
	wantGreeting(t, free, two)
	waitReady(t, held, time.Minute)
	wantGreeting(t, held, one)
	for _, infra := range []*v1alpha1.Infrastructure{held, same} {
		get(t, infra)
		if all := runs(t, infra); len(all) != 1 || infra.Status.Module.Available != infra.Status.Module.Version {
			t.Errorf("%s: want the one run from before the second bundle, got %+v of %+v", infra.Name, all, infra.Status.Module)
		}
	}
	upgrade := waitsForApproval(t, careful, "")
	if m := careful.Status.Module; m.Version != one.version || m.Available != two.version {
		t.Errorf("careful: the module is %+v before the upgrade is approved", m)
	}
	annotate(t, careful, "", v1alpha1.AnnotationApprove, upgrade)
	waitReady(t, careful, time.Minute)
	wantGreeting(t, careful, two)
	wantVersions(t, two, one)

	must(installBundles(t.Context()))
	for _, infra := range []*v1alpha1.Infrastructure{held, free, careful} {
		waitCondition(t, infra, time.Minute, v1alpha1.ConditionStalled, v1alpha1.ReasonModuleNotFound)
		told := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady).Message
		for _, part := range []string{`there is no module "greeting"`, "stay as they are", "a delete still destroys them"} {
			if !strings.Contains(told, part) {
				t.Errorf("%s: the message is %q, want %q in it", infra.Name, told, part)
			}
		}
	}
	wantSecretPutBack(t, held)
	for _, infra := range []*v1alpha1.Infrastructure{held, free, careful, same} {
		remove(t, infra, 2*time.Minute)
	}
}

// wantGreeting checks that the object is applied from a bundle, by its image.
func wantGreeting(t *testing.T, infra *v1alpha1.Infrastructure, from extraBundle) {
	t.Helper()
	if m := infra.Status.Module; m == nil || m.Version != from.version || m.Bundle != from.name {
		t.Errorf("%s: applied is %+v, want %+v", infra.Name, m, from)
	}
	if got, want := outputs(t, infra)["message"], "Hello from "+from.version+", "+infra.Name; got != want {
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
