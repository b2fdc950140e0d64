//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// TestChart_upgrade goes from the previous commit's chart and images to this one's, with
// an object that is Ready and one that is being applied. It is not parallel: there is one
// installation.
func TestChart_upgrade(t *testing.T) {
	needsOwnCluster(t, "the images of the commit before are loaded into its node")
	ns := newNamespace(t)
	if err := stage.InstallPrevious(t.Context()); err != nil {
		t.Fatal(err)
	}
	ready := create(t, ns, "ready", "outputs", nil)
	waitReady(t, ready, 2*time.Minute)
	slow := create(t, ns, "slow", "slow", map[string]any{"seconds": 45})
	pod := runnerPod(t, waitApplying(t, slow).Name)

	if err := stage.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	if get(t, slow); len(runs(t, slow)) != 1 || slow.Status.Run == nil {
		t.Fatalf("the apply was over before the upgrade was, so the test proves nothing: %+v", slow.Status)
	}
	waitReady(t, slow, 3*time.Minute)
	waitReady(t, ready, time.Minute)
	for _, infra := range []*v1alpha1.Infrastructure{ready, slow} {
		if all := runs(t, infra); len(all) != 1 || all[0].Status.Phase != v1alpha1.RunSucceeded {
			t.Errorf("%s: want the one run from before the upgrade, succeeded, got %+v", infra.Name, all)
		}
	}
	if all := runs(t, slow); all[0].Status.PodUID != pod.UID {
		t.Errorf("the apply began in pod %s and ended in %s", pod.UID, all[0].Status.PodUID)
	}
	ca, err := stage.Kubectl(t.Context(), "get", "validatingwebhookconfiguration/groundwork-webhook", "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}")
	if err != nil || ca == "" {
		t.Errorf("the API server does not know the webhook's CA after the upgrade: %q, %v", ca, err)
	}
	image, err := stage.Kubectl(t.Context(), "-n", devenv.Namespace, "get", "deployment/groundwork-controller", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	if err != nil || image != stage.ControllerImage() {
		t.Errorf("the controller runs %s, want %s, %v", image, stage.ControllerImage(), err)
	}
	remove(t, slow, time.Minute)
	remove(t, ready, time.Minute)
}

// TestChart_uninstall takes Groundwork away while something is being applied, as
// docs/operations.md says it can be done, and brings it back.
func TestChart_uninstall(t *testing.T) {
	needsOwnCluster(t, "it takes Groundwork away")
	ns := newNamespace(t)
	ready := create(t, ns, "ready", "outputs", nil)
	waitReady(t, ready, 2*time.Minute)
	slow := create(t, ns, "slow", "slow", map[string]any{"seconds": 20})
	run := waitApplying(t, slow)
	if _, err := stage.Helm(t.Context(), "uninstall", "groundwork", "--namespace", devenv.Namespace, "--wait", "--timeout", "3m"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Minute, "the run ends without a controller", func(context.Context) (bool, string) {
		get(t, run)
		return run.Status.Phase == v1alpha1.RunSucceeded, fmt.Sprintf("%+v", run.Status)
	})
	if err := stage.Install(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitReady(t, slow, time.Minute)
	for _, infra := range []*v1alpha1.Infrastructure{ready, slow} {
		if all := runs(t, infra); len(all) != 1 {
			t.Errorf("%s: want the one run from before the uninstall, got %+v", infra.Name, all)
		}
		remove(t, infra, time.Minute)
	}
}
