//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
	"github.com/groundwork-dev/groundwork/state"
)

// wantUsable checks that a run that was stopped has left a state with what it had
// made, and no lock.
func wantUsable(t *testing.T, infra *v1alpha1.Infrastructure, run *v1alpha1.Run, reason v1alpha1.RunReason) {
	t.Helper()
	eventually(t, time.Minute, "the run is over", func(context.Context) (bool, string) {
		get(t, run)
		return run.Status.Phase.Finished(), string(run.Status.Phase)
	})
	if run.Status.Reason != reason {
		t.Errorf("reason: got %s (%s), want %s", run.Status.Reason, run.Status.Message, reason)
	}
	store, key := state.NewStore(stage.Client, devenv.Namespace), state.Key(infra.Namespace, infra.Name)
	if lock, err := store.Lock(t.Context(), key); err != nil || lock != nil {
		t.Errorf("the lock must be released, got %+v, %v", lock, err)
	}
	if saved, err := store.Read(t.Context(), key); err != nil || saved.Resources == 0 {
		t.Errorf("the state must hold the first step, got %+v, %v", saved, err)
	}
}

// firstStep waits until the first of the steps of the module slow is made.
func firstStep(t *testing.T, run *v1alpha1.Run) {
	t.Helper()
	eventually(t, time.Minute, "the first step is made", func(context.Context) (bool, string) {
		get(t, run)
		return strings.Contains(run.Status.Message, "step_2"), run.Status.Message
	})
}

// A run that is cancelled ends gracefully, and no other is started before one is
// asked for.
func TestCancel(t *testing.T) {
	t.Parallel()
	infra := create(t, newNamespace(t), "slow", "slow", map[string]any{"seconds": 60})
	run := waitApplying(t, infra)
	firstStep(t, run)
	annotate(t, infra, "", v1alpha1.AnnotationCancel, run.Name)
	waitCondition(t, infra, time.Minute, v1alpha1.ConditionStalled, v1alpha1.ReasonCancelled)
	wantUsable(t, infra, run, v1alpha1.RunReasonCancelled)
	if all := runs(t, infra); len(all) != 1 {
		t.Errorf("another run was started: %+v", all)
	}
	update(t, infra, func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values(t, map[string]any{"seconds": 0}) })
	waitReady(t, infra, 2*time.Minute)
	remove(t, infra, time.Minute)
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	infra := create(t, newNamespace(t), "slow", "slow", map[string]any{"seconds": 90}, func(i *v1alpha1.Infrastructure) {
		i.Spec.Timeout = metav1.Duration{Duration: 45 * time.Second}
	})
	run := waitApplying(t, infra)
	firstStep(t, run)
	wantUsable(t, infra, run, v1alpha1.RunReasonTimedOut)
	eventually(t, time.Minute, "the message says where the log is", func(context.Context) (bool, string) {
		get(t, infra)
		c := infra.Status.Conditions
		return len(c) > 0 && strings.Contains(c[0].Message, "kubectl -n "+devenv.Namespace+" logs "+run.Name), fmt.Sprintf("%+v", c)
	})
	update(t, infra, func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values(t, map[string]any{"seconds": 0}) })
	waitReady(t, infra, 2*time.Minute)
	remove(t, infra, time.Minute)
}
