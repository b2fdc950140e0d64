//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// failsToApply is a module greeting whose plan is good, as it does not know timestamp()
// yet, and whose apply fails for everybody but the module's own test.
const failsToApply = `
resource "terraform_data" "this" {
  input = "${var.greeting}, ${var.name}"

  lifecycle {
    precondition {
      condition     = var.name == "World" || timestamp() == ""
      error_message = "This version fails."
    }
  }
}
`

// rollout is a module that fifty objects have.
type rollout struct {
	*testing.T
	team   platformTeam
	infras []*v1alpha1.Infrastructure
}

// TestRollout upgrades a module that fifty objects have, five at a time: to a version that fails, which
// stops, and to one that mends that. It is not parallel: there is one installation.
func TestRollout(t *testing.T) {
	needsOwnCluster(t, "its node pulls the bundles from a registry on this machine")
	const objects, atATime, maxFailed = 50, 5, 3
	r := rollout{T: t, team: newPlatformTeam(t)}
	t.Cleanup(func() {
		if err := installBundles(context.Background()); err != nil {
			t.Error(err)
		}
	})
	r.install("1.0.0", atATime, maxFailed)
	seen := watchRuns(t, func(run *v1alpha1.Run) bool { return run.Spec.Trigger == v1alpha1.TriggerUpgrade })
	ns := newNamespace(t)
	for i := range objects {
		name := fmt.Sprintf("greeting-%c%c", 'a'+i/26, 'a'+i%26)
		r.infras = append(r.infras, create(t, ns, name, "greeting", map[string]any{"name": name}, orphaned))
	}
	r.waitVersion("1.0.0")

	if err := os.WriteFile(filepath.Join(r.team.library, "greeting", "main.tf"), []byte(failsToApply), 0o600); err != nil {
		t.Fatal(err)
	}
	r.install("1.1.0", atATime, maxFailed)
	stopped := r.waitStopped(atATime, maxFailed)

	good := strings.Replace(failsToApply, "timestamp() == \"\"", "timestamp() != \"\"", 1)
	if err := os.WriteFile(filepath.Join(r.team.library, "greeting", "main.tf"), []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	r.install("1.2.0", atATime, maxFailed)
	eventually(t, time.Minute, "an object says that its turn comes", func(context.Context) (bool, string) {
		waiting := r.reasons()[v1alpha1.ReasonUpgradePending]
		return len(waiting) > 0 && strings.Contains(waiting[0], "Applied greeting 1.0.0; 1.2.0 comes in its turn: ") && strings.Contains(waiting[0], "5 at a time"), fmt.Sprint(waiting)
	})
	r.waitVersion("1.2.0")
	tried := 0
	for _, run := range seen.of(ns) {
		if run.Spec.Module.Version == "1.1.0" && run.Spec.Trigger == v1alpha1.TriggerUpgrade {
			tried++
		}
	}
	if tried != objects-stopped {
		t.Errorf("%d objects have tried the version that fails, want the %d that were not stopped", tried, objects-stopped)
	}
	seen.Lock()
	if seen.most != atATime {
		t.Errorf("%d upgrades were under way at a time, want %d", seen.most, atATime)
	}
	seen.Unlock()

	forgetAll(t, r.infras)
}

// install makes a bundle with a version of the module as it is in the library, and puts it
// in the place of the one before.
func (r rollout) install(version string, atATime, maxFailed int) {
	r.Helper()
	settings := append(bundleSettings(r.team.bundle("team", version)),
		fmt.Sprintf("upgrades.maxConcurrent=%d", atATime), fmt.Sprintf("upgrades.maxFailed=%d", maxFailed),
		"controller.maxConcurrentRuns=0") // as many as the node is for
	if err := stage.Install(r.Context(), settings...); err != nil {
		r.Fatal(err)
	}
}

// waitVersion waits until all objects are in sync with a version.
func (r rollout) waitVersion(version string) {
	r.Helper()
	for _, infra := range r.infras {
		eventually(r.T, 5*time.Minute, fmt.Sprintf("%s is Ready with %s", infra.Name, version), func(context.Context) (bool, string) {
			get(r.T, infra)
			ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
			return ready != nil && ready.Reason == v1alpha1.ReasonInSync && infra.Status.Module != nil && infra.Status.Module.Version == version, fmt.Sprintf("%+v", ready)
		})
	}
}

// reasons are the messages of the objects' Ready, by its reason.
func (r rollout) reasons() map[string][]string {
	r.Helper()
	reasons := map[string][]string{}
	for _, infra := range r.infras {
		get(r.T, infra)
		if ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
			reasons[ready.Reason] = append(reasons[ready.Reason], ready.Message)
		}
	}
	return reasons
}

// waitStopped waits until the upgrade to 1.1.0 has failed for enough objects and all others
// say so, and returns their number.
func (r rollout) waitStopped(atATime, maxFailed int) int {
	r.Helper()
	var stopped int
	eventually(r.T, 4*time.Minute, "the upgrade stops", func(context.Context) (bool, string) {
		reasons := r.reasons()
		stopped = len(reasons[v1alpha1.ReasonUpgradeStopped])
		for _, message := range reasons[v1alpha1.ReasonUpgradeStopped] {
			if !strings.Contains(message, "Applied greeting 1.0.0; the upgrade to 1.1.0 is stopped: ") || !strings.Contains(message, "of 50 failed") {
				return false, message
			}
		}
		// Those that were under way at the third failure go on.
		return stopped <= len(r.infras)-maxFailed && stopped > len(r.infras)-maxFailed-atATime && len(reasons[v1alpha1.ReasonUpgradePending]) == 0, fmt.Sprint(reasons)
	})
	for _, infra := range r.infras {
		ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
		if ready.Reason == v1alpha1.ReasonUpgradeStopped && (ready.Status != metav1.ConditionTrue || infra.Status.Module.Version != "1.0.0") {
			r.Errorf("%s: Ready is %+v with %+v, want it True with 1.0.0", infra.Name, ready, infra.Status.Module)
		}
	}
	return stopped
}
