package bundle

import (
	"strings"
	"testing"
)

func TestLoadModules(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	writeModule(t, a, providerHash)
	writeModule(t, b, providerHash)
	cases := map[string]struct {
		reason    string
		libraries []string
		wantErr   string
	}{
		"one":   {"A library is loaded.", []string{a}, ""},
		"twice": {"A name is in one library only.", []string{a, b}, "the module thing is in"},
		"empty": {"A bundle has modules.", []string{t.TempDir()}, "no module in"},
		"none":  {"A library is there.", []string{"/nonexistent"}, "/nonexistent"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := LoadModules(tc.libraries)
			if tc.wantErr == "" && err != nil || tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
				t.Errorf("%s\nwant the error %q, got %v", tc.reason, tc.wantErr, err)
			}
		})
	}
}
