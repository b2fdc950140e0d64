package infrastructure

import (
	"fmt"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/state"
)

// held tells whether the state's lock is held.
func (e *env) held() bool {
	e.Helper()
	lease := &coordinationv1.Lease{}
	e.must(apiServer.Get(e.Context(), client.ObjectKey{Namespace: e.system, Name: state.LeaseName(e.key())}, lease))
	return lease.Spec.HolderIdentity != nil
}

// A run was lost and the next one is due; someone holds the lock.
func TestReconciler_lock(t *testing.T) {
	for _, tc := range []struct {
		name string
		lock func(e *env)
		// broken is whether the lock is broken and the next run started.
		broken bool
		reason string
		parts  []string
	}{
		{"The pod of a run that is gone has its lock broken.", func(e *env) { e.lock("root@" + runName(e.key(), 1)) },
			true, v1alpha1.ReasonProgressing, nil},
		{"The pod of a run that is still there has its lock broken once it is gone.", func(e *env) {
			e.lock("root@" + runName(e.key(), 1))
			e.newPod(e.last())
			e.reconcile()
			e.want(v1alpha1.ReasonProgressing, "Waiting for the pod of an earlier run")
			if !e.held() {
				e.Error("the lock was broken while the pod was there")
			}
			e.reapPods()
		}, true, v1alpha1.ReasonProgressing, nil},
		{"A person's lock is left alone.", func(e *env) { e.lock("ann@laptop") },
			false, v1alpha1.ReasonLocked, []string{"ann@laptop", "since 2026-01-02T03:04:05Z", "OperationTypeApply", "lock 1"}},
		{"The lock of a pod of another object's name is left alone.", func(e *env) { e.lock("root@" + runName("shop-other-k", 1)) },
			false, v1alpha1.ReasonLocked, []string{"shop-other-k-1"}},
		{"The lock of a run that nobody knows is left alone.", func(e *env) { e.lock("root@" + runName(e.key(), 7)) },
			false, v1alpha1.ReasonLocked, nil},
		{"A lock that does not say whose it is is left alone.", func(e *env) { e.lock("") }, false, v1alpha1.ReasonLocked, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.create()
			e.reconcile()
			e.begin(e.last())
			e.writeState(1, nil)
			e.finish(e.last(), v1alpha1.RunReasonPodLost, "gone")
			e.pass(maxRetry)
			tc.lock(e)
			result := e.reconcile()
			e.want(tc.reason, tc.parts...)
			if e.held() == tc.broken {
				t.Errorf("the lock is held: %t", e.held())
			}
			if n := testenv.Metric(t, e.metrics, "groundwork_locks_broken_total"); (n == 1) != tc.broken {
				t.Errorf("%v locks were counted", n)
			}
			if tc.broken {
				e.wantRuns(2)
				e.wantEvent("LockBroken")
				return
			}
			e.wantRuns(1)
			if result.RequeueAfter <= 0 {
				t.Error("nobody would look again")
			}
			// It is released.
			e.writeState(1, nil)
			e.reconcile()
			e.wantRuns(2)
		})
	}
}

// A foreign lock is waited for by a destroy, and by a forget that would remove the
// state under its holder.
func TestReconciler_deleteLocked(t *testing.T) {
	t.Run("A destroy waits.", func(t *testing.T) {
		e := newEnv(t)
		e.ready()
		e.delete()
		e.lock("ann@laptop")
		e.reconcile()
		e.want(v1alpha1.ReasonLocked, "ann@laptop")
		e.wantRuns(1)
	})
	t.Run("A forget waits, and removes nothing.", func(t *testing.T) {
		e := newEnv(t)
		e.ready()
		e.delete()
		e.reconcile()
		e.succeed(nil)
		e.lock("ann@laptop")
		left := fmt.Sprint(requestsOf(e))
		e.reconcile()
		e.want(v1alpha1.ReasonLocked, "ann@laptop")
		e.wantRuns(2)
		if got := fmt.Sprint(requestsOf(e)); got != left {
			t.Errorf("Secrets are %s, were %s", got, left)
		}
		e.writeState(0, nil)
		e.reconcile()
		e.wantNothingLeft()
	})
}

// The start of a destroy that breaks off anywhere is taken up again.
func TestReconciler_destroyInterrupted(t *testing.T) {
	for _, done := range []bool{false, true} {
		for n := range 3 {
			e := newEnv(t)
			e.ready()
			e.delete()
			e.api.forgetWrites()
			e.api.fail = func(i int, _ string) (bool, bool) { return i == n, done }
			if _, err := e.tryReconcile(); err == nil {
				t.Fatalf("write %d has not failed: %q", n, e.api.writes)
			}
			e.api.fail = nil
			e.reconcile()
			e.wantRuns(2)
			if req := e.request(e.last()); req.Operation != v1alpha1.OperationDestroy {
				t.Errorf("write %d failed (done: %t): the request is to %s", n, done, req.Operation)
			}
			e.succeed(nil)
			e.reconcile()
			e.wantNothingLeft()
		}
	}
}
