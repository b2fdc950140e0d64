// Package metrics holds what Groundwork tells Prometheus, besides what
// controller-runtime tells by itself. No label is the name of an object or comes out
// of a plan: their values are few, and known. docs/metrics.md lists all of them.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Counters count what the controllers see and do from when they start: a restart
// begins at zero, as Prometheus expects. Only the leader's controllers count.
type Counters struct {
	runs        *prometheus.CounterVec
	phases      *prometheus.HistogramVec
	waits       *prometheus.HistogramVec
	locksBroken prometheus.Counter
}

var _ prometheus.Collector = (*Counters)(nil)

// NewCounters returns counters at zero.
func NewCounters() *Counters {
	return &Counters{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "groundwork_runs_total",
			Help: "Runs that this process has seen end, each once, by operation, trigger, outcome (the Run's reason) and module.",
		}, []string{"operation", "trigger", "outcome", "module"}),
		phases: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "groundwork_run_phase_duration_seconds",
			Help: "Time that the Runs of groundwork_runs_total were in a phase: Pending until a pod took them, Planning with terraform init, Applying or Destroying.",
			// From a plan from the cache to a database cluster.
			Buckets: []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600},
		}, []string{"operation", "phase", "module"}),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "groundwork_queue_wait_seconds",
			Help: "Time that Runs waited for a place, from their creation to their admission, by class.",
			// From an empty queue to a night.
			Buckets: []float64{1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800},
		}, []string{"class"}),
		locksBroken: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "groundwork_locks_broken_total",
			Help: "Locks of states that were broken because the runner pod that held them is proven to be gone.",
		}),
	}
}

// Describe implements prometheus.Collector.
func (c *Counters) Describe(ch chan<- *prometheus.Desc) {
	c.runs.Describe(ch)
	c.phases.Describe(ch)
	c.waits.Describe(ch)
	c.locksBroken.Describe(ch)
}

// Collect implements prometheus.Collector.
func (c *Counters) Collect(ch chan<- prometheus.Metric) {
	c.runs.Collect(ch)
	c.phases.Collect(ch)
	c.waits.Collect(ch)
	c.locksBroken.Collect(ch)
}

// Expect lets the usual outcomes of a module's runs begin at zero: Prometheus does not
// see the rise of a series that begins at one.
func (c *Counters) Expect(module string) {
	for _, why := range []struct {
		operation v1alpha1.Operation
		trigger   v1alpha1.RunTrigger
	}{
		{v1alpha1.OperationPlan, v1alpha1.TriggerDrift},
		{v1alpha1.OperationPlan, v1alpha1.TriggerPreview},
		{v1alpha1.OperationApply, v1alpha1.TriggerChange},
		{v1alpha1.OperationApply, v1alpha1.TriggerRetry},
		{v1alpha1.OperationApply, v1alpha1.TriggerUpgrade},
		{v1alpha1.OperationApply, v1alpha1.TriggerDrift},
		{v1alpha1.OperationDestroy, v1alpha1.TriggerChange},
		{v1alpha1.OperationDestroy, v1alpha1.TriggerRetry},
	} {
		for _, outcome := range []v1alpha1.RunReason{
			v1alpha1.RunReasonSucceeded, v1alpha1.RunReasonPlanned, v1alpha1.RunReasonPlanFailed, v1alpha1.RunReasonApplyFailed,
		} {
			c.runs.WithLabelValues(string(why.operation), string(why.trigger), string(outcome), module)
		}
	}
}

// RunFinished counts a Run that has just ended. The caller calls it once for each.
func (c *Counters) RunFinished(run *v1alpha1.Run) {
	spec := &run.Spec
	c.runs.WithLabelValues(string(spec.Operation), string(spec.Trigger), string(run.Status.Reason), spec.Module.Name).Inc()
	for phase, took := range phases(run) {
		c.phases.WithLabelValues(string(spec.Operation), string(phase), spec.Module.Name).Observe(took.Seconds())
	}
}

// RunAdmitted counts a Run of a class that has got a place after it had waited.
func (c *Counters) RunAdmitted(class string, waited time.Duration) {
	c.waits.WithLabelValues(class).Observe(waited.Seconds())
}

// LockBroken counts a lock that was broken.
func (c *Counters) LockBroken() { c.locksBroken.Inc() }

// phases is how long a finished Run was in each phase, to the second. A phase that it
// did not come to is not there, nor is the wait of a Run that no pod has taken: that
// says how long somebody was patient.
func phases(run *v1alpha1.Run) map[v1alpha1.RunPhase]time.Duration {
	started, applied, finished := run.Status.StartedAt, run.Status.ApplyStartedAt, run.Status.FinishedAt
	if started == nil || finished == nil {
		return nil
	}
	took := map[v1alpha1.RunPhase]time.Duration{v1alpha1.RunPending: started.Sub(run.CreationTimestamp.Time)}
	if applied == nil {
		took[v1alpha1.RunPlanning] = finished.Sub(started.Time)
		return took
	}
	changing := v1alpha1.RunApplying
	if run.Spec.Operation == v1alpha1.OperationDestroy {
		changing = v1alpha1.RunDestroying
	}
	took[v1alpha1.RunPlanning] = applied.Sub(started.Time)
	took[changing] = finished.Sub(applied.Time)
	return took
}
