package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// realTable knows this test's own processes in the real
// /proc, which only Linux has.
func realTable(t *testing.T) processTable {
	t.Helper()
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

// A process is seen at every moment, also while the kernel exchanges its program.
func TestProcessTable_findDuringExec(t *testing.T) {
	table := realTable(t)
	script := filepath.Join(table.state, "again")
	if err := os.WriteFile(script, []byte("exec /bin/sh \"$0\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pid := startForTest(t, table, "exec /bin/sh "+script)
	for range 2000 {
		if !table.alive(pid) {
			t.Fatal("it was not seen")
		}
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
