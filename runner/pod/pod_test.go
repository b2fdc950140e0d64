package pod

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// TestBuild compares with testdata; UPDATE_GOLDEN=1 writes what Build returns.
func TestBuild(t *testing.T) {
	run := func(modify ...func(*v1alpha1.Run)) *v1alpha1.Run {
		r := &v1alpha1.Run{
			ObjectMeta: metav1.ObjectMeta{
				Name: "shop-orders-db-x7k2p", Namespace: "groundwork-system", UID: "5f0c6d0e",
				Labels: map[string]string{v1alpha1.LabelKey: "shop-orders-db-a", "team": "not copied"},
			},
			Spec: v1alpha1.RunSpec{Operation: v1alpha1.OperationApply},
		}
		for _, m := range modify {
			m(r)
		}
		return r
	}
	cases := map[string]struct {
		reason string
		run    *v1alpha1.Run
		cfg    Config
	}{
		"minimal": {
			reason: "A run without credentials and a config without extras give a pod under restricted Pod Security.",
			run:    run(),
			cfg:    Config{Image: "groundwork-bundle:1", ServiceAccountName: "groundwork-runner"},
		},
		"secret": {
			reason: "The credentials Secret becomes the environment; the pod keeps the default ServiceAccount.",
			run:    run(func(r *v1alpha1.Run) { r.Spec.Credentials.SecretName = "aws-prod" }),
			cfg:    Config{Image: "groundwork-bundle:1", ServiceAccountName: "groundwork-runner"},
		},
		"preview": {
			reason: "The pod of a preview is not taken for one of the object's.",
			run: run(func(r *v1alpha1.Run) {
				r.Name, r.Labels = "shop-orders-db-preview-abcdef", map[string]string{v1alpha1.LabelPreview: "7e1f"}
			}),
			cfg: Config{Image: "groundwork-bundle:1", ServiceAccountName: "groundwork-runner"},
		},
		"full": {
			reason: "Workload identity replaces the ServiceAccount, and all that the operator sets is in the pod.",
			run:    run(func(r *v1alpha1.Run) { r.Spec.Credentials.ServiceAccountName = "aws-prod" }),
			cfg: Config{
				Image:                  "registry.example.com/groundwork-bundle:1",
				ExtraImages:            map[string]string{"data": "registry.example.com/data-bundle:1"},
				ServiceAccountName:     "groundwork-runner",
				TerminationGracePeriod: 15 * time.Minute,
				Template:               fullTemplate(t),
			},
		},
		"extra": {
			reason: "A run whose module is of another bundle has that bundle's image.",
			run:    run(func(r *v1alpha1.Run) { r.Spec.Module.Bundle = "data" }),
			cfg: Config{
				Image: "groundwork-bundle:1", ServiceAccountName: "groundwork-runner",
				ExtraImages: map[string]string{"data": "registry.example.com/data-bundle:1"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := yaml.Marshal(Build(tc.run, tc.cfg))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".yaml")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// fullTemplate sets every field, and tries to overrule what is Groundwork's own.
func fullTemplate(t *testing.T) Template {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	template, err := ParseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	for v, i := reflect.ValueOf(template), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("testdata/template.yaml does not set %s", v.Type().Field(i).Name)
		}
	}
	return template
}

func TestParseTemplate(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"Nothing is fine.":                   {"", ""},
		"An unknown field is named.":         {"nodeselector: {a: b}", `unknown field "nodeselector"`},
		"A wrong type is named.":             {"tolerations: {}", "Template.tolerations"},
		"A limit below the request is not.":  {"resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}", "resources.limits.memory: got 1Gi, wanted at least resources.requests.memory, 2Gi"},
		"A label that is not one is refused": {"labels: {a b: c}", "labels: a b=c: "},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := ParseTemplate([]byte(tc.text))
			if got := fmt.Sprint(err); (err != nil) != (tc.want != "") || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
