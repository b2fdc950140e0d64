package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPostgresServer_find(t *testing.T) {
	found := &postgresServer{}
	if err := found.find(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := (&postgresServer{bin: found.bin}).find(t.Context()); err != nil {
		t.Errorf("the same folder, given: %v", err)
	}
	empty := t.TempDir()
	err := (&postgresServer{bin: empty}).find(t.Context())
	if _, ok := errors.AsType[*setupError](err); !ok || !strings.Contains(err.Error(), empty+" is not the folder of a PostgreSQL server") {
		t.Errorf("a folder without programs: %v", err)
	}
}

func Test_closedParent(t *testing.T) {
	open := dataDir(t)
	closed := filepath.Join(open, "closed")
	if err := os.MkdirAll(filepath.Join(closed, "open"), 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(closed, 0o770); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ dir, want string }{
		"All above are open.":           {filepath.Join(open, "data"), ""},
		"The folder itself may be not.": {closed, ""},
		"The one above is closed.":      {filepath.Join(closed, "data"), closed},
		"One further up is closed.":     {filepath.Join(closed, "open", "data"), closed},
		"The one above is yet to come.": {filepath.Join(closed, "missing", "data"), closed},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := closedParent(test.dir); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPostgresServer_start(t *testing.T) {
	dir := dataDir(t)
	left, err := startPostgres(t.Context(), "", dir)
	if err != nil {
		t.Fatal(err)
	}
	// The first one is still there, as it is after an emulator was killed where nobody stops its server.
	next, err := startPostgres(t.Context(), "", dir)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-left.server.exited:
	case <-time.After(10 * time.Second):
		t.Error("two servers on the same data")
	}
	left.stop()
	next.stop()
}

func TestPostgresServer_prepare(t *testing.T) {
	_, err := startPostgres(t.Context(), "", filepath.Join(t.TempDir(), strings.Repeat("long", 25)))
	if _, ok := errors.AsType[*setupError](err); !ok || !strings.Contains(err.Error(), "is too long for a Unix socket") {
		t.Errorf("a path too long: %v", err)
	}
}

func TestPostgresServer_waitReady(t *testing.T) {
	dir := dataDir(t)
	server, err := startPostgres(t.Context(), "", dir)
	if err != nil {
		t.Fatal(err)
	}
	server.stop()
	if err := os.WriteFile(filepath.Join(dir, "postgres", "data", "PG_VERSION"), []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = startPostgres(t.Context(), "", dir)
	if want := "PostgreSQL ended while starting, see " + filepath.Join(dir, "postgres", "server.log"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a server that cannot start: got %v, want %s", err, want)
	}
}
