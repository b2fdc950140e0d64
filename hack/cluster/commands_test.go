package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCommand_parse(t *testing.T) {
	for name, tc := range map[string]struct {
		command string
		args    []string
		want    arguments
		refused string // part of the reason
	}{
		"flags may follow operands": {
			command: "restart", args: []string{"kube-apiserver", "--down", "60s"},
			want: arguments{names: []string{"kube-apiserver"}, down: time.Minute},
		},
		"flags may precede operands": {
			command: "restart", args: []string{"--down=1m", "etcd"},
			want: arguments{names: []string{"etcd"}, down: time.Minute},
		},
		"several images": {
			command: "load", args: []string{"a.tar", "b.tar"},
			want: arguments{names: []string{"a.tar", "b.tar"}},
		},
		"too few operands":           {command: "load", refused: "usage: cluster load IMAGE.tar..."},
		"too many operands":          {command: "up", args: []string{"now"}, refused: "usage: cluster up"},
		"a flag of another command":  {command: "up", args: []string{"--down", "60s"}, refused: "-down"},
		"a time without its unit":    {command: "restart", args: []string{"etcd", "--down", "60"}, refused: "--help"},
		"a time that runs backwards": {command: "restart", args: []string{"etcd", "--down", "-1s"}, refused: "negative"},
	} {
		t.Run(name, func(t *testing.T) {
			var c command
			for _, c = range commands() {
				if c.name == tc.command {
					break
				}
			}
			got, err := c.parse(tc.args)
			if tc.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refused) {
					t.Fatalf("got %v, want a refusal with %q", err, tc.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(arguments{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}
