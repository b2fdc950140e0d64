//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

func TestFlux_chartComesAndGoes(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	url, err := stage.PushChart(t.Context(), writeChart(t, map[string]string{
		"Chart.yaml":              "apiVersion: v2\nname: greeting\nversion: 0.0.0\n",
		"values.yaml":             "greeting: hello\n",
		"templates/greeting.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: greeting}\ndata: {greeting: {{ .Values.greeting }}}\n",
	}), "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	release := createRelease(t, ns, "greeting", url, "1.2.3", map[string]any{
		"values": map[string]any{"greeting": "good morning"},
	})
	waitReleaseReady(t, release, 2*time.Minute)

	configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "greeting"}}
	get(t, configMap)
	if got := configMap.Data["greeting"]; got != "good morning" {
		t.Errorf("want the value of the HelmRelease, got %q", got)
	}
	list, err := stage.Helm(t.Context(), "list", "-n", ns)
	if err != nil || !strings.Contains(list, "greeting-1.2.3") {
		t.Errorf("want Helm to list the release with the version that was pushed, got %v\n%s", err, list)
	}

	removeRelease(t, release, time.Minute)
	err = stage.Client.Get(t.Context(), client.ObjectKeyFromObject(configMap), configMap)
	if !apierrors.IsNotFound(err) {
		t.Errorf("want the ConfigMap to be gone with its release, got %v", err)
	}
}

// writeChart writes a chart's files into a folder, which it returns.
func writeChart(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// createRelease creates an OCIRepository for a version of a chart, and a HelmRelease of
// it with the given spec, which it returns. The objects are unstructured: Flux's types
// are no dependency of this module.
func createRelease(t *testing.T, namespace, name, url, version string, spec map[string]any) *unstructured.Unstructured {
	t.Helper()
	object := func(apiVersion, kind string, spec map[string]any) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": apiVersion,
			"kind":       kind,
			"metadata":   map[string]any{"namespace": namespace, "name": name},
			"spec":       spec,
		}}
		if err := stage.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	object("source.toolkit.fluxcd.io/v1", "OCIRepository", map[string]any{
		"interval": "10m", "url": url, "insecure": true,
		"ref":           map[string]any{"tag": version},
		"layerSelector": map[string]any{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "operation": "copy"},
	})
	whole := map[string]any{
		"interval": "10m",
		"chartRef": map[string]any{"kind": "OCIRepository", "name": name},
	}
	maps.Copy(whole, spec)
	return object("helm.toolkit.fluxcd.io/v2", "HelmRelease", whole)
}

// waitReleaseReady waits until a HelmRelease is Ready for its current generation.
func waitReleaseReady(t *testing.T, release *unstructured.Unstructured, timeout time.Duration) {
	t.Helper()
	eventually(t, timeout, "HelmRelease "+release.GetName()+" is Ready", func(ctx context.Context) (bool, string) {
		if err := stage.Client.Get(ctx, client.ObjectKeyFromObject(release), release); err != nil {
			return false, err.Error()
		}
		conditions, _, err := unstructured.NestedSlice(release.Object, "status", "conditions")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range conditions {
			condition := c.(map[string]any)
			if condition["type"] == "Ready" && condition["status"] == "True" && condition["observedGeneration"] == release.GetGeneration() {
				return true, ""
			}
		}
		return false, releaseStatus(release)
	})
}

// removeRelease deletes a HelmRelease and waits until it is gone.
func removeRelease(t *testing.T, release *unstructured.Unstructured, timeout time.Duration) {
	t.Helper()
	if err := stage.Client.Delete(t.Context(), release); err != nil {
		t.Fatal(err)
	}
	waitReleaseGone(t, release, timeout)
}

// waitReleaseGone waits until a HelmRelease that was deleted is gone.
func waitReleaseGone(t *testing.T, release *unstructured.Unstructured, timeout time.Duration) {
	t.Helper()
	eventually(t, timeout, "HelmRelease "+release.GetName()+" is gone", func(ctx context.Context) (bool, string) {
		err := stage.Client.Get(ctx, client.ObjectKeyFromObject(release), release)
		return apierrors.IsNotFound(err), fmt.Sprintf("%v\n%s", err, releaseStatus(release))
	})
}

func releaseStatus(release *unstructured.Unstructured) string {
	status, err := yaml.Marshal(release.Object["status"])
	if err != nil {
		return err.Error()
	}
	return string(status)
}
