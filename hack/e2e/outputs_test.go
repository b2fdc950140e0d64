//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
	"github.com/groundwork-dev/groundwork/state"
)

func TestOutputs_everyType(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	infra := create(t, ns, "outputs", "outputs", map[string]any{"message": "hello"}, func(infra *v1alpha1.Infrastructure) {
		infra.Spec.Outputs.Templates = map[string]string{"GREETING": "{{ .message }}, {{ .number_integer }}!"}
		infra.Spec.Outputs.ValuesKey = "values.yaml"
	})
	waitReady(t, infra, 2*time.Minute)
	got := outputs(t, infra)
	for key, want := range map[string]string{
		"message":                  "hello",
		"GREETING":                 "hello, 1000000!",
		"bool_true":                "true",
		"number_integer":           "1000000",
		"number_twenty_digits":     "12345678901234567890",
		"number_twenty_one_digits": "100000000000000000000",
		"number_fraction":          "0.1",
		"string_markup":            `<a href="/?x=1&y=2">it's</a>`,
		"string_empty":             "",
		"set_of_strings":           `["a","b"]`,
		"map_of_strings":           `{"a.b/c":"1","plain":"3","with space":"<2>"}`,
	} {
		if value, ok := got[key]; !ok || value != want {
			t.Errorf("key %s: got %q (%t), want %q", key, value, ok, want)
		}
	}
	if _, ok := got["null_value"]; ok {
		t.Error("an output that is null must have no key")
	}
	if !strings.Contains(got["values.yaml"], `"number_twenty_one_digits": 100000000000000000000`) {
		t.Errorf("values.yaml: got %s", got["values.yaml"])
	}
	remove(t, infra, time.Minute)
}

func TestOutputs_repairedWithoutPod(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	infra := create(t, ns, "outputs", "outputs", nil)
	waitReady(t, infra, 2*time.Minute)
	want := outputs(t, infra)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: infra.Name}}

	restored := func(context.Context) (bool, string) {
		now := &corev1.Secret{ObjectMeta: secret.ObjectMeta}
		if err := stage.Client.Get(t.Context(), client.ObjectKeyFromObject(secret), now); err != nil {
			return false, err.Error()
		}
		return len(now.Data) == len(want) && string(now.Data["message"]) == want["message"], fmt.Sprintf("%d keys", len(now.Data))
	}
	if err := stage.Client.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "the deleted Secret is back", restored)

	get(t, secret)
	secret.Data = map[string][]byte{"message": []byte("edited by hand")}
	if err := stage.Client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "the edited Secret is as it was", restored)

	update(t, infra, func(infra *v1alpha1.Infrastructure) { infra.Spec.Outputs.SecretName = "renamed" })
	eventually(t, 10*time.Second, "the Secret has its new name alone", func(context.Context) (bool, string) {
		var secrets corev1.SecretList
		if err := stage.Client.List(t.Context(), &secrets, client.InNamespace(ns)); err != nil {
			return false, err.Error()
		}
		return len(secrets.Items) == 1 && secrets.Items[0].Name == "renamed" && len(secrets.Items[0].Data) == len(want), fmt.Sprintf("%d Secrets", len(secrets.Items))
	})
	if all := runs(t, infra); len(all) != 1 {
		t.Errorf("want no further run, got %d", len(all))
	}
	remove(t, infra, time.Minute)
}

func TestState_beyondOneMiB(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	infra := create(t, ns, "large", "large", map[string]any{"size_mib": 2})
	waitReady(t, infra, 3*time.Minute)
	key := state.Key(ns, infra.Name)
	parts := 0
	for _, left := range leftovers(t.Context(), t, key) {
		if strings.HasPrefix(left, "Secret tfstate-") {
			parts++
		}
	}
	if parts < 2 {
		t.Errorf("want a state in several Secrets, got %d", parts)
	}
	if got := outputs(t, infra); got["checksum"] == "" || got["bytes"] == "" {
		t.Errorf("want the outputs bytes and checksum, got %q", got)
	}
	remove(t, infra, 2*time.Minute)
}

// TestSecrets_stayOutOfSight plants values in sensitive variables and looks for them
// wherever people look.
func TestSecrets_stayOutOfSight(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	const canary = "canary-7f3a9"
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "canary"},
		StringData: map[string]string{"secret": canary, "object": `{"token":"` + canary + `"}`},
	}
	if err := stage.Client.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	infra := create(t, ns, "outputs", "outputs", nil, func(infra *v1alpha1.Infrastructure) {
		infra.Spec.VariablesFrom = []v1alpha1.VariablesSource{
			{SecretKeyRef: &v1alpha1.KeyReference{Name: secret.Name, Key: "secret"}, Variable: "secret"},
			{SecretKeyRef: &v1alpha1.KeyReference{Name: secret.Name, Key: "object"}, Variable: "secret_object"},
		}
	})
	waitReady(t, infra, 2*time.Minute)
	if outputs(t, infra)["sensitive_string"] != canary {
		t.Fatal("the canary did not reach the output Secret, so the test proves nothing")
	}
	for _, look := range [][]string{
		{"-n", ns, "get", "infrastructures,events,configmaps", "-o", "yaml"},
		{"-n", devenv.Namespace, "get", "runs,pods,events,configmaps", "-o", "yaml"},
		{"-n", devenv.Namespace, "logs", "--tail=-1", "--selector=app.kubernetes.io/component=controller"},
	} {
		out, err := stage.Kubectl(t.Context(), look...)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out, canary) {
			t.Errorf("kubectl %s shows the canary", strings.Join(look, " "))
		}
	}
	remove(t, infra, time.Minute)
}
