package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// process is a database server that runs as long as the emulator.
type process struct {
	*os.Process
	exited chan struct{} // closed when it has ended
}

// startProcess starts a server, which ends with the emulator, also when that is killed, if endWithParent has said so. What it
// prints goes to a file.
func startProcess(cmd *exec.Cmd, logFile string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", filepath.Base(cmd.Path), err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	p := &process{exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // for endWithParent: the parent is this thread
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the log tells why it ended
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	p.Process = cmd.Process
	return p, nil
}

// end tells the server to end, and waits for that. It may be called twice.
func (p *process) end(signal syscall.Signal) {
	_ = p.Signal(signal) // an error means that it has ended already
	<-p.exited
}
