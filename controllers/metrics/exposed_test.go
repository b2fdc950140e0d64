package metrics

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// gather returns what a scrape would, and fails for what Prometheus would refuse.
func gather(t *testing.T, collectors ...prometheus.Collector) []*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collectors...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// exposed is the collector's metrics as text, a series a line; of a histogram the count
// and the sum.
func exposed(t *testing.T, collector prometheus.Collector) string {
	t.Helper()
	var text strings.Builder
	for _, family := range gather(t, collector) {
		for _, metric := range family.Metric {
			var labels []string
			for _, label := range metric.Label {
				labels = append(labels, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
			}
			text.WriteString(family.GetName())
			if len(labels) > 0 {
				text.WriteString("{" + strings.Join(labels, ",") + "}")
			}
			if h := metric.Histogram; h != nil {
				fmt.Fprintf(&text, " %d in %v\n", h.GetSampleCount(), h.GetSampleSum())
				continue
			}
			fmt.Fprintf(&text, " %.0f\n", metric.GetGauge().GetValue()+metric.GetCounter().GetValue())
		}
	}
	return text.String()
}
