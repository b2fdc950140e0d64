package terraform

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// event is one line of Terraform's JSON log.
// Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
type event struct {
	Level      string           `json:"@level"`
	Message    string           `json:"@message"`
	Time       time.Time        `json:"@timestamp"`
	Type       string           `json:"type"`
	Change     *eventChange     `json:"change"`
	Changes    *eventChanges    `json:"changes"`
	Hook       *eventHook       `json:"hook"`
	Diagnostic *eventDiagnostic `json:"diagnostic"`
}

// Types of events that mean something to the runner.
const (
	eventPlannedChange   = "planned_change"
	eventChangeSummary   = "change_summary"
	eventOutputs         = "outputs"
	eventApplyStart      = "apply_start"
	eventApplyProgress   = "apply_progress"
	eventApplyComplete   = "apply_complete"
	eventApplyErrored    = "apply_errored"
	eventRefreshComplete = "refresh_complete"
	eventDiagnosticType  = "diagnostic"
	eventVersion         = "version"
)

// eventChange is a planned_change.
type eventChange struct {
	Resource eventResource `json:"resource"`
	Action   string        `json:"action"`
}

type eventResource struct {
	Address string `json:"addr"`
	Type    string `json:"resource_type"`
}

// eventChanges is a change_summary; the operation is plan, apply or destroy.
type eventChanges struct {
	Operation string `json:"operation"`
}

// eventHook is an apply_start, apply_progress, apply_complete or apply_errored.
type eventHook struct {
	Resource eventResource `json:"resource"`
	Action   string        `json:"action"`
	Elapsed  float64       `json:"elapsed_seconds"`
}

// ofData tells whether an event is about a data source being read.
func (e event) ofData() bool {
	return e.Hook != nil && (strings.HasPrefix(e.Hook.Resource.Address, "data.") || strings.Contains(e.Hook.Resource.Address, ".data."))
}

type eventDiagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
}

// eventWriter hands each line that is written to it to a function. Two goroutines
// may not write to the same one.
type eventWriter struct {
	rest   []byte
	handle func(event)
}

// Write never fails: Terraform must not stop because its log cannot be read. A
// line that is not JSON becomes an event with nothing but a message.
func (w *eventWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		w.rest = rest
		if line = bytes.TrimSpace(line); len(line) > 0 {
			w.handle(parseEvent(line))
		}
	}
}

func parseEvent(line []byte) event {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		return event{Message: string(line)}
	}
	return e
}
