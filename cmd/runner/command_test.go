package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/groundwork-dev/groundwork/runner"
)

func TestCommand(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []string
		want   int
	}{
		"no environment": {"Outside of a pod a run is a mistake.", nil, runner.ExitUsage},
		"unknown":        {"An unknown command is one too.", []string{"apply"}, runner.ExitUsage},
		"sleep":          {"A sleep ends.", []string{"sleep", "0.01"}, runner.ExitSucceeded},
		"sleep what":     {"A sleep needs a number.", []string{"sleep", "long"}, runner.ExitUsage},
		"sleep back":     {"It is not negative.", []string{"sleep", "-1"}, runner.ExitUsage},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv(runner.EnvRun, "")
			if got := command(t.Context(), tc.args); got != tc.want {
				t.Errorf("%s\nwant exit code %d, got %d", tc.reason, tc.want, got)
			}
		})
	}
}

func TestSleep_interrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := sleep(ctx, "3600"); err == nil {
		t.Error("want an interrupted sleep to fail: the module must not go on as if it had waited")
	}
}

func TestCopyModules(t *testing.T) {
	library, dir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(library, "a", "main.tf"), "new")
	write(t, filepath.Join(dir, "a", "main.tf"), "left by a try that was interrupted")
	write(t, filepath.Join(dir, "b", "main.tf"), "no longer in the library")
	if err := copyModules(library, dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "a", "main.tf")); err != nil || string(got) != "new" {
		t.Errorf("want the library's file, got %q, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "b")); !os.IsNotExist(err) {
		t.Errorf("want nothing but the library, b is there: %v", err)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
