package bundle

import (
	"path/filepath"
	"testing"
)

func TestLayer_key(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	mustWrite(t, file, "1", 0o644)
	base := Entry{Path: "/f", Mode: 0o644, File: file}
	cases := map[string]struct {
		reason string
		change func(*testing.T, *Entry)
		same   bool
	}{
		"same":    {"The same content is the same layer.", func(*testing.T, *Entry) {}, true},
		"path":    {"Another path is another.", func(_ *testing.T, e *Entry) { e.Path = "/g" }, false},
		"mode":    {"Another mode is another.", func(_ *testing.T, e *Entry) { e.Mode = 0o755 }, false},
		"id":      {"So is another known content.", func(_ *testing.T, e *Entry) { e.ID = "h1:x" }, false},
		"content": {"So is another content.", func(t *testing.T, e *Entry) { e.File += "2"; mustWrite(t, e.File, "2", 0o644) }, false},
		"time":    {"Times do not matter.", func(t *testing.T, e *Entry) { e.File += "3"; mustWrite(t, e.File, "1", 0o600) }, true},
	}
	want, err := Layer{Entries: []Entry{base}}.key()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			e := base
			tc.change(t, &e)
			got, err := Layer{Entries: []Entry{e}}.key()
			if err != nil {
				t.Fatal(err)
			}
			if (got == want) != tc.same {
				t.Errorf("%s\nwant the same key: %v, got %s and %s", tc.reason, tc.same, want, got)
			}
		})
	}
}
