package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// unobserved is the reason of Ready for an object that has no such condition yet.
const unobserved = "Unobserved"

// Infrastructures tells how the objects are.
type Infrastructures struct {
	cached

	conditions, suspended, approvals, deletions, runs *prometheus.Desc
}

var _ prometheus.Collector = (*Infrastructures)(nil)

// NewInfrastructures returns a collector that reads from a cache, from when elected
// is closed.
func NewInfrastructures(cache client.Reader, elected <-chan struct{}) *Infrastructures {
	// Prometheus' own label for the namespace of the controller is called namespace.
	const namespace = "infrastructure_namespace"
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("groundwork_"+name, help, labels, nil)
	}
	return &Infrastructures{
		cached: cached{cache, elected},
		conditions: desc("infrastructures",
			"Infrastructures by each of their conditions, its status and reason. Each has condition Ready, with reason Unobserved before the first look.",
			namespace, "condition", "status", "reason"),
		suspended: desc("infrastructures_suspended", "Infrastructures with spec.suspend.", namespace),
		approvals: desc("approval_requested_timestamp_seconds",
			"When the plan was made that waits for approval longest.", namespace),
		deletions: desc("deletion_requested_timestamp_seconds",
			"When the Infrastructure was deleted that has not gone for longest.", namespace),
		runs: desc("runs_under_way", "Runs under way, by operation and phase.", "operation", "phase"),
	}
}

// Describe implements prometheus.Collector.
func (c *Infrastructures) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.conditions, c.suspended, c.approvals, c.deletions, c.runs} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *Infrastructures) Collect(ch chan<- prometheus.Metric) {
	var list v1alpha1.InfrastructureList
	if !c.list(&list) {
		return
	}
	t := count(list.Items)
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for k, n := range t.conditions {
		gauge(c.conditions, float64(n), k.namespace, k.condition, string(k.status), k.reason)
	}
	for namespace, n := range t.suspended {
		gauge(c.suspended, float64(n), namespace)
	}
	for namespace, at := range t.approvals {
		gauge(c.approvals, float64(at.Unix()), namespace)
	}
	for namespace, at := range t.deletions {
		gauge(c.deletions, float64(at.Unix()), namespace)
	}
	for k, n := range t.runs {
		gauge(c.runs, float64(n), string(k.operation), string(k.phase))
	}
}

// totals are numbers of objects, and times by namespace.
type totals struct {
	conditions map[conditionKey]int
	suspended  map[string]int
	// approvals and deletions are the earliest.
	approvals, deletions map[string]time.Time
	runs                 map[runKey]int
}

type conditionKey struct {
	namespace, condition string
	status               metav1.ConditionStatus
	reason               string
}

type runKey struct {
	operation v1alpha1.Operation
	phase     v1alpha1.RunPhase
}

// count only reads the objects, which are the cache's own.
func count(objects []v1alpha1.Infrastructure) totals {
	t := totals{map[conditionKey]int{}, map[string]int{}, map[string]time.Time{}, map[string]time.Time{}, map[runKey]int{}}
	for i := range objects {
		infra := &objects[i]
		ns := infra.Namespace
		for _, c := range infra.Status.Conditions {
			t.conditions[conditionKey{ns, c.Type, c.Status, c.Reason}]++
		}
		ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
		switch {
		case ready == nil:
			t.conditions[conditionKey{ns, v1alpha1.ConditionReady, metav1.ConditionUnknown, unobserved}]++
		case ready.Reason == v1alpha1.ReasonApprovalRequired && len(infra.Status.History) > 0:
			// The run that made the plan is the last.
			setEarliest(t.approvals, ns, infra.Status.History[0].FinishedAt.Time)
		}
		if infra.Spec.Suspend {
			t.suspended[ns]++
		}
		if infra.DeletionTimestamp != nil {
			setEarliest(t.deletions, ns, infra.DeletionTimestamp.Time)
		}
		if run := infra.Status.Run; run != nil {
			t.runs[runKey{run.Operation, run.Phase}]++
		}
	}
	return t
}

func setEarliest(times map[string]time.Time, key string, at time.Time) {
	if earliest, ok := times[key]; !ok || at.Before(earliest) {
		times[key] = at
	}
}
