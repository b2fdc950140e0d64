package devenv

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// goTool runs the go command at the repository's root; its output goes to the log.
func (s *Stage) goTool(ctx context.Context, args ...string) error {
	cmd := command(ctx, s.Root, "go", args...)
	cmd.Stdout, cmd.Stderr = s.options.Log, s.options.Log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", cmd, err)
	}
	return nil
}

// output runs a command and returns what it prints.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	return outputOf(command(ctx, dir, name, args...))
}

func outputOf(cmd *exec.Cmd) (string, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", cmd, err, strings.TrimSpace(errs.String()))
	}
	return out.String(), nil
}

// command makes a command in a process group of its own, so that Ctrl-C reaches it
// through ctx alone: as SIGINT, and as SIGKILL when that does not help.
func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 30 * time.Second
	return cmd
}

// Kubectl runs kubectl against the stage's cluster and returns what it prints.
func (s *Stage) Kubectl(ctx context.Context, args ...string) (string, error) {
	return output(ctx, s.Root, s.kubectl, append([]string{"--kubeconfig=" + s.Kubeconfig}, args...)...)
}
