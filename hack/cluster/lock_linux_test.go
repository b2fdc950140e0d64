package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "lock")
	unlock, err := lock(context.Background(), path, "up", newProgress(new(strings.Builder)))
	if err != nil {
		t.Fatal(err)
	}

	var told strings.Builder
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := lock(short, path, "wipe", newProgress(&told)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the second got %v, want to wait in vain", err)
	}
	if n := strings.Count(told.String(), "waiting for `up` (process "); n != 1 {
		t.Errorf("told %d times what it waits for: %q", n, told.String())
	}

	next := make(chan error)
	go func() {
		unlock, err := lock(context.Background(), path, "wipe", newProgress(new(strings.Builder)))
		if err == nil {
			unlock()
		}
		next <- err
	}()
	time.Sleep(50 * time.Millisecond)
	unlock()
	if err := <-next; err != nil {
		t.Errorf("the third got %v, want the lock", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the lock file is left: %v", err)
	}
}
