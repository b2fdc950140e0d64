package infrastructure

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
)

// decideCase is a case of one of decide's tables.
type decideCase struct {
	name   string
	o      *observed
	action action
	reason string
	// message is part of the outcome's.
	message string
}

func (tc decideCase) run(t *testing.T) {
	t.Helper()
	t.Run(tc.name, func(t *testing.T) {
		d := decide(tc.o)
		if d.action != tc.action || d.outcome.Reason() != tc.reason || !strings.Contains(d.outcome.Message(), tc.message) {
			t.Errorf("got action %d, %s: %q; want action %d, %s with %q",
				d.action, d.outcome.Reason(), d.outcome.Message(), tc.action, tc.reason, tc.message)
		}
	})
}

const (
	progress   = v1alpha1.ReasonProgressing
	destroying = v1alpha1.ReasonDestroying
)

func TestDecide_apply(t *testing.T) {
	failed := ended(v1alpha1.RunReasonApplyFailed, time.Second)
	broken := newObserved(newInfra())
	broken.request, broken.fault = nil, status.Stalled(v1alpha1.ReasonInvalidVariables, 0, "bad")
	brokenSuspended := newObserved(newInfra(suspended))
	brokenSuspended.fault = broken.fault
	for _, tc := range []decideCase{
		{"A new object needs a run.", newObserved(newInfra()), startApply, progress, "queue"},
		{"The last run applied what is wanted.", newObserved(newInfra(), newRun(1, succeeded)), keep, v1alpha1.ReasonInSync, "Applied queue 1.0.0"},
		{"Other inputs are wanted than were applied.", newObserved(newInfra(), newRun(1, otherInputs, succeeded)), startApply, progress, ""},
		{"What is wanted was applied once, but something else since.",
			newObserved(newInfra(), newRun(2, otherInputs, succeeded), newRun(1, succeeded)), startApply, progress, ""},
		{"What is wanted was applied once, but something else was tried since.",
			newObserved(newInfra(), newRun(2, otherInputs, failed), newRun(1, succeeded)), startApply, progress, ""},
		{"What was applied was destroyed since.", newObserved(newInfra(), newRun(2, destroy, succeeded), newRun(1, succeeded)), startApply, progress, ""},
		{"A request to reconcile needs a run though all is in sync.", newObserved(newInfra(requested("1")), newRun(1, succeeded)), startApply, progress, ""},
		{"A request is answered once.", newObserved(newInfra(requested("1")), newRun(1, succeeded, func(r *v1alpha1.Run) { r.Spec.ReconcileRequest = "1" })),
			keep, v1alpha1.ReasonInSync, ""},
		{"A request that was answered is remembered when its run is gone.", newObserved(newInfra(requested("1"), func(i *v1alpha1.Infrastructure) {
			i.Status.LastHandledReconcileAt = "1"
		}), newRun(9, succeeded)), keep, v1alpha1.ReasonInSync, ""},
		{"Suspended, nothing is started.", newObserved(newInfra(suspended)), keep, v1alpha1.ReasonSuspended, "spec.suspend"},
		{"Suspended, a request starts nothing.", newObserved(newInfra(suspended, requested("1"))), keep, v1alpha1.ReasonSuspended, ""},
		{"A fault is told.", broken, keep, v1alpha1.ReasonInvalidVariables, "bad"},
		{"Suspended is told rather than a fault.", brokenSuspended, keep, v1alpha1.ReasonSuspended, ""},
		{"A failed run is waited for.", newObserved(newInfra(), newRun(1, failed)), keep, v1alpha1.ReasonRunFailed,
			"Run shop-orders-k-1 failed (ApplyFailed): the message of ApplyFailed. Its log: groundwork logs orders shop-orders-k-1 -n shop, or kubectl -n groundwork-system logs shop-orders-k-1. Next try after 2026-03-01T12:00:"},
		{"A failed run is tried again in time.", newObserved(newInfra(), newRun(1, ended(v1alpha1.RunReasonApplyFailed, time.Minute))), startApply, progress, ""},
		{"A run that found the state locked waits for the lock.", newObserved(newInfra(), newRun(1, ended(v1alpha1.RunReasonLocked, time.Second))),
			keep, v1alpha1.ReasonLocked, "the message of Locked"},
		{"A request tries again at once.", newObserved(newInfra(requested("1")), newRun(1, failed)), startApply, progress, ""},
		{"Other inputs are tried at once.", newObserved(newInfra(), newRun(1, otherInputs, failed)), startApply, progress, ""},
	} {
		tc.run(t)
	}
}

