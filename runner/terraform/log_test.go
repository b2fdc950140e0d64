package terraform

import (
	"bytes"
	"testing"
	"time"
)

func TestPodLog_event(t *testing.T) {
	cases := map[string]struct{ reason, line, want string }{
		"message": {
			"An event is its message.",
			`{"type":"apply_start","@message":"a.b: Creating...","hook":{"resource":{"addr":"a.b"}}}`,
			"2026-01-02T03:04:05Z a.b: Creating...\n",
		},
		"diagnostic": {
			"A diagnostic is one line, with address and detail, secrets masked before lines are joined.",
			`{"type":"diagnostic","@message":"x","diagnostic":{"severity":"error","summary":"No","address":"a.b","detail":"this\n\nis line1\nline2"}}`,
			"2026-01-02T03:04:05Z error: No (a.b): this is (sensitive)\n",
		},
		"outputs": {
			"Outputs are never shown.",
			`{"type":"outputs","@message":"Outputs: 1","outputs":{"a":{"value":"secret"}}}`, "",
		},
		"data": {
			"A data source's id may be a secret.",
			`{"type":"apply_complete","@message":"module.a.data.b.c: Read complete [id=secret]","hook":{"resource":{"addr":"module.a.data.b.c"}}}`, "",
		},
		"dump": {
			"Of what is not known only the message is shown.",
			`{"type":"log","@message":"Emergency state dump","state":{"secret":1}}`,
			"2026-01-02T03:04:05Z Emergency state dump\n",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			log := &podLog{
				mask: newMask(nil, []string{"KEY=line1\nline2"}), out: &b,
				now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC) },
			}
			log.event(parseEvent([]byte(tc.line)))
			if b.String() != tc.want {
				t.Errorf("%s\nwant %q, got %q", tc.reason, tc.want, &b)
			}
		})
	}
}
