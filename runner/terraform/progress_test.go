package terraform

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

const (
	lineCreate   = `{"type":"planned_change","change":{"resource":{"addr":"a.one"},"action":"create"}}`
	lineReplace  = `{"type":"planned_change","change":{"resource":{"addr":"a.two"},"action":"replace"}}`
	lineRead     = `{"type":"planned_change","change":{"resource":{"addr":"data.a.three"},"action":"read"}}`
	lineSummary  = `{"type":"change_summary","changes":{"operation":"plan"}}`
	lineStart    = `{"@timestamp":"2026-03-02T00:00:01.5Z","type":"apply_start","hook":{"resource":{"addr":"a.two"},"action":"delete"}}`
	lineComplete = `{"@timestamp":"2026-03-02T00:00:03.5Z","type":"apply_complete","hook":{"resource":{"addr":"a.two"},"action":"delete"}}`
	lineOther    = `{"@timestamp":"2026-03-02T00:00:02.5Z","type":"apply_start","hook":{"resource":{"addr":"a.one"},"action":"create"}}`
	lineSlow     = `{"@timestamp":"2026-03-02T00:02:12.5Z","type":"apply_progress","hook":{"resource":{"addr":"a.one"},"action":"create","elapsed_seconds":130}}`
	lineErrored  = `{"@timestamp":"2026-03-02T00:00:09.5Z","type":"apply_errored","hook":{"resource":{"addr":"a.one"},"action":"create"}}`
	lineDataRead = `{"type":"apply_start","hook":{"resource":{"addr":"data.a.three"},"action":"read"}}`
)

// changing is the change of a resource; ended is empty for one that goes on, and begins with
// an exclamation mark for one that failed.
func changing(address string, action v1alpha1.ChangeAction, began, ended string) v1alpha1.ResourceProgress {
	at := func(clock string) metav1.Time {
		t, err := time.Parse(time.RFC3339, "2026-03-02T"+clock+".5Z")
		if err != nil {
			panic(err)
		}
		return metav1.NewTime(t)
	}
	r := v1alpha1.ResourceProgress{Address: address, Action: action, StartedAt: at(began), Failed: strings.HasPrefix(ended, "!")}
	if ended != "" {
		r.FinishedAt = ptr.To(at(strings.TrimPrefix(ended, "!")))
	}
	return r
}