func TestDecide_underWay(t *testing.T) {
	message := func(r *v1alpha1.Run) { r.Status.Message = "Applying 3 of 7" }
	admitted := func(r *v1alpha1.Run) { r.Status.AdmittedAt = &metav1.Time{Time: testNow} }
	waiting := func(r *v1alpha1.Run) { r.Status.Message = "Waiting for a place: 2nd of 3 (8 runs at a time)" }
	faulty := newObserved(newInfra(), newRun(1, otherInputs))
	faulty.request, faulty.fault = nil, status.Stalled(v1alpha1.ReasonInvalidVariables, 0, "bad")
	for _, tc := range []decideCase{
		{"A pending run is waited for.", newObserved(newInfra(), newRun(1)), await, progress, "Apply: Pending"},
		{"A run's progress is shown.", newObserved(newInfra(), newRun(1, applying, message)), await, progress, "Applying 3 of 7"},
		{"A request does not wait behind looks for drift.", newObserved(newInfra(requested("1")), newRun(2, looking), newRun(1, succeeded)), discard, progress, ""},
		{"Nor behind upgrades.", newObserved(newInfra(requested("1")), newRun(1, func(r *v1alpha1.Run) { r.Spec.Trigger = v1alpha1.TriggerUpgrade })), discard, progress, ""},
		{"But a look that has its place goes on.", newObserved(newInfra(requested("1")), newRun(2, looking, admitted), newRun(1, succeeded)), await, v1alpha1.ReasonInSync, ""},
		{"As does what is the request's own.", newObserved(newInfra(requested("1")), newRun(1, func(r *v1alpha1.Run) {
			r.Spec.Trigger, r.Spec.ReconcileRequest = v1alpha1.TriggerRetry, "1"
		})), await, progress, ""},
		{"A run that waits tells its place.", newObserved(newInfra(), newRun(1, waiting)), await, progress, "Waiting for a place: 2nd of 3"},
		{"So does a destroy.", newObserved(newInfra(deleting), newRun(1, destroy, waiting)), await, destroying, "Waiting for a place: 2nd of 3"},
		{"A look for drift that waits leaves the object Ready.", newObserved(newInfra(), newRun(2, looking, waiting), newRun(1, succeeded)), await, v1alpha1.ReasonInSync, "looking for drift"},
		{"A run under way goes on when suspended.", newObserved(newInfra(suspended), newRun(1)), await, progress, ""},
		{"A run under way goes on with a request.", newObserved(newInfra(requested("1")), newRun(1)), await, progress, ""},
		{"A run that no pod has taken is discarded when other inputs are wanted.", newObserved(newInfra(), newRun(1, otherInputs)), discard, progress, "Starting over"},
		{"A run that a pod has taken goes on when other inputs are wanted.", newObserved(newInfra(), newRun(1, otherInputs, taken)), await, progress, ""},
		{"A run goes on when the object has a fault by now.", faulty, await, progress, ""},
		{"A destroy that no pod has taken is discarded for an object that is there again.", newObserved(newInfra(), newRun(1, destroy)), discard, progress, ""},
		{"A destroy that a pod has taken goes on for an object that is there again.", newObserved(newInfra(), newRun(1, destroy, taken)), await, progress, ""},
		{"An apply that no pod has taken is discarded by a deletion.", newObserved(newInfra(deleting), newRun(1)), discard, destroying, ""},
		{"An apply that a pod has taken is waited for by a deletion.", newObserved(newInfra(deleting), newRun(1, applying)), await, destroying, ""},
		{"A destroy is waited for by a deletion.", newObserved(newInfra(deleting), newRun(1, destroy)), await, destroying, "Destroy: Pending"},
	} {
		tc.run(t)
	}
}

