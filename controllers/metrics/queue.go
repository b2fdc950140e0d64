package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Queue tells how many Runs wait for a place.
type Queue struct {
	cached
	waiting func([]v1alpha1.Run) map[string]int
	length  *prometheus.Desc
}

var _ prometheus.Collector = (*Queue)(nil)

// NewQueue returns a collector that reads from a cache, from when elected is closed.
// waiting counts the Runs that wait, by class, and only reads them.
func NewQueue(cache client.Reader, elected <-chan struct{}, waiting func([]v1alpha1.Run) map[string]int) *Queue {
	return &Queue{cached: cached{cache, elected}, waiting: waiting,
		length: prometheus.NewDesc("groundwork_queue_length", "Runs that wait for a place, by class; the classes come one after the other.", []string{"class"}, nil)}
}

// Describe implements prometheus.Collector.
func (c *Queue) Describe(ch chan<- *prometheus.Desc) { ch <- c.length }

// Collect implements prometheus.Collector.
func (c *Queue) Collect(ch chan<- prometheus.Metric) {
	var list v1alpha1.RunList
	if !c.list(&list) {
		return
	}
	for class, n := range c.waiting(list.Items) {
		ch <- prometheus.MustNewConstMetric(c.length, prometheus.GaugeValue, float64(n), class)
	}
}
