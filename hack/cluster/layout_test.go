package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewLayout(t *testing.T) {
	for name, tc := range map[string]struct {
		env     map[string]string
		want    layout
		refused string
	}{
		"the cache is in the home folder": {
			env:  map[string]string{"HOME": "/home/me"},
			want: layout{state: defaultState, cache: "/home/me/.cache/groundwork"},
		},
		"XDG_CACHE_HOME comes before the home folder": {
			env:  map[string]string{"HOME": "/home/me", "XDG_CACHE_HOME": "/cache"},
			want: layout{state: defaultState, cache: "/cache/groundwork"},
		},
		"our own variables come first": {
			env:  map[string]string{"XDG_CACHE_HOME": "/cache", cacheVariable: "/c/", stateVariable: "/s"},
			want: layout{state: "/s", cache: "/c"},
		},
		"no home at all":        {env: map[string]string{}, refused: cacheVariable},
		"a relative folder":     {env: map[string]string{"HOME": "/", stateVariable: "state"}, refused: "absolute"},
		"too long for a socket": {env: map[string]string{"HOME": "/", stateVariable: "/" + strings.Repeat("s", 70)}, refused: "sockets"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newLayout(func(v string) string { return tc.env[v] })
			if tc.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refused) {
					t.Fatalf("got %v, want a refusal with %q", err, tc.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(layout{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLayout_createState(t *testing.T) {
	t.Run("what was created can be created again, and removed", func(t *testing.T) {
		l := layout{state: filepath.Join(t.TempDir(), "state")}
		for range 2 {
			if err := l.createState(); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.removeState(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(l.state); !os.IsNotExist(err) {
			t.Errorf("the folder is still there: %v", err)
		}
	})
	t.Run("somebody else's folder is neither used nor removed", func(t *testing.T) {
		l := layout{state: t.TempDir()}
		precious := filepath.Join(l.state, "thesis.tex")
		if err := os.WriteFile(precious, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.createState(); exitCode(new(strings.Builder), err) != 2 {
			t.Errorf("create: %v, want a refusal", err)
		}
		if err := l.removeState(); exitCode(new(strings.Builder), err) != 2 {
			t.Errorf("remove: %v, want a refusal", err)
		}
		if _, err := os.Stat(precious); err != nil {
			t.Error(err)
		}
	})
	t.Run("removing what is not there is no error", func(t *testing.T) {
		if err := (layout{state: filepath.Join(t.TempDir(), "state")}).removeState(); err != nil {
			t.Error(err)
		}
	})
}
