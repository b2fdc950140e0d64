//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// messageChart is a chart of one Infrastructure that needs no provider.
func messageChart(t *testing.T) string {
	t.Helper()
	return writeChart(t, map[string]string{
		"Chart.yaml":  "apiVersion: v2\nname: message\nversion: 0.0.0\n",
		"values.yaml": "variables: {message: hello}\n",
		"templates/message.yaml": "apiVersion: infra.groundwork.dev/v1alpha1\nkind: Infrastructure\nmetadata: {name: message}\n" +
			"spec:\n  module: outputs\n  variables: {{ toYaml .Values.variables | nindent 4 }}\n",
	})
}

// steadyTime is how long Flux looks for drift while nothing may change.
const steadyTime = 10 * time.Minute

func TestFlux_driftDetection(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	url, err := stage.PushChart(t.Context(), messageChart(t), "1.0.1")
	if err != nil {
		t.Fatal(err)
	}
	release := createRelease(t, ns, "message", url, "1.0.1", map[string]any{
		"interval": "5s", "driftDetection": map[string]any{"mode": "enabled"},
	})
	waitReleaseReady(t, release, 2*time.Minute)
	infra := infraOf(ns, "message")
	get(t, infra)
	version := infra.ResourceVersion
	time.Sleep(steadyTime)
	get(t, infra)
	if infra.ResourceVersion != version {
		t.Errorf("the object changed while nobody asked for it: %+v", infra)
	}
	if all := runs(t, infra); len(all) != 1 {
		t.Errorf("want the first run and no other, got %d", len(all))
	}
	get(t, release)
	if history, _, err := unstructured.NestedSlice(release.Object, "status", "history"); err != nil || len(history) != 1 {
		t.Errorf("want one revision of the release, got %v, %v", history, err)
	}

	// That Flux did look: what somebody else sets in the spec, it puts back.
	update(t, infra, func(infra *v1alpha1.Infrastructure) {
		infra.Spec.Variables = values(t, map[string]any{"message": "drifted"})
	})
	eventually(t, time.Minute, "Flux puts the variable back", func(context.Context) (bool, string) {
		get(t, infra)
		got := string(infra.Spec.Variables["message"].Raw)
		return got == `"hello"`, got
	})
	waitReady(t, infra, 2*time.Minute)
	removeRelease(t, release, 2*time.Minute)
	wantNothingLeft(t, ns, "message")
}

// The HelmRelease itself says what is wrong, long before its time-out: the webhook has
// refused the object. Of one that is Stalled it would say only that it failed.
func TestFlux_badVariable(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	url, err := stage.PushChart(t.Context(), messageChart(t), "1.0.2")
	if err != nil {
		t.Fatal(err)
	}
	release := createRelease(t, ns, "message", url, "1.0.2", map[string]any{
		"timeout": "10m", "values": map[string]any{"variables": map[string]any{"massage": "hello"}},
	})
	for _, condition := range []string{"Released", "Ready"} {
		eventually(t, time.Minute, condition+" of the HelmRelease says what is wrong", func(context.Context) (bool, string) {
			get(t, release)
			message := releaseCondition(release, condition, "False")
			return strings.Contains(message, `spec.variables[massage]: Invalid value: module outputs has no variable "massage"; did you mean "message"?`),
				message + "\n" + releaseStatus(release)
		})
	}
	if err := stage.Client.Get(t.Context(), client.ObjectKeyFromObject(infraOf(ns, "message")), infraOf(ns, "message")); !apierrors.IsNotFound(err) {
		t.Errorf("want no object, got %v", err)
	}
	patchRelease(t, release, `{"spec":{"values":{"variables":{"massage":null}}}}`)
	waitReleaseReady(t, release, 2*time.Minute)
	removeRelease(t, release, 2*time.Minute)
	wantNothingLeft(t, ns, "message")
}

// releaseCondition returns the message of a condition that has the given status.
func releaseCondition(release *unstructured.Unstructured, kind, status string) string {
	conditions, _, _ := unstructured.NestedSlice(release.Object, "status", "conditions")
	for _, c := range conditions {
		if condition := c.(map[string]any); condition["type"] == kind && condition["status"] == status {
			return fmt.Sprint(condition["message"])
		}
	}
	return ""
}

// The apply fails because the group's name is taken, twice, until it is not any more.
func TestFlux_recoversWithoutUninstall(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	owner := create(t, ns, "owner", "aws-security-group", map[string]any{"name": "taken-" + ns})
	waitReady(t, owner, awsTimeout)
	url, err := stage.PushChart(t.Context(), "deploy/examples/orders-sg", exampleVersion)
	if err != nil {
		t.Fatal(err)
	}
	release := createRelease(t, ns, "group", url, exampleVersion, map[string]any{
		"timeout": "15m", "values": map[string]any{"name": "taken-" + ns},
	})
	group := infraOf(ns, "group")
	failed := func(ctx context.Context) int {
		n := 0
		if stage.Client.Get(ctx, client.ObjectKeyFromObject(group), group) != nil {
			return 0
		}
		for _, run := range runs(t, group) {
			if run.Status.Phase == v1alpha1.RunFailed {
				n++
			}
		}
		return n
	}
	eventually(t, awsTimeout, "two runs have failed", func(ctx context.Context) (bool, string) {
		n := failed(ctx)
		return n >= 2, fmt.Sprintf("%d failed", n)
	})
	uid := group.UID
	remove(t, owner, awsTimeout)
	waitReleaseReady(t, release, awsTimeout)
	get(t, group)
	history, _, err := unstructured.NestedSlice(release.Object, "status", "history")
	if group.UID != uid || err != nil || len(history) != 1 || history[0].(map[string]any)["version"] != int64(1) {
		t.Errorf("want the first revision with the first object, got object %s instead of %s, history %v, %v", group.UID, uid, history, err)
	}
	removeRelease(t, release, awsTimeout)
	wantNothingLeft(t, ns, "group")
}
