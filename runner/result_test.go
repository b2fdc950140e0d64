package runner

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func TestResult_TerminationMessage(t *testing.T) {
	cases := map[string]struct{ reason, message string }{
		"short":   {"A short message is kept.", "done"},
		"long":    {"A long one is cut.", strings.Repeat("x", 10000)},
		"wide":    {"It is cut at a character's border.", strings.Repeat("é", 10000)},
		"escaped": {"It is the encoded length that counts.", strings.Repeat("\x01", 4000)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := Result{Reason: v1alpha1.RunReasonApplyFailed, Message: tc.message, Plan: &v1alpha1.PlanSummary{Create: 1}, ApplyStarted: true}
			b := want.TerminationMessage()
			if len(b) > MaxTerminationMessage {
				t.Errorf("%s\nwant at most %d bytes, got %d", tc.reason, MaxTerminationMessage, len(b))
			}
			got, err := ParseResult(string(b))
			if err != nil {
				t.Fatal(err)
			}
			kept := strings.TrimSuffix(got.Message, "…")
			if !strings.HasPrefix(tc.message, strings.TrimRight(kept, "…")) || !utf8.ValidString(kept) || kept == "" {
				t.Errorf("%s\nthe message is not a part of the whole: %.40q", tc.reason, got.Message)
			}
			want.Message, got.Message = "", ""
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestParseResult(t *testing.T) {
	for name, message := range map[string]string{"empty": "", "text": "OOMKilled", "other": `{"message": "x"}`} {
		if r, err := ParseResult(message); err == nil {
			t.Errorf("%s: want an error for %q, got %+v", name, message, r)
		}
	}
}
