package main

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func TestJudge(t *testing.T) {
	object := func(modify ...func(*v1alpha1.Infrastructure)) *v1alpha1.Infrastructure {
		infra := &v1alpha1.Infrastructure{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
		infra.Status.ObservedGeneration = 2
		setReady(infra, metav1.ConditionTrue, v1alpha1.ReasonInSync, "")
		for _, m := range modify {
			m(infra)
		}
		return infra
	}
	deleted := func(infra *v1alpha1.Infrastructure) { infra.DeletionTimestamp = &metav1.Time{Time: time.Now()} }
	stale := func(infra *v1alpha1.Infrastructure) { infra.Status.ObservedGeneration = 1 }
	asked := func(infra *v1alpha1.Infrastructure) { annotate(infra, v1alpha1.AnnotationReconcile, "now") }
	looked := func(infra *v1alpha1.Infrastructure) { infra.Status.LastHandledReconcileAt = "now" }
	approved := func(infra *v1alpha1.Infrastructure) { annotate(infra, v1alpha1.AnnotationApprove, "plan-1") }
	suspended := func(infra *v1alpha1.Infrastructure) { infra.Spec.Suspend = true }
	stall := func(reason string) func(*v1alpha1.Infrastructure) {
		return func(infra *v1alpha1.Infrastructure) { setStalled(infra, reason, "") }
	}
	ready := func(status metav1.ConditionStatus, reason string) func(*v1alpha1.Infrastructure) {
		return func(infra *v1alpha1.Infrastructure) { setReady(infra, status, reason, "") }
	}
	cases := map[string]struct {
		infra *v1alpha1.Infrastructure
		goal  goal
		want  verdict
	}{
		"Ready.":                             {object(), goalReady, reached},
		"Ready for an earlier generation.":   {object(stale), goalReady, pending},
		"Stalled for an earlier generation.": {object(stale, stall(v1alpha1.ReasonInvalidVariables)), goalReady, pending},
		"A run is under way.":                {object(ready(metav1.ConditionUnknown, v1alpha1.ReasonProgressing)), goalReady, pending},
		"A run failed and is tried again.":   {object(ready(metav1.ConditionFalse, v1alpha1.ReasonRunFailed)), goalReady, pending},
		"Nobody has looked.":                 {&v1alpha1.Infrastructure{Status: v1alpha1.InfrastructureStatus{ObservedGeneration: -1}}, goalReady, pending},
		"Stalled.":                           {object(stall(v1alpha1.ReasonInvalidVariables)), goalReady, stalled},
		"A plan waits.":                      {object(waiting), goalReady, needsApproval},
		"A plan is approved, and nobody has looked since.":       {object(waiting, approved), goalReady, pending},
		"Ready, and a plan is approved that puts drift back.":    {object(waiting, approved, ready(metav1.ConditionTrue, v1alpha1.ReasonInSync)), goalReady, pending},
		"Ready, and drift was found.":                            {object(waiting, ready(metav1.ConditionTrue, v1alpha1.ReasonInSync)), goalReady, reached},
		"Ready, and a run is asked for.":                         {object(asked), goalReady, pending},
		"Ready and suspended, and a run is asked for.":           {object(asked, suspended), goalReady, reached},
		"Stalled, and a run is asked for.":                       {object(asked, stall(v1alpha1.ReasonStateMissing)), goalReady, pending},
		"A wrong variable is not mended by asking for a run.":    {object(asked, looked, stall(v1alpha1.ReasonInvalidVariables)), goalReady, stalled},
		"Stalled with a plan that was approved.":                 {object(waiting, approved, stall(v1alpha1.ReasonInvalidVariables)), goalReady, stalled},
		"What is being deleted is never ready.":                  {object(deleted), goalReady, lost},
		"What is not there is never ready.":                      {nil, goalReady, lost},
		"Gone.":                                                  {nil, goalGone, reached},
		"Being deleted.":                                         {object(deleted, ready(metav1.ConditionUnknown, v1alpha1.ReasonDestroying)), goalGone, pending},
		"The destroy is stalled.":                                {object(deleted, stall(v1alpha1.ReasonStateMissing)), goalGone, stalled},
		"Stalled, and somebody may delete it yet.":               {object(stall(v1alpha1.ReasonInvalidVariables)), goalGone, pending},
		"Being deleted, still with the Ready of a moment before": {object(deleted), goalGone, pending},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := judge(c.infra, c.goal); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestWait(t *testing.T) {
	w := newWorld(t)
	w.create("ready")
	w.create("stalled", func(infra *v1alpha1.Infrastructure) {
		setStalled(infra, v1alpha1.ReasonInvalidVariables, "no variable x")
	})
	w.create("asks", waiting)
	w.create("runs", func(infra *v1alpha1.Infrastructure) {
		setReady(infra, metav1.ConditionUnknown, v1alpha1.ReasonProgressing, "Applying 1 of 3")
	})
	cases := map[string]struct {
		args []string
		code int
		want string
	}{
		"It is ready.":                 {[]string{"wait", "ready"}, 0, "ready is ready.\n"},
		"It is gone.":                  {[]string{"wait", "nothing", "--for", "gone"}, 0, "nothing is gone.\n"},
		"It was never there.":          {[]string{"wait", "nothing"}, 1, `there is no Infrastructure "nothing"`},
		"It is stalled.":               {[]string{"wait", "stalled"}, 4, "Ready is False, InvalidVariables: no variable x"},
		"It waits for approval.":       {[]string{"wait", "asks"}, 5, "waits for approval of plan plan-1"},
		"The time is up.":              {[]string{"wait", "runs", "--timeout", "200ms"}, 3, "the time was up after 200ms: Ready is Unknown, Progressing: Applying 1 of 3"},
		"A goal that there is not.":    {[]string{"wait", "ready", "--for", "deleted"}, 2, `--for: got "deleted"`},
		"A name is missing.":           {[]string{"wait"}, 2, "accepts 1 arg(s), received 0"},
		"A flag that there is not.":    {[]string{"wait", "ready", "--until", "ready"}, 2, "unknown flag: --until"},
		"A timeout that is not a time": {[]string{"wait", "ready", "--timeout", "soon"}, 2, "invalid argument"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			out, err := w.run(c.args...)
			if err != nil {
				out += err.Error()
			}
			if exitCode(err) != c.code || !strings.Contains(out, c.want) {
				t.Errorf("exit code %d, want %d; want %q in:\n%s", exitCode(err), c.code, c.want, out)
			}
		})
	}
}

// TestWait_changes waits for what comes while it waits.
func TestWait_changes(t *testing.T) {
	w := newWorld(t)
	w.create("orders", func(infra *v1alpha1.Infrastructure) {
		setReady(infra, metav1.ConditionUnknown, v1alpha1.ReasonProgressing, "Applying")
	})
	done := w.meanwhile(func() {
		w.report(func(infra *v1alpha1.Infrastructure) {
			setReady(infra, metav1.ConditionTrue, v1alpha1.ReasonInSync, "Applied")
		})
	})
	w.mustRun("wait", "orders", "--timeout", "1m")
	done()
	done = w.meanwhile(func() { w.must(apiServer.Delete(t.Context(), w.object("orders"))) })
	w.mustRun("wait", "orders", "--for", "gone", "--timeout", "1m")
	done()
}
