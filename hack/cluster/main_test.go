package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		out  string // part of the output
		code int
	}{
		"without a command the usage is shown and refused":   {args: nil, code: 2},
		"an unknown command is refused":                      {args: []string{"start"}, code: 2},
		"help goes to standard output":                       {args: []string{"--help"}, out: "usage: cluster COMMAND", code: 0},
		"a command's help tells about its flags":             {args: []string{"restart", "--help"}, out: "-down", code: 0},
		"an unknown component is refused before all else":    {args: []string{"restart", "docker"}, code: 2},
		"an image that is not there is refused, root or not": {args: []string{"load", "/nowhere.tar"}, code: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(stateVariable, t.TempDir())
			var out, progress strings.Builder
			err := run(context.Background(), tc.args, &out, &progress)
			if code := exitCode(&progress, err); code != tc.code {
				t.Errorf("exit code %d (%v), want %d", code, err, tc.code)
			}
			if !strings.Contains(out.String(), tc.out) {
				t.Errorf("output %q, want %q in it", out.String(), tc.out)
			}
		})
	}
}

func TestExitCode(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want int
	}{
		"success":                        {nil, 0},
		"a failure":                      {errors.New("etcd has ended"), 1},
		"a refusal":                      {refuse("not root"), 2},
		"a refusal inside another error": {fmt.Errorf("up: %w", refuse("not root")), 2},
	} {
		if got := exitCode(new(strings.Builder), tc.err); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
}
