package main

import (
	"os"
	"syscall"
)

// tryLock takes an exclusive lock on f, or tells that somebody else has it.
func tryLock(f *os.File) (busy bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		return true, nil
	}
	return false, err
}

// ownSession makes a child the leader of a new session.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// unmount takes a mount out of the tree at once. One that has gone meanwhile is no error.
func unmount(point string) error {
	if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil && err != syscall.EINVAL {
		return err
	}
	return nil
}
