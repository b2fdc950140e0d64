package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

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

// realTable knows this test's own processes in the real /proc.
func realTable(t *testing.T) processTable {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc, which only Linux has")
	}
	return processTable{proc: "/proc", state: t.TempDir()}
}

func startForTest(t *testing.T, table processTable, script string) int {
	t.Helper()
	pid, err := table.start("sleeper", []string{"/bin/sh", "-c", script}, nil, filepath.Join(table.state, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := table.endAll(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return pid
}

func TestProcessTable_start(t *testing.T) {
	table := realTable(t)
	pid := startForTest(t, table, "echo first; exec sleep 100")
	p, found, err := table.find("sleeper")
	if err != nil || !found || p.pid != pid {
		t.Fatalf("found %+v %v %v, want process %d", p, found, err, pid)
	}
	wrote := func(file string) bool {
		log, err := os.ReadFile(filepath.Join(table.state, file))
		return err == nil && string(log) == "first\n"
	}
	if !poll(context.Background(), 5*time.Second, func() bool { return wrote("log") }) {
		t.Error("the output is not in the log")
	}
	if err := table.end(context.Background(), pid, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if _, found, err := table.find("sleeper"); found || err != nil {
		t.Errorf("it is still there: %v", err)
	}
	startForTest(t, table, "exec sleep 100")
	if !wrote("log.1") {
		t.Error("the log of the start before is not kept")
	}
}

func TestProcessTable_end(t *testing.T) {
	table := realTable(t)
	pid := startForTest(t, table, `trap "" TERM; while :; do sleep 0.1; done`)
	time.Sleep(200 * time.Millisecond) // until the trap is set
	if err := table.end(context.Background(), pid, 300*time.Millisecond); err != nil {
		t.Fatalf("a process that ignores SIGTERM: %v", err)
	}
	if table.alive(pid) {
		t.Error("it is still there")
	}
}

func TestProcessTable_endAll(t *testing.T) {
	table := realTable(t)
	startForTest(t, table, "sleep 100 & sleep 100 & wait")
	if !poll(context.Background(), 5*time.Second, func() bool { all, _ := table.list(); return len(all) == 3 }) {
		t.Fatal("the children did not inherit the mark")
	}
	if err := table.endAll(context.Background()); err != nil {
		t.Fatal(err)
	}
	if all, err := table.list(); len(all) != 0 || err != nil {
		t.Errorf("left: %+v %v", all, err)
	}
}

func TestSend(t *testing.T) {
	table := realTable(t)
	foreign := exec.Command("/bin/sleep", "100")
	if err := foreign.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = foreign.Wait(); close(ended) }()
	t.Cleanup(func() { _ = foreign.Process.Kill(); <-ended })
	if err := send(foreign.Process.Pid, syscall.SIGKILL, table.alive); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
		t.Error("a process without our mark was killed")
	case <-time.After(300 * time.Millisecond):
	}
}
