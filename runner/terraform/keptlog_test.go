package terraform

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// lines are n lines of ten bytes each: "00000001 \n".
func lines(from, to int) string {
	var b strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "%08d \n", i)
	}
	return b.String()
}

func TestKeptLog(t *testing.T) {
	const most = 400 // a head of 10 lines, a tail of 30
	cases := map[string]struct{ said, want string }{
		"Nothing.":                  {"", ""},
		"A log that fits is whole.": {lines(1, 40), lines(1, 40)},
		"The middle of one that does not is left out.": {
			lines(1, 41), lines(1, 10) + "… 1 lines (1 KiB) are left out here: the log that is kept has the beginning and the end …\n" + lines(12, 41)},
		"However long it becomes.": {
			lines(1, 5000), lines(1, 10) + "… 4960 lines (49 KiB) are left out here: the log that is kept has the beginning and the end …\n" + lines(4971, 5000)},
		"A line beyond the head ends it, so that the order stays.": {
			lines(1, 9) + strings.Repeat("x", 20) + "\n" + lines(10, 11), lines(1, 9) + strings.Repeat("x", 20) + "\n" + lines(10, 11)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			log := newKeptLog(most)
			for line := range strings.Lines(c.said) {
				if n, err := log.Write([]byte(line)); n != len(line) || err != nil {
					t.Fatalf("Write() = %d, %v", n, err)
				}
			}
			text, version := log.text()
			if diff := cmp.Diff(c.want, string(text)); diff != "" {
				t.Errorf("the kept log (-want +got):\n%s", diff)
			}
			if want := strings.Count(c.said, "\n"); version != want {
				t.Errorf("version %d, want %d", version, want)
			}
		})
	}
}

// TestKeptLog_bounds has lines that are far too long, of characters of several bytes.
func TestKeptLog_bounds(t *testing.T) {
	log := newKeptLog(maxKeptLog)
	for range 200 {
		if _, err := log.Write([]byte(strings.Repeat("é", 50_000) + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	text, _ := log.text()
	const note = 200 // the line that says what is left out
	if len(text) > maxKeptLog+note || len(text) < maxKeptLog/2 || !utf8.Valid(text) {
		t.Errorf("the kept log has %d bytes, valid: %t", len(text), utf8.Valid(text))
	}
	for line := range bytes.Lines(text) {
		if len(line) > maxKeptLine+note {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
	if !strings.HasSuffix(string(text), "é … (82 KiB more)\n") {
		t.Errorf("the end is %q", text[len(text)-40:])
	}
}

// TestKeptLog_copies writes lines from a buffer that is used again, as fmt does.
func TestKeptLog_copies(t *testing.T) {
	log, buffer := newKeptLog(40), []byte("00000000 \n")
	for i := range 4 {
		buffer[7] = '1' + byte(i)
		if _, err := log.Write(buffer); err != nil {
			t.Fatal(err)
		}
	}
	if text, _ := log.text(); string(text) != lines(1, 4) {
		t.Errorf("got %s", text)
	}
}
