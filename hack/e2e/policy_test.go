//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
	"github.com/groundwork-dev/groundwork/runner"
)

// A plan that the default policies deny touches nothing, and says why; the object is
// applied when its spec is mended.
func TestPolicy_denied(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	open := func(cidr string) change {
		return func(i *v1alpha1.Infrastructure) {
			i.Spec.Variables = values(t, map[string]any{"name": "group-" + ns, "ingress": map[string]any{"ssh": map[string]any{"port": 22, "cidr_blocks": []string{cidr}}}})
		}
	}
	infra := create(t, ns, "open", "aws-security-group", nil, open("0.0.0.0/0"))
	waitCondition(t, infra, awsTimeout, v1alpha1.ConditionStalled, v1alpha1.ReasonPolicyDenied)
	for _, part := range []string{"policy open_admin_port denies aws_security_group.this: ", "port 22"} {
		if message := infra.Status.Conditions[0].Message; !strings.Contains(message, part) {
			t.Errorf("the message is %q, want %q in it", message, part)
		}
	}
	if found := resourcesNamed(t, ns); len(found) > 0 || infra.Status.Module != nil {
		t.Errorf("a denied plan has made %+v, status %+v", found, infra.Status)
	}
	update(t, infra, open("10.0.0.0/8"))
	waitReady(t, infra, awsTimeout)
	remove(t, infra, awsTimeout)
}

// A policy of the platform team, in the ConfigMap, warns.
func TestPolicy_warns(t *testing.T) {
	t.Parallel()
	policies := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: runner.PoliciesConfigMap},
		Data: map[string]string{"loud.rego": `package main

# METADATA
# custom:
#   resource_types: [terraform_data]
warn contains {"msg": "no need to shout", "address": "terraform_data.message"} if input.variables.message.value == "SHOUT"
`},
	}
	if err := stage.Client.Create(t.Context(), policies); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stage.Client.Delete(context.Background(), policies); err != nil {
			t.Error(err)
		}
	})
	ns := newNamespace(t)
	infra := create(t, ns, "loud", "outputs", map[string]any{"message": "SHOUT"})
	waitReady(t, infra, time.Minute)
	want := "policy loud warns of terraform_data.message: no need to shout"
	if got := infra.Status.Warnings; len(got) != 1 || got[0] != want {
		t.Errorf("warnings are %q, want %q", got, want)
	}
	eventually(t, 30*time.Second, "an event tells of it", func(ctx context.Context) (bool, string) {
		events, err := stage.Kubectl(ctx, "-n", ns, "get", "events")
		return err == nil && strings.Contains(events, "PolicyWarning") && strings.Contains(events, want), events
	})
	remove(t, infra, time.Minute)
}
