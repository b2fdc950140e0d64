package metrics

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// row is the table row that documents a metric.
func row(family *dto.MetricFamily) string {
	var labels []string
	for _, label := range family.Metric[0].Label {
		labels = append(labels, "`"+label.GetName()+"`")
	}
	if labels == nil {
		labels = []string{"–"}
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |", family.GetName(), strings.ToLower(family.GetType().String()), strings.Join(labels, ", "), family.GetHelp())
}

// docs/metrics.md has a row for each metric, and for no other.
func TestDocs(t *testing.T) {
	elected := make(chan struct{})
	close(elected)
	counters := NewCounters()
	counters.RunFinished(newRun(v1alpha1.OperationApply, v1alpha1.RunReasonSucceeded, at(1), at(2), at(3)))
	counters.RunAdmitted("Change", time.Second)
	cache := newCache(newInfra("a", planned(at(0)), deleted(at(0)), suspended, running(v1alpha1.OperationApply, v1alpha1.RunPlanning)))
	var want []string
	for _, family := range gather(t, counters, NewInfrastructures(cache, elected), NewQueue(cache, elected, byOperation), NewBuildInfo("1.0.0")) {
		want = append(want, row(family))
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| `groundwork_") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/metrics.md, -want +got:\n%s", diff)
	}
}
