package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"go.yaml.in/yaml/v3"
)

// The repository's root, as seen from this folder.
var root = filepath.Join("..", "..")

// scraped is what the controller answered, and when.
type scraped struct {
	at   time.Time
	text string
}

// answered is what Prometheus answers to a query; hack/prometheus says how.
type answered struct {
	Query string
	Data  int
	Error string
}

// askPrometheus asks a Prometheus that has scraped the controller as the chart's
// ServiceMonitor says.
func askPrometheus(t *testing.T, scrapes []scraped, queries []string) []answered {
	t.Helper()
	type object = map[string]any
	request := object{"queries": queries}
	var targets []object
	for _, s := range scrapes {
		targets = append(targets, object{"at": s.at, "text": s.text, "labels": object{
			"job": "groundwork-metrics", "namespace": systemNamespace, "pod": "groundwork-controller-0",
		}})
	}
	request["scrapes"] = targets
	in, err := json.Marshal(request)
	must(t, err)
	cmd := exec.CommandContext(t.Context(), "go", "run", ".")
	cmd.Dir, cmd.Stdin = filepath.Join(root, "hack", "prometheus"), bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var answers []answered
	must(t, json.Unmarshal(out, &answers))
	if len(answers) != len(queries) {
		t.Fatalf("got %d answers to %d queries", len(answers), len(queries))
	}
	return answers
}

// labelValues is the query of a dashboard's variable: the values of a series' label.
var labelValues = regexp.MustCompile(`^label_values\((.+), \w+\)$`)

// dashboardQueries are those of the panels and variables, for the namespace of the tests.
func dashboardQueries(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "chart", "files", "dashboard.json"))
	must(t, err)
	var dashboard struct {
		Templating struct{ List []struct{ Query any } }
		Panels     []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	must(t, json.Unmarshal(text, &dashboard))
	var queries []string
	for _, variable := range dashboard.Templating.List {
		if query, ok := variable.Query.(map[string]any); ok {
			series := labelValues.FindStringSubmatch(query["query"].(string))
			if series == nil {
				t.Fatalf("a query of a variable: got %q, wanted label_values(…)", query["query"])
			}
			queries = append(queries, series[1])
		}
	}
	for _, panel := range dashboard.Panels {
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("panel %s has no query", panel.Title)
		}
		for _, target := range panel.Targets {
			// The zero of a panel without data would hide that it has none.
			expr, _ := strings.CutSuffix(target.Expr, " or vector(0)")
			queries = append(queries, strings.ReplaceAll(expr, "$namespace", systemNamespace))
		}
	}
	return queries
}

// alert is one of the chart's alerts.
type alert struct {
	Alert, Expr         string
	For                 string
	Labels, Annotations map[string]string
}

// alerts reads the chart's alerts as Helm renders them.
func alerts(t *testing.T) []alert {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "chart", "files", "alerts.yaml"))
	must(t, err)
	helm := template.FuncMap{"include": func(string, any) string { return "groundwork" }}
	tmpl, err := template.New("alerts").Option("missingkey=error").Funcs(helm).Parse(string(text))
	must(t, err)
	var rendered bytes.Buffer
	must(t, tmpl.Execute(&rendered, map[string]map[string]string{
		"Release": {"Namespace": systemNamespace}, "Chart": {"Home": "https://example.com"},
	}))
	var rules struct{ Groups []struct{ Rules []alert } }
	must(t, yaml.Unmarshal(rendered.Bytes(), &rules))
	return rules.Groups[0].Rules
}

func alertQueries(t *testing.T) []string {
	t.Helper()
	var queries []string
	for _, a := range alerts(t) {
		queries = append(queries, a.Expr)
	}
	return queries
}

// Whoever gets an alert finds what it means, and what to do.
func TestAlerts_haveRunbooks(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "metrics.md"))
	must(t, err)
	headings := strings.Split(string(page), "\n")
	for _, a := range alerts(t) {
		if want := "https://example.com/blob/main/docs/metrics.md#" + strings.ToLower(a.Alert); a.Annotations["runbook_url"] != want {
			t.Errorf("%s has the runbook %q, want %q", a.Alert, a.Annotations["runbook_url"], want)
		}
		if !slices.Contains(headings, "### "+a.Alert) {
			t.Errorf("docs/metrics.md has no heading for %s", a.Alert)
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" || a.Labels["severity"] == "" {
			t.Errorf("%s has no summary, description or severity: %+v", a.Alert, a)
		}
	}
}
