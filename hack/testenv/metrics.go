package testenv

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// Metric is the sum over all series of a collector's counter or gauge; 0 when it has
// none of that name.
func Metric(t testing.TB, collector prometheus.Collector, name string) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		for _, metric := range family.Metric {
			if family.GetName() == name {
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	return sum
}
