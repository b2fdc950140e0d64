package run

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// A Run counts when it ends before the controller's eyes, and only then: not when it is
// found finished, nor when it changes after that.
func TestReconciler_countsRuns(t *testing.T) {
	e := newEnv(t)
	end := func() {
		e.setRun(func(s *v1alpha1.RunStatus) { s.Finish(v1alpha1.RunReasonApplyFailed, "", metav1.Now()) })
	}
	change := func() {
		run := e.run()
		run.Annotations = map[string]string{"example.com/note": "changed"}
		e.must(apiServer.Update(t.Context(), run))
	}
	end()
	another := e.run()
	another.ResourceVersion, another.UID, another.Name = "", "", e.name+"1"
	e.must(apiServer.Create(t.Context(), another))
	e.startManager()

	change()
	e.name = another.Name
	e.admit()
	e.eventually("the pod", func() bool { return e.pod() != nil })
	e.take()
	end()
	counted := func() float64 { return testenv.Metric(t, e.metrics, "groundwork_runs_total") }
	e.eventually("the count", func() bool { return counted() > 0 })
	change()
	time.Sleep(200 * time.Millisecond)
	if n := counted(); n != 1 {
		t.Errorf("%v runs were counted, want 1", n)
	}
}
