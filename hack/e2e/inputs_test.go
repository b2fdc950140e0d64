//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// TestInput_refused: what is wrong with an object is said, with the field, what it got
// and what it wanted, when it is created; and where no webhook is asked, within seconds
// by the controller, which starts no pod.
func TestInput_refused(t *testing.T) {
	t.Parallel()
	asked, unasked := newNamespace(t), newNamespaceWith(t, map[string]string{v1alpha1.LabelWebhook: v1alpha1.WebhookIgnore})
	closed := &v1alpha1.ProviderConfig{
		ObjectMeta: metav1.ObjectMeta{Name: "closed-" + asked},
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
	// Its subtests are over before the ProviderConfig is deleted.
	t.Run("each", func(t *testing.T) {
		for _, tc := range refusals(closed.Name) {
			t.Run(tc.name, func(t *testing.T) {
				t.Parallel()
				tc.atAdmission(t, asked)
				tc.byController(t, unasked)
			})
		}
	})
}

// refusal is an object with a fault.
type refusal struct {
	name      string
	module    string
	variables map[string]any
	change    change
	// reason is why it is Stalled, where it was created.
	reason string
	// message are parts of what is said.
	message []string
}

func refusals(closed string) []refusal {
	return []refusal{
		{name: "unknown-module", module: "aws-s3-buckets", reason: v1alpha1.ReasonModuleNotFound,
			message: []string{"spec.module", "aws-s3-buckets", `did you mean "aws-s3-bucket"?`}},
		{name: "unmet-version", module: "slow", reason: v1alpha1.ReasonModuleNotFound,
			change:  func(infra *v1alpha1.Infrastructure) { infra.Spec.ModuleVersion = ">= 99" },
			message: []string{"spec.moduleVersion", ">= 99"}},
		{name: "wrong-type", module: "slow", variables: map[string]any{"seconds": "soon"}, reason: v1alpha1.ReasonInvalidVariables,
			message: []string{"spec.variables[seconds]", "soon", "number"}},
		{name: "missing-variable", module: "failing", reason: v1alpha1.ReasonInvalidVariables,
			message: []string{"mode", "string"}},
		{name: "several", module: "slow", variables: map[string]any{"second": 1}, reason: v1alpha1.ReasonInvalidVariables,
			change:  func(infra *v1alpha1.Infrastructure) { infra.Spec.Outputs.Keys = map[string]string{"nothing": "N"} },
			message: []string{"spec.variables[second]", `did you mean "seconds"?`, "spec.outputs.keys[nothing]"}},
		{name: "forbidden-provider", module: "aws-s3-bucket", variables: map[string]any{"name": "a-bucket"}, reason: v1alpha1.ReasonProviderConfigForbidden,
			change:  func(infra *v1alpha1.Infrastructure) { infra.Spec.ProviderConfig = closed },
			message: []string{"spec.providerConfig", closed, "team=payments"}},
	}
}

func (tc *refusal) object(t *testing.T, namespace string) *v1alpha1.Infrastructure {
	t.Helper()
	var changes []change
	if tc.change != nil {
		changes = append(changes, tc.change)
	}
	return newInfra(t, namespace, tc.name, tc.module, tc.variables, changes...)
}

func (tc *refusal) wantMessage(t *testing.T, message string) {
	t.Helper()
	for _, want := range tc.message {
		if !strings.Contains(message, want) {
			t.Errorf("message: want %q in %q", want, message)
		}
	}
}

func (tc *refusal) atAdmission(t *testing.T, namespace string) {
	err := stage.Client.Create(t.Context(), tc.object(t, namespace))
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "admission webhook") {
		t.Fatalf("want the webhook to refuse it, got %v", err)
	}
	tc.wantMessage(t, err.Error())
}

func (tc *refusal) byController(t *testing.T, namespace string) {
	infra := tc.object(t, namespace)
	if err := stage.Client.Create(t.Context(), infra); err != nil {
		t.Fatal(err)
	}
	waitStalled(t, infra, tc.reason)
	tc.wantMessage(t, meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionStalled).Message)
	remove(t, infra, 30*time.Second)
}

// waitStalled waits until the object is Stalled, and makes sure that no run was started.
func waitStalled(t *testing.T, infra *v1alpha1.Infrastructure, reason string) {
	t.Helper()
	waitCondition(t, infra, 10*time.Second, v1alpha1.ConditionStalled, reason)
	if started := runs(t, infra); len(started) != 0 {
		t.Errorf("want no run, got %+v", started)
	}
}

// What needs a look at the app's own Secrets is the controller's to say.
func TestInput_foreignSecret(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "taken"}, StringData: map[string]string{"mine": "yes"}}
	if err := stage.Client.Create(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	infra := create(t, ns, "foreign-secret", "slow", nil, func(infra *v1alpha1.Infrastructure) { infra.Spec.Outputs.SecretName = foreign.Name })
	waitStalled(t, infra, v1alpha1.ReasonOutputSecretConflict)
	message := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionStalled).Message
	for _, want := range []string{"spec.outputs.secretName", foreign.Name} {
		if !strings.Contains(message, want) {
			t.Errorf("message: want %q in %q", want, message)
		}
	}
	remove(t, infra, 30*time.Second)
	if get(t, foreign); string(foreign.Data["mine"]) != "yes" {
		t.Error("the foreign Secret was touched")
	}
}
