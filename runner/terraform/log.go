package terraform

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// podLog writes the pod's log: a line an event, secrets masked.
type podLog struct {
	mask mask
	now  func() time.Time

	mu  sync.Mutex
	out io.Writer
}

// printf writes one line; line breaks in it become spaces.
func (l *podLog) printf(format string, args ...any) {
	line := oneLine(l.mask.apply(fmt.Sprintf(format, args...)))
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "%s %s\n", l.now().UTC().Format(time.RFC3339), line)
}

// event writes what an event says. Outputs are never shown, and data sources neither:
// Terraform tells their ids, and that of aws_secretsmanager_random_password is the
// password.
func (l *podLog) event(e event) {
	switch {
	case e.Type == eventOutputs, e.Type == eventRefreshComplete, e.Type == eventVersion, e.ofData():
	case e.Type == eventDiagnosticType:
		if d := e.Diagnostic; d != nil {
			l.printf("%s: %s", d.Severity, describe(d.Summary, d.Address, d.Detail))
		}
	default:
		l.printf("%s", e.Message)
	}
}

// breakdowns returns a writer that writes what Go says when a provider breaks down, as
// Terraform would, and nothing that the provider says before.
func (l *podLog) breakdowns() io.Writer {
	broken := false
	return &eventWriter{handle: func(e event) {
		broken = broken || strings.HasPrefix(e.Message, "panic: ") || strings.HasPrefix(e.Message, "fatal error: ")
		if broken && e.Level == "" {
			l.printf("%s", e.Message)
		}
	}}
}

// describe joins the parts of a diagnostic.
func describe(summary, address, detail string) string {
	s := summary
	if address != "" {
		s += " (" + address + ")"
	}
	if detail != "" {
		s += ": " + detail
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
