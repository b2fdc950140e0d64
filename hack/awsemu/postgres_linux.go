package main

import "syscall"

// endWithParent makes the kernel stop a process when the one that started it is killed.
func endWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGINT }
