//go:build !linux

package main

import "syscall"

// endWithParent does nothing here: the next start stops what a killed emulator has left running.
func endWithParent(*syscall.SysProcAttr, syscall.Signal) {}
