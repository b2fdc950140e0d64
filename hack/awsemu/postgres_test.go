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
	if err := (&postgresServer{}).find(t.Context()); err != nil {
		t.Fatal(err)
	}
	given := &postgresServer{bin: "given"}
	if err := given.find(t.Context()); err != nil || given.bin != "given" {
		t.Errorf("a folder that was given: got %s, %v", given.bin, err)
	}
}

func TestPostgresServer_prepare(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only root runs the server as another user")
		return
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := startPostgres(t.Context(), "", filepath.Join(closed, "data"))
	if _, ok := errors.AsType[*setupError](err); !ok || !strings.Contains(err.Error(), "chmod o+x "+closed) {
		t.Errorf("a folder that the user postgres cannot enter: %v", err)
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
	case <-left.exited:
	case <-time.After(10 * time.Second):
		t.Error("two servers on the same data")
	}
	for _, server := range []*postgresServer{left, next} {
		if err := server.stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestPostgresServer_waitReady(t *testing.T) {
	dir := dataDir(t)
	server, err := startPostgres(t.Context(), "", dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "postgres", "data", "PG_VERSION"), []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = startPostgres(t.Context(), "", dir)
	if want := "PostgreSQL ended while starting, see " + filepath.Join(dir, "postgres", "server.log"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a server that cannot start: got %v, want %s", err, want)
	}
}
