package main

import "errors"

// The exit codes, for scripts; 0 is success. docs/cli.md lists them too.
const (
	exitFailed   = 1
	exitMisused  = 2
	exitTimedOut = 3
	// exitStalled: a person has to change something.
	exitStalled = 4
	// exitNeedsApproval: a plan waits for approval.
	exitNeedsApproval = 5
	// exitChanges: a plan changes something, which was asked.
	exitChanges = 6
	// exitInterrupted is that of shells for SIGINT.
	exitInterrupted = 130
)

// exitCodes is the help of commands that wait.
const exitCodes = `Exit codes:
  0  it is so
  1  it failed, or cannot come any more
  2  the command was used wrongly
  3  the time was up
  4  the object is stalled: a person has to change something
  5  a plan waits for approval`

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	error
}

func (e exitError) Unwrap() error { return e.error }

// misused marks an error as a wrong use of a command; nil stays nil.
func misused(err error) error {
	if err == nil {
		return nil
	}
	return exitError{exitMisused, err}
}

// exitCode returns the exit code for an error.
func exitCode(err error) int {
	var e exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.code
	}
	return exitFailed
}
