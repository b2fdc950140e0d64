//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const chart = "deploy/chart"

// valueFiles are the sets of values in the chart's folder ci, and none at all.
func valueFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(stage.Root, chart, "ci", "*-values.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found no values: %v", err)
	}
	return files
}

// documentedValues reads the values of a file by their paths. Only those with a comment
// that documents them ("# -- ") count in the chart's own values.yaml; ofOthers names
// those paths for the other files.
func documentedValues(t *testing.T, file string, ofOthers []string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	var walk func(node *yaml.Node, path string)
	walk = func(node *yaml.Node, path string) {
		for i := 0; i+1 < len(node.Content) && node.Kind == yaml.MappingNode; i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			name := strings.TrimPrefix(path+"."+key.Value, ".")
			if strings.Contains(key.HeadComment, "# -- ") || slices.Contains(ofOthers, name) {
				var decoded any
				if err := value.Decode(&decoded); err != nil {
					t.Fatal(err)
				}
				values[name] = decoded
				continue
			}
			if ofOthers == nil && (value.Kind != yaml.MappingNode || len(value.Content) == 0) {
				t.Errorf("%s: %s is not documented", filepath.Base(file), name)
			}
			walk(value, name)
		}
	}
	walk(document.Content[0], "")
	return values
}

// Each documented value has another value than its default in one of the files that the
// tests below use.
func TestChart_everyValueIsFlipped(t *testing.T) {
	t.Parallel()
	defaults := documentedValues(t, filepath.Join(stage.Root, chart, "values.yaml"), nil)
	var paths []string
	for path := range defaults {
		paths = append(paths, path)
	}
	flipped := map[string]bool{}
	for _, file := range valueFiles(t) {
		for path, value := range documentedValues(t, file, paths) {
			if !reflect.DeepEqual(value, defaults[path]) {
				flipped[path] = true
			}
		}
	}
	for _, path := range paths {
		if !flipped[path] {
			t.Errorf("no file in %s/ci has another value for %s", chart, path)
		}
	}
}

// Every object that the chart makes, with each set of values, is one that the API server
// would take: no field that it does not know, nothing that its schema or its admission
// refuses.
func TestChart_valid(t *testing.T) {
	t.Parallel()
	installOthersCRDs(t)
	ns := newNamespace(t)
	for _, file := range append(valueFiles(t), "") {
		var values []string
		if file != "" {
			values = []string{"--values", file, "--set", "watchNamespaces={" + ns + "}"}
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			if _, err := stage.Helm(t.Context(), append([]string{"lint", chart, "--strict"}, values...)...); err != nil {
				t.Error(err)
			}
			manifests, err := stage.Helm(t.Context(), append([]string{"template", "other", chart, "--namespace", ns}, values...)...)
			if err != nil {
				t.Fatal(err)
			}
			rendered := filepath.Join(t.TempDir(), "manifests.yaml")
			if err := os.WriteFile(rendered, []byte(manifests), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = stage.Kubectl(t.Context(), "apply", "--namespace", ns, "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", rendered)
			if err != nil {
				t.Error(err)
			}
		})
	}
	for _, example := range []string{"orders", "orders-sg"} {
		if _, err := stage.Helm(t.Context(), "lint", "--strict", "deploy/examples/"+example); err != nil {
			t.Error(err)
		}
	}
}

func TestChart_badValuesAreRefused(t *testing.T) {
	t.Parallel()
	const bundle = "extraBundles[0].name=data,extraBundles[0].repository=data"
	for setting, want := range map[string]string{
		"controller.replica=3":            "additional properties 'replica' not allowed",
		"controller.replicas=two":         "'/controller/replicas': got string, want integer",
		"controller.logLevel=verbose":     "'/controller/logLevel': value must be one of",
		"controller.maxConcurrentRuns=-1": "'/controller/maxConcurrentRuns': minimum: got -1, want 0",
		"upgrades.maxConcurrent=0":        "'/upgrades/maxConcurrent'",
		"upgrades.maxConcurrent=101%":     "'/upgrades/maxConcurrent'",
		"upgrades.maxFailed=0":            "'/upgrades/maxFailed': minimum: got 0, want 1",
		"runner.startTimeout=10":          "'/runner/startTimeout'",
		"images.controller.digest=abc":    "'/images/controller/digest'",
		"webhook.failurePolicy=Maybe":     "'/webhook/failurePolicy': value must be one of",
		"policies.team=package":           "'/policies': additional properties 'team' not allowed",
		bundle:                            "'/extraBundles/0': missing property 'tag'",
		"extraBundles[0].name=Data":       "'/extraBundles/0/name'",
		bundle + ",extraBundles[0].tag=a,extraBundles[1].name=data,extraBundles[1].repository=b,extraBundles[1].tag=b": `there is another bundle "data"`,
		"extraBundles[0].name=default,extraBundles[0].repository=b,extraBundles[0].tag=b":                              `there is another bundle "default"`,
	} {
		_, err := stage.Helm(t.Context(), "template", "other", chart, "--set", setting)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", setting, err, want)
		}
	}
}

