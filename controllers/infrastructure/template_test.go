package infrastructure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTemplate_fields(t *testing.T) {
	for _, tc := range []struct {
		name string
		text string
		want []string
	}{
		{"Text reads nothing.", "postgres://localhost", nil},
		{"Nothing reads nothing.", "", nil},
		{"A field is read.", "{{ .host }}", []string{"host"}},
		{"Of a path the first is an output.", "{{ .tags.owner.name }}", []string{"tags"}},
		{"Arguments are read.", "{{ index .zones 0 }}{{ urlquery .user }}", []string{"zones", "user"}},
		{"What is in parentheses is read.", "{{ (index .zones 0).name }}{{ len (slice .hosts 1) }}", []string{"zones", "hosts"}},
		{"What is given to a variable is read.", "{{ $x := .host }}{{ $x }}", []string{"host"}},
		{"All of an if is read.", "{{ if .a }}{{ .b }}{{ else if .c }}{{ .d }}{{ else }}{{ .e }}{{ end }}", []string{"a", "b", "c", "d", "e"}},
		{"Within range the dot is an element.", "{{ range .hosts }}{{ .name }}{{ else }}{{ .none }}{{ end }}", []string{"hosts", "none"}},
		{"Within with the dot is what it is given.", "{{ with .db }}{{ .host }}{{ else }}{{ .none }}{{ end }}", []string{"db", "none"}},
		{"The dollar is all outputs anywhere.", "{{ range .hosts }}{{ if $.a }}{{ $.tags.b }}{{ end }}{{ end }}{{ $.c }}", []string{"hosts", "a", "tags", "c"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, got, err := parseTemplate(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A template of a few bytes must not take the controller's time or memory.
func TestParseTemplate_refused(t *testing.T) {
	for _, tc := range []struct {
		name string
		text string
		want string
	}{
		{"A loop over a number is refused.", "{{ range 1000000000000000000 }}{{ end }}", "may range over an output"},
		{"A loop over a length is refused.", "{{ range len .a }}{{ end }}", "may range over an output"},
		{"A loop over a variable is refused.", "{{ $n := 1000000000000000000 }}{{ range $n }}{{ end }}", "may range over an output"},
		{"A loop within a loop is refused.", "{{ range .a }}{{ range $.a }}{{ end }}{{ end }}", "not within another range"},
		{"A loop within a loop's with is refused.", "{{ range .a }}{{ with .b }}{{ range . }}{{ end }}{{ end }}{{ end }}", "not within another range"},
		{"A template that calls itself is refused.", `{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}`, "may not use template"},
		{"A block is refused.", `{{ block "a" . }}{{ end }}`, "may not use template"},
		{"A function that pads is refused.", `{{ printf "%999999d" 1 }}`, "may not use the function printf"},
		{"A function that joins is refused.", `{{ $x := print .a .a }}{{ $x }}`, "may not use the function print"},
		{"A function that doubles is refused.", `{{ .a | js | js }}`, "may not use the function js"},
		{"What is refused is found within an if's else.", `{{ if .a }}{{ else }}{{ (print .a) }}{{ end }}`, "may not use the function print"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, _, err := parseTemplate(tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}
