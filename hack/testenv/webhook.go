package testenv

import (
	"os"
	"path/filepath"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// WebhookPath is where the webhook for Infrastructures is served.
const WebhookPath = "/validate-infra-groundwork-dev-v1alpha1-infrastructure"

// Webhook returns a configuration of the chart's webhook that is asked about objects
// of one namespace, and refuses them when it does not answer. It is at a Service that
// is nowhere.
func Webhook(t testing.TB, name, namespace string) *admissionv1.ValidatingWebhookConfiguration {
	t.Helper()
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "deploy", "chart", "files", "webhook.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var webhook admissionv1.ValidatingWebhook
	if err := yaml.UnmarshalStrict(text, &webhook); err != nil {
		t.Fatal(err)
	}
	fail, path := admissionv1.Fail, WebhookPath
	webhook.Name = "infrastructures.infra.groundwork.dev"
	webhook.FailurePolicy = &fail
	webhook.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}}
	webhook.ClientConfig.Service = &admissionv1.ServiceReference{Namespace: namespace, Name: name, Path: &path}
	return &admissionv1.ValidatingWebhookConfiguration{
		TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "ValidatingWebhookConfiguration"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks:   []admissionv1.ValidatingWebhook{webhook},
	}
}
