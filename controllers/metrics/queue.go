package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Queue tells how many Runs wait for a place. Like Infrastructures it counts the cache's
// at each scrape, and only the replica that works tells it.
type Queue struct {
	cache   client.Reader
	elected <-chan struct{}
	waiting func([]v1alpha1.Run) map[string]int
	length  *prometheus.Desc
}

var _ prometheus.Collector = (*Queue)(nil)

// NewQueue returns a collector that reads from a cache, from when elected is closed.
// waiting counts the Runs that wait, by class, and only reads them.
func NewQueue(cache client.Reader, elected <-chan struct{}, waiting func([]v1alpha1.Run) map[string]int) *Queue {
	return &Queue{cache: cache, elected: elected, waiting: waiting,
		length: prometheus.NewDesc("groundwork_queue_length", "Runs that wait for a place, by class; the classes come one after the other.", []string{"class"}, nil)}
}

// Describe implements prometheus.Collector.
func (c *Queue) Describe(ch chan<- *prometheus.Desc) { ch <- c.length }

// Collect implements prometheus.Collector.
func (c *Queue) Collect(ch chan<- prometheus.Metric) {
	select {
	case <-c.elected:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	defer cancel()
	var list v1alpha1.RunList
	if err := c.cache.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		// The other metrics are worth having without this one.
		ctrl.Log.WithName("metrics").Error(err, "List Runs")
		return
	}
	for class, n := range c.waiting(list.Items) {
		ch <- prometheus.MustNewConstMetric(c.length, prometheus.GaugeValue, float64(n), class)
	}
}
