package infrastructure

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/state"
)

// history lists the copies of the object's state, newest first, as "serial run".
func (e *env) history() []string {
	e.Helper()
	copies, err := state.NewStore(apiServer, e.system).History(e.Context(), e.key())
	e.must(err)
	var all []string
	for _, c := range copies {
		all = append(all, fmt.Sprintf("%d %s", c.Serial, strings.TrimPrefix(c.Run, e.key()+"-")))
	}
	return all
}

func (e *env) wantHistory(want ...string) {
	e.Helper()
	if diff := cmp.Diff(want, e.history()); diff != "" {
		e.Errorf("copies of the state (-want +got):\n%s", diff)
	}
}

// restart is the same world with a controller that has just started.
func (e *env) restart() {
	e.r = New(Options{
		Client: e.api, Secrets: e.api, Live: e.api.live(), State: state.NewStore(e.api.live(), e.system),
		Catalogue: library(e.T), Recorder: e.recorder, Clock: e.clock, Metrics: e.metrics, Namespace: e.system,
	})
}

// asks asks for another run, which begins.
func (e *env) asks(value string) {
	e.Helper()
	e.update(func(infra *v1alpha1.Infrastructure) {
		infra.Annotations = map[string]string{v1alpha1.AnnotationReconcile: value}
	})
	e.reconcile()
}

// TestReconcile_copies has a copy of the state after each run that has changed it.
func TestReconcile_copies(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.wantHistory("1 1")
	for n := range 4 {
		e.asks(fmt.Sprint(n))
		e.serial = int64(2 * (n + 1))
		e.succeed(queueOutputs())
		e.reconcile()
	}
	e.wantHistory("8 5", "6 4", "4 3")

	// A run that fails half-way has changed the state as well.
	e.asks("fails")
	e.begin(e.last())
	e.serial = 9
	e.writeState(2, queueOutputs())
	e.finish(e.last(), v1alpha1.RunReasonApplyFailed, "half-way")
	e.reconcile()
	e.wantHistory("9 6", "8 5", "6 4")

	// The controller was away when a run ended: the copy is made before the next begins.
	e.asks("away")
	e.serial = 12
	e.succeed(queueOutputs())
	e.restart()
	e.asks("next")
	e.wantRuns(8)
	e.wantHistory("12 7", "9 6", "8 5")

	// Somebody has changed the state by hand since.
	e.succeed(queueOutputs())
	e.reconcile()
	e.serial = 20
	e.writeState(1, queueOutputs())
	e.asks("by hand")
	e.wantHistory("20 ", "12 7", "9 6")
}

// TestReconcile_copies_gone has the copies go with the object, but not with Orphan.
func TestReconcile_copies_gone(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.delete()
	e.reconcile()
	e.serial = 2
	e.succeed(nil)
	e.reconcile()
	if !e.gone() || len(e.history()) > 0 {
		t.Errorf("the object is gone: %t; copies are left: %v", e.gone(), e.history())
	}
	o := e.of("orphan")
	o.ready(func(infra *v1alpha1.Infrastructure) { infra.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan })
	o.delete()
	o.reconcile()
	if !o.gone() {
		t.Error("the orphan's object is not gone")
	}
	o.wantHistory("2 1")
}

// TestReconcile_copies_cost reads a state for its copy once, and not again after a
// restart.
func TestReconcile_copies_cost(t *testing.T) {
	e := newEnv(t)
	e.ready()
	reads := 0
	e.api.list = func(cached bool, list client.ObjectList) {
		if _, secrets := list.(*corev1.SecretList); secrets && !cached {
			reads++
		}
	}
	e.reconcile()
	usual := reads // the outputs are compared with the state
	e.restart()
	reads = 0
	e.reconcile()
	if reads != usual {
		t.Errorf("a reconcile after a restart reads the state %d times, want %d", reads, usual)
	}
}