// A second release, which watches a namespace without Infrastructures, installed for
// real.
func TestChart_installsFlipped(t *testing.T) {
	t.Parallel()
	installOthersCRDs(t)
	for _, name := range []string{"flipped", "off"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns, watched := newNamespace(t), newNamespace(t)
			release := "other-" + name
			_, err := stage.Helm(t.Context(), "install", release, chart, "--namespace", ns, "--values", filepath.Join(chart, "ci", name+"-values.yaml"),
				"--set", "watchNamespaces={"+watched+"}", "--wait", "--timeout", "3m")
			if err != nil {
				pods, _ := stage.Kubectl(t.Context(), "-n", ns, "describe", "pods")
				t.Fatalf("%v\n%s", err, pods)
			}
			account, err := stage.Kubectl(t.Context(), "-n", ns, "get", "deployments", "-o", "jsonpath={.items[0].spec.template.spec.serviceAccountName}")
			if err != nil {
				t.Fatal(err)
			}
			for namespace, want := range map[string]string{watched: "yes", "default": "no"} {
				// can-i exits with 1 when it says no.
				got, _ := stage.Kubectl(t.Context(), "auth", "can-i", "get", "secrets", "-n", namespace, "--as=system:serviceaccount:"+ns+":"+account, "--warnings-as-errors=false")
				if got := strings.TrimSpace(got); (got == "yes") != (want == "yes") {
					t.Errorf("may %s read Secrets of namespace %s: got %q, want %s", account, namespace, got, want)
				}
			}
			if _, err := stage.Helm(t.Context(), "uninstall", release, "--namespace", ns, "--wait", "--timeout", "2m"); err != nil {
				t.Error(err)
			}
		})
	}
}

// installOthersCRDs installs the CRDs of the Prometheus operator and of cert-manager that
// the chart has objects of; they stay.
func installOthersCRDs(t *testing.T) {
	t.Helper()
	for _, crd := range []struct{ module, path, group, kind string }{
		{"github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd", "monitoring.coreos.com", "servicemonitors"},
		{"github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd", "monitoring.coreos.com", "prometheusrules"},
		{"github.com/cert-manager/cert-manager", "deploy/crds", "cert-manager.io", "certificates"},
		{"github.com/cert-manager/cert-manager", "deploy/crds", "cert-manager.io", "issuers"},
	} {
		file := filepath.Join(moduleDir(t, crd.module), filepath.FromSlash(crd.path), crd.group+"_"+crd.kind+".yaml")
		if _, err := stage.Kubectl(t.Context(), "apply", "--server-side", "--force-conflicts", "-f", file); err != nil {
			t.Fatal(err)
		}
		if _, err := stage.Kubectl(t.Context(), "wait", "--for=condition=Established", "--timeout=1m", "crd/"+crd.kind+"."+crd.group); err != nil {
			t.Fatal(err)
		}
	}
}

// moduleDir is where Go keeps a module that hack/e2e/crds requires; it is downloaded if
// need be.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "-C", filepath.Join(stage.Root, "hack", "e2e", "crds"), "mod", "download", "-json", module)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("download the module %s, which has the CRDs: %v\n%s", module, err, out)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(out, &downloaded); err != nil {
		t.Fatal(err)
	}
	return downloaded.Dir
}

// The metrics Service of the chart leads to the controller. That it has what the dashboard
// and the alerts ask for is a test of cmd/controller.
func TestChart_metricsAreServed(t *testing.T) {
	t.Parallel()
	metrics, err := stage.Kubectl(t.Context(), "get", "--raw", "/api/v1/namespaces/groundwork-system/services/groundwork-metrics:metrics/proxy/metrics")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(metrics, "\ngroundwork_build_info{") {
		t.Errorf("groundwork_build_info is not among the metrics:\n%.2000s", metrics)
	}
}
