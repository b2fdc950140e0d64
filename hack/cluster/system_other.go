//go:build !linux

package main

import (
	"errors"
	"os"
	"syscall"
)

// On other systems this program only says that it needs Linux; these let it be compiled.

func tryLock(*os.File) (bool, error)   { return false, errors.ErrUnsupported }
func ownSession() *syscall.SysProcAttr { return nil }
func unmount(string) error             { return errors.ErrUnsupported }
