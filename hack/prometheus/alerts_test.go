package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

// target are the labels of the controller's series, as the alerts select them.
const target = `job="groundwork-metrics",namespace="system"`

// readAlerts reads the chart's alerts as Helm renders them, and checks that Prometheus
// takes them.
func readAlerts(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "chart", "files", "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := template.New("alerts").Funcs(template.FuncMap{"include": func(string, any) string { return "groundwork" }}).Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	var rendered bytes.Buffer
	if err := tmpl.Execute(&rendered, map[string]map[string]string{"Release": {"Namespace": "system"}, "Chart": {"Home": "https://example.com"}}); err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(rendered.Bytes(), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	alerts := map[string]rulefmt.Rule{}
	for _, rule := range groups.Groups[0].Rules {
		alerts[rule.Alert] = rule
	}
	return alerts
}

// firing evaluates an alert each minute, and returns in which minutes it fires.
func firing(t *testing.T, rule rulefmt.Rule, series string, minutes int) []int {
	t.Helper()
	language := parser.NewParser(parser.Options{})
	expr, err := language.ParseExpr(rule.Expr)
	if err != nil {
		t.Fatal(err)
	}
	storage := promqltest.LoadedStorage(t, "load 1m\n"+series)
	query := rules.EngineQueryFunc(promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery), storage)
	alerting := rules.NewAlertingRule(rule.Alert, expr, time.Duration(rule.For), time.Duration(rule.KeepFiringFor),
		labels.FromMap(rule.Labels), labels.FromMap(rule.Annotations), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
	var fires []int
	for minute := range minutes {
		if _, err := alerting.Eval(t.Context(), 0, time.Unix(0, 0).Add(time.Duration(minute)*time.Minute), query, nil, 0); err != nil {
			t.Fatal(err)
		}
		firing := false
		for _, active := range alerting.ActiveAlerts() {
			firing = firing || active.State == rules.StateFiring
			active.Annotations.Range(func(l labels.Label) {
				if strings.Contains(l.Value, "<error") || strings.Contains(l.Value, "<no value>") {
					t.Fatalf("annotation %s: %s", l.Name, l.Value)
				}
			})
		}
		if firing {
			fires = append(fires, minute)
		}
	}
	return fires
}

// since is a range of minutes.
func since(first, end int) []int {
	var minutes []int
	for m := first; m < end; m++ {
		minutes = append(minutes, m)
	}
	return minutes
}

func TestAlerts(t *testing.T) {
	const object = `infrastructure_namespace="shop",` + target
	alerts := readAlerts(t)
	fired := map[string]bool{}
	for _, tc := range []struct {
		name, alert string
		// series have a value a minute, from minute 0.
		series  string
		minutes int
		want    []int
	}{
		{"The controller is gone.", "GroundworkDown", `up{` + target + `} 1x4 0x20`, 20, since(10, 20)},
		{"One of two replicas is gone.", "GroundworkDown", `up{pod="a",` + target + `} 0x20` + "\n" + `up{pod="b",` + target + `} 1x20`, 20, nil},
		{"Nobody leads.", "GroundworkNoLeader", `leader_election_master_status{` + target + `} 0x20`, 20, since(5, 20)},
		{"The other replica leads.", "GroundworkNoLeader", `leader_election_master_status{pod="a",` + target + `} 0x20` + "\n" + `leader_election_master_status{pod="b",` + target + `} 1x20`, 20, nil},
		{"Reconciles fail.", "GroundworkReconcileErrors", `controller_runtime_reconcile_errors_total{controller="run",` + target + `} 0+2x60`, 60, since(21, 60)},
		{"A few reconciles fail.", "GroundworkReconcileErrors", `controller_runtime_reconcile_errors_total{controller="run",` + target + `} 0x20 8x40`, 60, nil},
		{"A reconcile hangs.", "GroundworkReconcileStuck", `workqueue_longest_running_processor_seconds{name="run",` + target + `} 0+60x20`, 20, since(11, 20)},
		{"An object is stalled, and tried again in between.", "GroundworkInfrastructureStalled",
			`groundwork_infrastructures{condition="Stalled",reason="RunFailed",` + object + `} 1x29 0x9 1x60`, 90, since(15, 90)},
		{"An object was stalled for a moment.", "GroundworkInfrastructureStalled",
			`groundwork_infrastructures{condition="Stalled",reason="RunFailed",` + object + `} 1x10 0x60`, 60, nil},
		{"An object does not become Ready, for one reason after the other.", "GroundworkInfrastructureNotReady",
			`groundwork_infrastructures{condition="Reconciling",reason="RunFailed",` + object + `} 1x69 0x80` + "\n" +
				`groundwork_infrastructures{condition="Reconciling",reason="Progressing",` + object + `} 0x69 1x80`, 150, since(120, 150)},
		{"A plan waits for approval.", "GroundworkInfrastructureNotReady",
			`groundwork_infrastructures{condition="Reconciling",reason="ApprovalRequired",` + object + `} 1x150`, 150, nil},
		{"A person holds a lock.", "GroundworkStateLocked", `groundwork_infrastructures{condition="Ready",status="False",reason="Locked",` + object + `} 1x60`, 60, since(30, 60)},
		{"Resources have drifted.", "GroundworkDrift", `groundwork_infrastructures{condition="Drifted",status="True",reason="DriftDetected",` + object + `} 1x80`, 80, since(60, 80)},
		{"A plan waits for a day.", "GroundworkApprovalWaiting", `groundwork_approval_requested_timestamp_seconds{` + object + `} 0x1460`, 1460, since(1441, 1460)},
		{"A deletion takes hours.", "GroundworkDeletionStuck", `groundwork_deletion_requested_timestamp_seconds{` + object + `} 0x140`, 140, since(121, 140)},
		{"An image cannot be pulled.", "GroundworkRunsNotStarting",
			`groundwork_runs_total{module="a",outcome="ImagePullFailed",` + target + `} 0x9 4x30`, 30, since(10, 30)},
		{"One pod found no node.", "GroundworkRunsNotStarting", `groundwork_runs_total{module="a",outcome="PodUnschedulable",` + target + `} 0x9 1x30`, 30, nil},
		{"A module's runs fail.", "GroundworkModuleFailing", `groundwork_runs_total{module="a",outcome="ApplyFailed",` + target + `} 0x9 8x30`, 30, since(10, 30)},
		{"Somebody's previews fail.", "GroundworkModuleFailing", `groundwork_runs_total{module="a",outcome="PlanFailed",trigger="Preview",` + target + `} 0x9 8x30`, 30, nil},
		{"Runs are cancelled and superseded.", "GroundworkModuleFailing", `groundwork_runs_total{module="a",outcome="Cancelled",` + target + `} 0x9 8x30`, 30, nil},
		{"Nothing moves in the queue.", "GroundworkQueueStuck",
			`groundwork_queue_length{class="Change",` + target + `} 5x99` + "\n" + `groundwork_queue_wait_seconds_count{class="Change",` + target + `} 0 7x98`, 90, since(60, 90)},
		{"The queue moves slowly.", "GroundworkQueueStuck",
			`groundwork_queue_length{class="Change",` + target + `} 5x99` + "\n" + `groundwork_queue_wait_seconds_count{class="Change",` + target + `} 0x19 3x19 6x19 9x19 12x19`, 90, nil},
		{"Nobody waits.", "GroundworkQueueStuck",
			`groundwork_queue_length{class="Change",` + target + `} 0x99` + "\n" + `groundwork_queue_wait_seconds_count{class="Change",` + target + `} 7x99`, 90, nil},
		{"Users wait for long.", "GroundworkQueueSlow",
			`groundwork_queue_wait_seconds_bucket{class="Change",le="1800",` + target + `} 0x99` + "\n" + `groundwork_queue_wait_seconds_bucket{class="Change",le="3600",` + target + `} 0x9 8x80` + "\n" +
				`groundwork_queue_wait_seconds_bucket{class="Change",le="+Inf",` + target + `} 0x9 8x80`, 60, since(10, 60)},
		{"Looks for drift wait for long.", "GroundworkQueueSlow",
			`groundwork_queue_wait_seconds_bucket{class="Drift",le="1800",` + target + `} 0x99` + "\n" + `groundwork_queue_wait_seconds_bucket{class="Drift",le="+Inf",` + target + `} 0x9 8x80`, 60, nil},
		{"An upgrade is stopped.", "GroundworkUpgradeStopped", `groundwork_infrastructures{condition="Ready",status="True",reason="UpgradeStopped",` + object + `} 47x20`, 20, since(5, 20)},
		{"An upgrade goes on.", "GroundworkUpgradeStopped", `groundwork_infrastructures{condition="Ready",status="True",reason="UpgradePending",` + object + `} 47x20`, 20, nil},
		{"A lock is broken.", "GroundworkLockBroken", `groundwork_locks_broken_total{` + target + `} 0x9 1x90`, 80, since(10, 69)},
		{"Another release's lock is broken.", "GroundworkLockBroken", `groundwork_locks_broken_total{job="groundwork-metrics",namespace="other"} 0x9 1x90`, 80, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rule, ok := alerts[tc.alert]
			if !ok {
				t.Fatalf("there is no alert %s", tc.alert)
			}
			if diff := cmp.Diff(tc.want, firing(t, rule, tc.series, tc.minutes)); diff != "" {
				t.Errorf("minutes in which %s fires, -want +got:\n%s", tc.alert, diff)
			}
			fired[tc.alert] = fired[tc.alert] || tc.want != nil
		})
	}
	for name := range alerts {
		if !fired[name] {
			t.Errorf("no case lets %s fire", name)
		}
	}
}
