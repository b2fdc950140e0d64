package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeProcess writes what /proc shows of a process.
func fakeProcess(t *testing.T, proc string, pid int, environ, command string, session int) {
	t.Helper()
	dir := filepath.Join(proc, strconv.Itoa(pid))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"environ": environ,
		"cmdline": "/bin/" + command + "\x00--flag\x00",
		"stat":    fmt.Sprintf("%d (%s) S 1 %d %d 0 -1 4194560", pid, command, pid, session),
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProcessTable_list(t *testing.T) {
	proc := t.TempDir()
	marked := func(value string) string { return "PATH=/bin\x00" + mark + "=" + value + "\x00HOME=/root\x00" }
	fakeProcess(t, proc, 10, marked("etcd@/state"), "etcd", 10)
	fakeProcess(t, proc, 11, marked("containerd@/state"), "a (b) c", 11)
	fakeProcess(t, proc, 12, marked("containerd@/state"), "containerd-shim", 11)
	fakeProcess(t, proc, 20, "PATH=/bin\x00", "etcd", 20)                                   // not ours at all
	fakeProcess(t, proc, 21, marked("etcd@/state2"), "etcd", 21)                            // of another cluster
	fakeProcess(t, proc, 22, "NOT_"+mark+"=etcd@/state\x00", "etcd", 22)                    // a name that only ends so
	fakeProcess(t, proc, 23, "A=1\n"+mark+"=etcd@/state\x00", "etcd", 23)                   // inside another variable's value
	fakeProcess(t, proc, 24, "", "zombie", 24)                                              // ended
	fakeProcess(t, proc, 25, stateVariable+"=/state\x00", "shell of somebody who sets", 25) // our own setting is no mark
	if err := os.Mkdir(filepath.Join(proc, "sys"), 0o700); err != nil {
		t.Fatal(err)
	}

	got, err := processTable{proc: proc, state: "/state"}.list()
	if err != nil {
		t.Fatal(err)
	}
	want := []process{
		{pid: 10, component: "etcd", main: true, argv: []string{"/bin/etcd", "--flag"}},
		{pid: 11, component: "containerd", main: true, argv: []string{"/bin/a (b) c", "--flag"}},
		{pid: 12, component: "containerd", main: false, argv: []string{"/bin/containerd-shim", "--flag"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(process{})); diff != "" {
		t.Error(diff)
	}
}

func TestProcessTable_find(t *testing.T) {
	proc := t.TempDir()
	fakeProcess(t, proc, 12, mark+"=containerd@/state\x00", "containerd-shim", 11)
	table := processTable{proc: proc, state: "/state"}
	if p, found, err := table.find("containerd"); found || err != nil {
		t.Errorf("a child was taken for the component: %+v %v", p, err)
	}
	fakeProcess(t, proc, 11, mark+"=containerd@/state\x00", "containerd", 11)
	if p, found, err := table.find("containerd"); !found || p.pid != 11 || err != nil {
		t.Errorf("got %+v %v %v, want process 11", p, found, err)
	}
}
