//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// TestInput_refused: a wrong input stalls the object within seconds, with a message
// that names the field, what it got and what it wanted, and starts no pod.
func TestInput_refused(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "taken"}, StringData: map[string]string{"mine": "yes"}}
	if err := stage.Client.Create(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	closed := &v1alpha1.ProviderConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "closed-" + ns},
		Spec: v1alpha1.ProviderConfigSpec{
			NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"team": "payments"}},
			Credentials:       v1alpha1.Credentials{SecretName: "any"},
			AWS:               v1alpha1.AWSProvider{Region: "eu-central-1"},
		},
	}
	if err := stage.Client.Create(t.Context(), closed); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stage.Client.Delete(context.Background(), closed); err != nil {
			t.Error(err)
		}
	})
	t.Run("each", func(t *testing.T) { testRefusals(t, ns, foreign.Name, closed.Name) })
	if get(t, foreign); string(foreign.Data["mine"]) != "yes" {
		t.Error("the foreign Secret was touched")
	}
}

func testRefusals(t *testing.T, ns, foreign, closed string) {
	for _, tc := range []struct {
		name      string
		module    string
		variables map[string]any
		change    change
		reason    string
		message   []string
	}{
		{name: "unknown-module", module: "aws-s3-buckets", reason: v1alpha1.ReasonModuleNotFound,
			message: []string{"aws-s3-buckets", "aws-s3-bucket"}},
		{name: "unmet-version", module: "slow", reason: v1alpha1.ReasonModuleNotFound,
			change:  func(infra *v1alpha1.Infrastructure) { infra.Spec.ModuleVersion = ">= 99" },
			message: []string{">= 99"}},
		{name: "wrong-type", module: "slow", variables: map[string]any{"seconds": "soon"}, reason: v1alpha1.ReasonInvalidVariables,
			message: []string{"spec.variables[seconds]", "soon", "number"}},
		{name: "missing-variable", module: "failing", reason: v1alpha1.ReasonInvalidVariables,
			message: []string{"mode", "string"}},
		{name: "unknown-variable", module: "slow", variables: map[string]any{"second": 1}, reason: v1alpha1.ReasonInvalidVariables,
			message: []string{"spec.variables[second]", "seconds"}},
		{name: "forbidden-provider", module: "aws-s3-bucket", variables: map[string]any{"name": "a-bucket"}, reason: v1alpha1.ReasonProviderConfigForbidden,
			change:  func(infra *v1alpha1.Infrastructure) { infra.Spec.ProviderConfig = closed },
			message: []string{"spec.providerConfig", closed, "team=payments", ns}},
		{name: "foreign-secret", module: "slow", reason: v1alpha1.ReasonOutputSecretConflict,
			change:  func(infra *v1alpha1.Infrastructure) { infra.Spec.Outputs.SecretName = foreign },
			message: []string{"spec.outputs.secretName", foreign}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.change == nil {
				tc.change = func(*v1alpha1.Infrastructure) {}
			}
			infra := create(t, ns, tc.name, tc.module, tc.variables, tc.change)
			waitCondition(t, infra, 10*time.Second, v1alpha1.ConditionStalled, tc.reason)
			message := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionStalled).Message
			for _, want := range tc.message {
				if !strings.Contains(message, want) {
					t.Errorf("message: want %q in %q", want, message)
				}
			}
			if started := runs(t, infra); len(started) != 0 {
				t.Errorf("want no run, got %+v", started)
			}
			remove(t, infra, 30*time.Second)
		})
	}
}
