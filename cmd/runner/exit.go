package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/groundwork-dev/groundwork/runner"
)

// usageError says that the runner was started wrongly.
type usageError string

func (e usageError) Error() string { return string(e) }

// exitCode reports an error and returns the exit code for it.
func exitCode(err error) int {
	if err == nil {
		return runner.ExitSucceeded
	}
	fmt.Fprintln(os.Stderr, "runner:", err)
	if usage := usageError(""); errors.As(err, &usage) {
		return runner.ExitUsage
	}
	return runner.ExitFailed
}