// The progress of a run that takes minutes says how many.
func TestUsually(t *testing.T) {
	database := modules.Manifest{Durations: &modules.Durations{Create: metav1.Duration{Duration: 10 * time.Minute}, Destroy: metav1.Duration{Duration: 8 * time.Minute}}}
	quick := modules.Manifest{Durations: &modules.Durations{Create: metav1.Duration{Duration: 5 * time.Second}, Destroy: metav1.Duration{Duration: 5 * time.Second}}}
	made := func(i *v1alpha1.Infrastructure) { i.Status.Outputs = &v1alpha1.OutputsStatus{} }
	admittedAt := func(r *v1alpha1.Run) {
		r.Status.AdmittedAt = &metav1.Time{Time: time.Date(2026, 1, 2, 4, 5, 6, 0, time.UTC)}
	}
	at := func(r *v1alpha1.Run) { r.CreationTimestamp = metav1.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	for _, tc := range []struct {
		name   string
		o      *observed
		module modules.Manifest
		want   string
	}{
		{"A create.", newObserved(newInfra(), newRun(1, taken, at)), database, "Apply: Planning (usually takes 10m, began at 03:04:05)"},
		{"A run that waits for a place has not begun.", newObserved(newInfra(), newRun(1, at)), database, "Apply: Pending"},
		{"An admitted run began then.", newObserved(newInfra(), newRun(1, at, admittedAt)), database, "Apply: Pending (usually takes 10m, began at 04:05:06)"},
		{"A destroy.", newObserved(newInfra(deleting, made), newRun(1, destroy, taken, at)), database, "Destroy: Planning (usually takes 8m, began at 03:04:05)"},
		{"A change may take any time.", newObserved(newInfra(made), newRun(1, taken, at)), database, "Apply: Planning"},
		{"A quick module.", newObserved(newInfra(), newRun(1, taken, at)), quick, "Apply: Planning"},
		{"A module that does not say.", newObserved(newInfra(), newRun(1, taken, at)), modules.Manifest{}, "Apply: Planning"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.o.module = tc.module
			if got := decide(tc.o).outcome.Message(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDecide_destroy(t *testing.T) {
	empty, full := &state.State{}, &state.State{Resources: 2}
	gone := newInfra(deleting)
	applied, destroyed := newRun(1, applying, succeeded), newRun(2, destroy, succeeded)
	failed := newRun(2, destroy, ended(v1alpha1.RunReasonApplyFailed, time.Second))
	for _, tc := range []decideCase{
		{"Nothing was ever applied.", newObserved(gone), forget, destroying, "Nothing"},
		{"A run that touched nothing has left an empty state.",
			leaves(newObserved(gone, newRun(1, ended(v1alpha1.RunReasonPlanFailed, time.Second))), false, empty), forget, destroying, "Nothing"},
		{"What is applied is destroyed.", leaves(newObserved(gone, applied), true, full), startDestroy, destroying, ""},
		{"What is applied is destroyed even if its runs are gone.", leaves(newObserved(gone), true, full), startDestroy, destroying, ""},
		{"An apply that failed half-way is destroyed.",
			leaves(newObserved(gone, newRun(1, applying, ended(v1alpha1.RunReasonPodLost, time.Second))), true, full), startDestroy, destroying, ""},
		{"An apply that was about to start is destroyed though its state is empty: the state may be behind.",
			leaves(newObserved(gone, newRun(1, taken, ended(v1alpha1.RunReasonPodLost, time.Second))), true, empty), startDestroy, destroying, ""},
		{"All is destroyed.", leaves(newObserved(gone, destroyed, applied), true, empty), forget, destroying, "Destroyed"},
		{"All is destroyed, and forgotten in part.", newObserved(gone, destroyed, applied), forget, destroying, "Destroyed"},
		{"A state that was put back after a destroy is destroyed again.", leaves(newObserved(gone, destroyed, applied), true, full), startDestroy, destroying, ""},
		{"A snapshot that is gone needs a person.", leaves(newObserved(gone, applied), false, full), keep, v1alpha1.ReasonStateMissing, "Secret groundwork-snapshot-shop-orders-k"},
		{"A snapshot and a state that are gone need a person.", newObserved(gone, applied), keep, v1alpha1.ReasonStateMissing, "groundwork-snapshot-"},
		{"A state with resources that nothing tells of needs a person.", leaves(newObserved(gone), false, full), keep, v1alpha1.ReasonStateMissing, "groundwork-snapshot-"},
		{"A state that is gone needs a person.", leaves(newObserved(gone, applied), true, nil), keep, v1alpha1.ReasonStateMissing, "tfstate-default-shop-orders-k"},
		{"Suspended, nothing is destroyed.", leaves(newObserved(newInfra(deleting, suspended), applied), true, full), keep, v1alpha1.ReasonSuspended, "spec.suspend"},
		{"Suspended, what is destroyed is forgotten.", leaves(newObserved(newInfra(deleting, suspended), destroyed), true, empty), forget, destroying, ""},
		{"Protected, nothing is destroyed.", leaves(newObserved(newInfra(deleting, protected), applied), true, full), keep, v1alpha1.ReasonProtected, "set it to Delete to go on"},
		{"Protected, what has nothing is forgotten.", newObserved(newInfra(deleting, protected)), forget, destroying, "Nothing"},
		{"Protected, a destroy under way goes on.", newObserved(newInfra(deleting, protected), newRun(2, destroy, taken), applied), await, destroying, ""},
		{"A failed destroy is waited for.", leaves(newObserved(gone, failed, applied), true, full), keep, v1alpha1.ReasonRunFailed, "shop-orders-k-2"},
		{"A failed apply does not delay the destroy.",
			leaves(newObserved(gone, newRun(1, applying, ended(v1alpha1.RunReasonApplyFailed, time.Second))), true, full), startDestroy, destroying, ""},
		{"A request destroys again at once.", leaves(newObserved(newInfra(deleting, requested("1")), failed, applied), true, full), startDestroy, destroying, ""},
	} {
		tc.run(t)
	}
}

func TestFailures(t *testing.T) {
	failed := ended(v1alpha1.RunReasonApplyFailed, time.Second)
	answers := func(value string) func(*v1alpha1.Run) {
		return func(r *v1alpha1.Run) { r.Spec.ReconcileRequest = value }
	}
	generation := func(n int64) func(*v1alpha1.Run) {
		return func(r *v1alpha1.Run) { r.Spec.Infrastructure.Generation = n }
	}
	for _, tc := range []struct {
		name  string
		infra *v1alpha1.Infrastructure
		runs  []v1alpha1.Run
		want  int
	}{
		{"There was none.", newInfra(), nil, 0},
		{"Those in a row count.", newInfra(), []v1alpha1.Run{newRun(3, failed), newRun(2, failed), newRun(1, failed)}, 3},
		{"A success ends the row.", newInfra(), []v1alpha1.Run{newRun(3, failed), newRun(2, succeeded), newRun(1, failed)}, 1},
		{"A run of another kind ends the row.", newInfra(), []v1alpha1.Run{newRun(3, failed), newRun(2, failed, destroy), newRun(1, failed)}, 1},
		{"Another generation ends the row.", newInfra(), []v1alpha1.Run{newRun(3, failed), newRun(2, failed, generation(7)), newRun(1, failed)}, 1},
		{"Another object of the same name ends the row.", newInfra(), []v1alpha1.Run{newRun(3, failed),
			newRun(2, failed, func(r *v1alpha1.Run) { r.Spec.Infrastructure.UID = "other" })}, 1},
		{"A run that answers a request starts the row.", newInfra(requested("1")), []v1alpha1.Run{newRun(3, failed), newRun(2, failed, answers("1")), newRun(1, failed)}, 2},
		{"A request that is not answered yet starts afresh.", newInfra(requested("2")), []v1alpha1.Run{newRun(3, failed), newRun(2, failed, answers("1"))}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			same := func(r *v1alpha1.Run) bool { return r.Spec.Operation == v1alpha1.OperationApply }
			if got := len(failures(newObserved(tc.infra, tc.runs...), same)); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestHoldOff(t *testing.T) {
	failures := func(n int, modify ...func(*v1alpha1.Run)) []v1alpha1.Run {
		var runs []v1alpha1.Run
		for i := n; i > 0; i-- {
			runs = append(runs, newRun(i, append([]func(*v1alpha1.Run){ended(v1alpha1.RunReasonApplyFailed, 10*time.Second)}, modify...)...))
		}
		return runs
	}
	for _, tc := range []struct {
		name   string
		failed []v1alpha1.Run
		after  time.Duration
		want   string
		person bool
	}{
		{"Nothing has failed.", nil, 0, "", false},
		{"The first failure is waited for.", failures(1), 0, v1alpha1.ReasonRunFailed, false},
		{"The wait is over.", failures(1), 10 * time.Second, "", false},
		{"The fourth failure waits longer than the first.", failures(4), 10 * time.Minute, v1alpha1.ReasonRunFailed, false},
		{"Its wait is over.", failures(4), 20 * time.Minute, "", false},
		{"After the fifth, a person is needed.", failures(5), 0, v1alpha1.ReasonRetriesExhausted, true},
		{"It is tried every hour all the same.", failures(5), 2 * time.Hour, "", false},
		{"After the sixth, a person is needed still.", failures(6), 0, v1alpha1.ReasonRetriesExhausted, true},
		{"A lock needs nobody, however long it is held.", failures(6, ended(v1alpha1.RunReasonLocked, time.Second)), 0, v1alpha1.ReasonLocked, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := newObserved(newInfra())
			o.now = testNow.Add(tc.after)
			d, hold := holdOff(o, tc.failed)
			if hold != (tc.want != "") || hold && (d.action != keep || d.outcome.Reason() != tc.want || d.outcome.NeedsPerson() != tc.person) {
				t.Fatalf("got %t, %s (a person: %t); want %q (a person: %t)", hold, d.outcome.Reason(), d.outcome.NeedsPerson(), tc.want, tc.person)
			}
			if result, err := d.outcome.Result(); hold && (err != nil || result.RequeueAfter <= 0) {
				t.Errorf("result %v, %v: nobody would look again", result, err)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for _, tc := range []struct {
		name string
		n    int
		want time.Duration
	}{
		{"The first is 15 s.", 1, 15 * time.Second},
		{"It grows fourfold.", 2, time.Minute},
		{"The fourth is 15 min and no more.", 4, 15 * time.Minute},
		{"The fifth is an hour.", 5, time.Hour},
		{"Any other is an hour.", 500, time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			seen := map[time.Duration]bool{}
			for n := range 50 {
				run := newRun(n)
				got := retryAfter(tc.n, &run)
				if got < tc.want || got > tc.want+tc.want/5 {
					t.Errorf("got %s, want %s and up to a fifth more", got, tc.want)
				}
				if got != retryAfter(tc.n, &run) {
					t.Error("the time changes from one look to the next")
				}
				seen[got] = true
			}
			if len(seen) < 25 {
				t.Errorf("50 runs have %d different times: they would come back at once", len(seen))
			}
		})
	}
}

func TestDecide_cancel(t *testing.T) {
	cancels := func(run string) func(*v1alpha1.Infrastructure) {
		return func(i *v1alpha1.Infrastructure) {
			i.Annotations = map[string]string{v1alpha1.AnnotationCancel: run}
		}
	}
	asked := func(r *v1alpha1.Run) { r.Status.CancelRequested = true }
	cancelled := ended(v1alpha1.RunReasonCancelled, time.Second)
	for _, tc := range []decideCase{
		{"The run under way is cancelled.", newObserved(newInfra(cancels("shop-orders-k-1")), newRun(1, applying)), cancel, progress, ""},
		{"It is cancelled once.", newObserved(newInfra(cancels("shop-orders-k-1")), newRun(1, applying, asked)), await, progress, ""},
		{"Another run is not.", newObserved(newInfra(cancels("shop-orders-k-1")), newRun(2, applying)), await, progress, ""},
		{"A destroy is cancelled too.", newObserved(newInfra(deleting, cancels("shop-orders-k-1")), newRun(1, destroy, taken)), cancel, destroying, ""},
		{"No other is started.", newObserved(newInfra(), newRun(1, cancelled)), keep, v1alpha1.ReasonCancelled, "reconcile.fluxcd.io/requestedAt"},
		{"But for a request.", newObserved(newInfra(requested("1")), newRun(1, cancelled)), startApply, progress, ""},
		{"Or another spec.", newObserved(newInfra(), newRun(1, otherInputs, cancelled)), startApply, progress, ""},
		{"Nor another destroy.", leaves(newObserved(newInfra(deleting), newRun(2, destroy, cancelled), newRun(1, succeeded)), true, &state.State{Resources: 1}), keep, v1alpha1.ReasonCancelled, ""},
	} {
		tc.run(t)
	}
}

func TestDecide_orphan(t *testing.T) {
	orphaned := func(i *v1alpha1.Infrastructure) {
		i.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan
		deleting(i)
	}
	for _, tc := range []decideCase{
		{"The resources are left.", leaves(newObserved(newInfra(orphaned), newRun(1, succeeded)), true, &state.State{Resources: 1}), orphan, destroying, ""},
		{"Even when it is suspended.", leaves(newObserved(newInfra(orphaned, suspended), newRun(1, succeeded)), true, &state.State{Resources: 1}), orphan, destroying, ""},
		{"A run under way comes to its end.", newObserved(newInfra(orphaned), newRun(1, applying)), await, destroying, ""},
		{"Where nothing is, nothing is left.", newObserved(newInfra(orphaned)), forget, destroying, ""},
	} {
		tc.run(t)
	}
}

func TestDecide_policy(t *testing.T) {
	denied := func(ago time.Duration) func(*v1alpha1.Run) { return ended(v1alpha1.RunReasonPolicyDenied, ago) }
	for _, tc := range []decideCase{
		{"What a policy denies needs a person.", newObserved(newInfra(), newRun(1, denied(10*time.Minute))), keep, v1alpha1.ReasonPolicyDenied, "the message of PolicyDenied"},
		{"The policy may have changed.", newObserved(newInfra(), newRun(1, denied(2*time.Hour))), startApply, progress, ""},
		{"Or the spec.", newObserved(newInfra(), newRun(1, otherInputs, denied(time.Minute))), startApply, progress, ""},
		{"Policies that do not compile are mended without the object.", newObserved(newInfra(), newRun(1, ended(v1alpha1.RunReasonPolicyInvalid, time.Second))), keep, v1alpha1.ReasonRunFailed, "PolicyInvalid"},
	} {
		tc.run(t)
	}
}
