package pod

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
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
		"full": {
			reason: "Workload identity replaces the ServiceAccount, and all that the operator sets is in the pod.",
			run:    run(func(r *v1alpha1.Run) { r.Spec.Credentials.ServiceAccountName = "aws-prod" }),
			cfg: Config{
				Image:              "registry.example.com/groundwork-bundle:1",
				ServiceAccountName: "groundwork-runner",
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m"), corev1.ResourceMemory: resource.MustParse("512Mi")},
					Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
				},
				TerminationGracePeriod: 15 * time.Minute,
				ImagePullSecrets:       []string{"registry"},
				PriorityClassName:      "infrastructure",
				NodeSelector:           map[string]string{"pool": "system"},
				Tolerations:            []corev1.Toleration{{Key: "system", Operator: corev1.TolerationOpExists}},
				Affinity: &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
					PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
						Weight: 1,
						PodAffinityTerm: corev1.PodAffinityTerm{
							TopologyKey:   "kubernetes.io/hostname",
							LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}},
						},
					}},
				}},
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
