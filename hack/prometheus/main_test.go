package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Two scrapes, a minute apart, of a target that has a label of Prometheus' own.
func TestRun(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	target := map[string]string{"job": "groundwork", "namespace": "system"}
	text := func(runs string) string {
		return "# TYPE runs_total counter\nruns_total{namespace=\"shop\"} " + runs + "\nempty NaN\n"
	}
	in, err := json.Marshal(request{
		Scrapes: []scrape{{at, target, text("1")}, {at.Add(time.Minute), target, text("3")}},
		Queries: []string{
			`runs_total{namespace="system",exported_namespace="shop"} == 3`,
			`increase(runs_total[2m]) > 100`, `absent(up{job="groundwork"} == 1)`, `time() - min(runs_total) > 1`,
			`sum(runs_total) > 100 and sum(runs_total) < 1`, `sum(runs_total) > 1 and sum(other) > 1`, `other > 1`, `empty`, `sum(`,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), bytes.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	var got []answer
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []answer{{Series: 1, Data: 1}, {Series: 0, Data: 1}, {Series: 0, Data: 1}, {Series: 1, Data: 1}, {Series: 0, Data: 1}, {}, {}, {}, {Error: "unclosed"}}
	for i, w := range want {
		if i >= len(got) {
			t.Fatalf("got %d answers", len(got))
		}
		g := got[i]
		if !strings.Contains(g.Error, w.Error) || (g.Error == "") != (w.Error == "") {
			t.Errorf("%s: error is %q", g.Query, g.Error)
		}
		w.Query, w.Error = g.Query, g.Error
		if diff := cmp.Diff(w, g); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}
