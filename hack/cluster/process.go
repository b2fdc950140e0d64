package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// mark is the environment variable that every process of the cluster carries, and hands on to its children
// (containerd's shims above all). Its value is the component's name and the state folder.
//
// It takes the place of pid files. A pid file can be missing (the starter was killed before it wrote it) or stale (the
// number belongs to somebody else by now); the environment that a process was started with is neither.
const mark = "GROUNDWORK_CLUSTER_PROCESS"

func markValue(component, state string) string { return component + "@" + state }

// process is a process of this cluster, as it was seen.
type process struct {
	pid       int
	component string
	main      bool // the component itself, not a child of it
	argv      []string
}

// processTable reads the marks below proc ("/proc" but in tests) and knows the processes of one state folder.
type processTable struct{ proc, state string }

// read returns the process pid if it is one of ours and has not ended. (A zombie has no environment any more.)
func (t processTable) read(pid int) (process, bool) {
	dir := filepath.Join(t.proc, strconv.Itoa(pid))
	environ, stat, err := environOf(dir)
	if err != nil {
		return process{}, false
	}
	component, ok := componentOf(environ, t.state)
	if !ok {
		return process{}, false
	}
	cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil {
		return process{}, false
	}
	return process{
		pid:       pid,
		component: component,
		main:      session(stat) == pid, // start makes each component the leader of a session
		argv:      strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00"),
	}, true
}

// environOf reads /proc/PID/environ, and /proc/PID/stat with it. While a process is in execve(2) its environment reads as
// empty, so an empty one of a process that lives is looked at again; one that stays empty is believed.
func environOf(dir string) (environ, stat []byte, err error) {
	for range 20 {
		if environ, err = os.ReadFile(filepath.Join(dir, "environ")); err != nil {
			return nil, nil, err
		}
		if stat, err = os.ReadFile(filepath.Join(dir, "stat")); err != nil {
			return nil, nil, err
		}
		if len(environ) > 0 || !hasMemory(stat) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return environ, stat, nil
}

// statField takes a field of /proc/PID/stat by its number in proc_pid_stat(5), from 3 on; "" when it has none. The
// second field, the command in parentheses, may itself hold spaces and parentheses.
func statField(stat []byte, number int) string {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= number-3 {
		return ""
	}
	return fields[number-3]
}

// hasMemory says whether the process has an address space: kernel threads and zombies have none, and so no environment.
func hasMemory(stat []byte) bool {
	size, _ := strconv.ParseUint(statField(stat, 23), 10, 64)
	return size > 0
}

// componentOf finds the mark of a cluster in state among the NUL-separated variables of /proc/PID/environ.
func componentOf(environ []byte, state string) (string, bool) {
	for v := range bytes.SplitSeq(environ, []byte{0}) {
		value, ok := strings.CutPrefix(string(v), mark+"=")
		if !ok {
			continue
		}
		component, _, _ := strings.Cut(value, "@")
		return component, value == markValue(component, state)
	}
	return "", false
}

// session takes the session's id from /proc/PID/stat; 0 when it has none.
func session(stat []byte) int {
	id, _ := strconv.Atoi(statField(stat, 6))
	return id
}

// list returns all processes of the cluster, children included.
func (t processTable) list() ([]process, error) {
	entries, err := os.ReadDir(t.proc)
	if err != nil {
		return nil, err
	}
	var all []process
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := t.read(pid); ok {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// find returns the component's own process.
func (t processTable) find(component string) (process, bool, error) {
	all, err := t.list()
	for _, p := range all {
		if p.main && p.component == component {
			return p, true, nil
		}
	}
	return process{}, false, err
}

// send signals the process if it is still one that ours accepts. FindProcess holds on to the process by a
// pidfd, so that it cannot be replaced by another of the same number between the look and the signal.
func send(pid int, sig syscall.Signal, ours func(pid int) bool) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if ours(pid) {
		err = p.Signal(sig)
	}
	if err := errors.Join(err, p.Release()); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %v to process %d: %w", sig, pid, err)
	}
	return nil
}

func (t processTable) alive(pid int) bool {
	_, ok := t.read(pid)
	return ok
}

// end stops a process: SIGTERM, and SIGKILL when it is still there after grace.
func (t processTable) end(ctx context.Context, pid int, grace time.Duration) error {
	for _, step := range []struct {
		sig  syscall.Signal
		wait time.Duration
	}{{syscall.SIGTERM, grace}, {syscall.SIGKILL, 10 * time.Second}} {
		if err := send(pid, step.sig, t.alive); err != nil {
			return err
		}
		if poll(ctx, step.wait, func() bool { return !t.alive(pid) }) {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("process %d does not end, not even by SIGKILL", pid)
}

// endAll kills every process of the cluster that is left.
func (t processTable) endAll(ctx context.Context) error {
	var failure error
	gone := poll(ctx, 10*time.Second, func() bool {
		all, err := t.list()
		for _, p := range all {
			err = errors.Join(err, send(p.pid, syscall.SIGKILL, t.alive))
		}
		failure = err
		return err == nil && len(all) == 0
	})
	if gone {
		return nil
	}
	return errors.Join(ctx.Err(), failure, errors.New("some processes of the cluster do not end"))
}

// start runs argv as component in a session of its own, so that neither the terminal's Ctrl-C nor the end of this
// program reaches it. The output goes to log; the log of the start before is kept beside it as log.1.
func (t processTable) start(component string, argv, env []string, log string) (int, error) {
	if err := os.Rename(log, log+".1"); err != nil && !os.IsNotExist(err) {
		return 0, err
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = "/"
	cmd.Env = slices.Concat(env, []string{mark + "=" + markValue(component, t.state)})
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = ownSession()
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", component, err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // so that it does not stay a zombie when it ends while we watch
	for !t.alive(cmd.Process.Pid) {              // the kernel shows the new environment a moment after Start has returned
		select {
		case <-ended:
			return cmd.Process.Pid, nil
		case <-time.After(time.Millisecond):
		}
	}
	return cmd.Process.Pid, nil
}

// poll tries until done says yes, every 50 ms, for at most d.
func poll(ctx context.Context, d time.Duration, done func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		if done() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
}