func TestProgress_status(t *testing.T) {
	plan := &v1alpha1.PlanSummary{Create: 1, Replace: 1}
	cases := map[string]struct {
		reason   string
		planning []string
		applying []string
		want     progressStatus
	}{
		"planning": {
			reason:   "Until the plan is made there are no counts.",
			planning: []string{lineCreate},
			want:     progressStatus{Phase: v1alpha1.RunPlanning, Message: "Planning"},
		},
		"planned": {
			reason:   "Data sources are not counted.",
			planning: []string{lineCreate, lineReplace, lineRead, lineSummary},
			want:     progressStatus{Phase: v1alpha1.RunPlanning, Message: "Planning", Plan: plan},
		},
		"started": {
			reason:   "A replacement is two changes, and the plan that an apply repeats is not counted again.",
			planning: []string{lineCreate, lineReplace, lineSummary},
			applying: []string{lineCreate, lineReplace, lineStart},
			want: progressStatus{Phase: v1alpha1.RunApplying, Message: "Applying 1 of 3: a.two", Plan: plan,
				Resources: []v1alpha1.ResourceProgress{changing("a.two", v1alpha1.ChangeDelete, "00:00:01", "")}},
		},
		"oldest": {
			reason:   "Of several changes the oldest is shown.",
			planning: []string{lineCreate, lineReplace, lineSummary},
			applying: []string{lineStart, lineOther},
			want: progressStatus{Phase: v1alpha1.RunApplying, Message: "Applying 1 of 3: a.two", Plan: plan,
				Resources: []v1alpha1.ResourceProgress{changing("a.two", v1alpha1.ChangeDelete, "00:00:01", ""), changing("a.one", v1alpha1.ChangeCreate, "00:00:02", "")}},
		},
		"slow": {
			reason:   "A change that takes long says how long.",
			planning: []string{lineCreate, lineReplace, lineSummary},
			applying: []string{lineStart, lineOther, lineComplete, lineSlow},
			want: progressStatus{Phase: v1alpha1.RunApplying, Message: "Applying 2 of 3: a.one (2m10s)", Plan: plan,
				Resources: []v1alpha1.ResourceProgress{changing("a.two", v1alpha1.ChangeDelete, "00:00:01", "00:00:03"), changing("a.one", v1alpha1.ChangeCreate, "00:00:02", "")}},
		},
		"errored": {
			reason:   "A change that failed is not done.",
			planning: []string{lineCreate, lineReplace, lineSummary},
			applying: []string{lineOther, lineErrored},
			want: progressStatus{Phase: v1alpha1.RunApplying, Message: "Applying 0 of 3", Plan: plan,
				Resources: []v1alpha1.ResourceProgress{changing("a.one", v1alpha1.ChangeCreate, "00:00:02", "!00:00:09")}},
		},
		"reading": {
			reason:   "A data source that is read during the apply is not a change.",
			planning: []string{lineCreate, lineReplace, lineSummary},
			applying: []string{lineDataRead},
			want:     progressStatus{Phase: v1alpha1.RunApplying, Message: "Applying 0 of 3", Plan: plan},
		},
		"outputs": {
			reason:   "An apply of outputs alone has nothing to count.",
			planning: []string{lineSummary},
			applying: []string{lineDataRead},
			want:     progressStatus{Phase: v1alpha1.RunApplying, Message: "Applying", Plan: &v1alpha1.PlanSummary{}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := &progress{}
			w := &eventWriter{handle: p.observe}
			p.enter(v1alpha1.RunPlanning)
			write(t, w, tc.planning)
			if tc.applying != nil {
				p.enter(v1alpha1.RunApplying)
				write(t, w, tc.applying)
			}
			if diff := cmp.Diff(tc.want, p.status()); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// A status has room for the newest changes only.
func TestProgress_status_many(t *testing.T) {
	p := &progress{}
	p.enter(v1alpha1.RunApplying)
	for i := range keptResources + 1 {
		write(t, &eventWriter{handle: p.observe}, []string{fmt.Sprintf(`{"type":"apply_start","hook":{"resource":{"addr":"a.%d"},"action":"update"}}`, i)})
	}
	got := p.status().Resources
	if len(got) != keptResources || got[0].Address != "a.1" || got[0].Action != v1alpha1.ChangeUpdate {
		t.Errorf("want the newest %d, got %+v", keptResources, got)
	}
}

func write(t *testing.T, w *eventWriter, lines []string) {
	t.Helper()
	if _, err := w.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		t.Fatal(err)
	}
}

func TestEventWriter_Write(t *testing.T) {
	cases := map[string]struct {
		reason string
		writes []string
		want   []string
	}{
		"whole":   {"A write may have several lines.", []string{`{"@message":"a"}` + "\n" + `{"@message":"b"}` + "\n"}, []string{"a", "b"}},
		"parts":   {"A line may come in several writes.", []string{`{"@mess`, `age":"a"}`, "\n"}, []string{"a"}},
		"other":   {"A line that is not JSON is a message.", []string{"Warning: x\n"}, []string{"Warning: x"}},
		"partial": {"A line without its end is not read.", []string{`{"@message":"a"}`}, nil},
		"empty":   {"Empty lines are nothing.", []string{"\n \n"}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			w := &eventWriter{handle: func(e event) { got = append(got, e.Message) }}
			for _, s := range tc.writes {
				if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
					t.Errorf("%s\nwrote %d of %d bytes: %v", tc.reason, n, len(s), err)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
