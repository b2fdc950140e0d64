package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// clusterLock serialises the commands that change the cluster. There is one per machine, whatever the state folder:
// the bridge and the addresses exist once.
const clusterLock = "/run/groundwork-cluster.lock"

// lock takes the lock file at path and waits for whoever has it, telling so once. The kernel lets go of it when this
// process ends, however it ends. The returned function removes the file and lets go.
func lock(ctx context.Context, path, command string, log *progress) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	told := false
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		busy, err := tryLock(f)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if !busy && sameFile(f, path) {
			if err := nameHolder(f, command); err != nil {
				f.Close()
				return nil, fmt.Errorf("lock %s: %w", path, err)
			}
			return func() { os.Remove(path); f.Close() }, nil
		}
		f.Close()
		if holder, err := os.ReadFile(path); err == nil && len(holder) > 0 && !told {
			log.printf("waiting for %s to finish", holder)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// nameHolder writes into the lock file who has it, for those who wait.
func nameHolder(f *os.File, command string) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintf(f, "`%s` (process %d)", command, os.Getpid())
	return err
}

// sameFile tells whether path still names f: its last holder may have removed it between our open and our lock.
func sameFile(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(mine, now)
}