// TestReconcile_copies_fail goes on when no copy can be made, tells of it once, and
// tries again.
func TestReconcile_copies_fail(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	e.succeed(queueOutputs())
	e.api.fail = func(_ int, write string) (bool, bool) {
		return strings.HasPrefix(write, "create Secret groundwork-state-"), false
	}
	result := e.reconcile()
	e.want(v1alpha1.ReasonInSync)
	e.wantEvent("StateNotKept")
	if result.RequeueAfter == 0 || result.RequeueAfter > time.Minute {
		t.Errorf("the next try is after %s", result.RequeueAfter)
	}
	e.reconcile()
	if n := len(e.recorder.Events); n > 0 {
		t.Errorf("the same failure is told again: %q", <-e.recorder.Events)
	}
	// It hinders no run.
	e.asks("next")
	e.wantRuns(2)
	e.api.fail = nil
	e.serial = 2
	e.succeed(queueOutputs())
	e.reconcile()
	e.wantHistory("2 2")
}

func TestCopies_note(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", errors.New("no role"))
	var c copies
	for i, step := range []struct {
		run   string
		err   error
		fresh bool
	}{
		{"1", nil, false},
		{"2", forbidden, true},
		{"2", forbidden, false},
		{"2", fmt.Errorf("read: %w", state.ErrUnreadable), true},
		{"2", nil, false},
		{"3", fmt.Errorf("read: %w", state.ErrUnreadable), true},
	} {
		if fresh := c.note("key", step.run, step.err); fresh != step.fresh {
			t.Errorf("step %d: note() = %t, want %t", i, fresh, step.fresh)
		}
	}
	if c.kept["key"] != "2" {
		t.Errorf("kept is %q, want the last run that did not fail", c.kept["key"])
	}
	c.forget("key")
	if len(c.kept)+len(c.failed) > 0 {
		t.Errorf("after forget() there is %v, %v", c.kept, c.failed)
	}
}

func TestPrunable(t *testing.T) {
	failed := func(run *v1alpha1.Run) { ended(v1alpha1.RunReasonApplyFailed, time.Hour)(run) }
	// series are n Runs from the number downwards, newest first.
	series := func(from, n int, modify ...func(*v1alpha1.Run)) (runs []v1alpha1.Run) {
		for i := range n {
			runs = append(runs, newRun(from-i, modify...))
		}
		return runs
	}
	cases := map[string]struct {
		runs       [][]v1alpha1.Run
		superseded []v1alpha1.Run
		want       []int
	}{
		"None.":                               {nil, nil, nil},
		"Ten changes are kept.":               {[][]v1alpha1.Run{series(10, 10, succeeded)}, nil, nil},
		"The oldest go.":                      {[][]v1alpha1.Run{series(12, 12, succeeded)}, nil, []int{2, 1}},
		"Failed ones are kept for longer.":    {[][]v1alpha1.Run{series(20, 10, succeeded), series(10, 3, failed), series(7, 2, succeeded)}, nil, []int{7, 6}},
		"The newest ten of them.":             {[][]v1alpha1.Run{series(40, 6, failed), series(34, 10, succeeded), series(24, 6, failed)}, nil, []int{30, 29, 28, 27, 26, 25, 20, 19}},
		"Ten failed ones are among the ten.":  {[][]v1alpha1.Run{series(20, 10, failed), series(10, 2, failed), series(8, 1, succeeded), series(7, 1, succeeded)}, nil, []int{10, 9, 7}},
		"What is applied stays.":              {[][]v1alpha1.Run{series(30, 12, failed), series(18, 1, succeeded)}, nil, []int{20, 19}},
		"Looks for drift have their own five": {[][]v1alpha1.Run{series(30, 8, looking, succeeded), series(22, 10, succeeded)}, nil, []int{25, 24, 23}},
		"Failed looks are not kept longer.":   {[][]v1alpha1.Run{series(30, 8, looking, failed), series(22, 10, succeeded)}, nil, []int{25, 24, 23}},
		"Superseded ones go at once.":         {[][]v1alpha1.Run{series(3, 1, succeeded)}, series(2, 1), []int{2}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := newObserved(newInfra())
			for _, runs := range c.runs {
				o.runs = append(o.runs, runs...)
			}
			o.superseded = c.superseded
			var got []int
			for _, run := range prunable(o) {
				got = append(got, runNumber(&run))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("prunable (-want +got):\n%s", diff)
			}
		})
	}
}
