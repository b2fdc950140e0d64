package main

import "syscall"

// endWithParent makes the kernel stop a process by this signal when the one that started it is killed.
func endWithParent(attributes *syscall.SysProcAttr, signal syscall.Signal) {
	attributes.Pdeathsig = signal
}
