package main

import (
	"os"
	"path/filepath"
	"strings"
)

// removeShimSockets removes the sockets of containerd's shims. They lie in /run/containerd/s, which all containerds of
// a machine share; each pod's folder names its own.
func (l layout) removeShimSockets() error {
	files, err := filepath.Glob(l.runtime("containerd/io.containerd.runtime.v2.task/k8s.io/*/address"))
	if err != nil {
		return err
	}
	for _, file := range files {
		address, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		socket := strings.TrimPrefix(string(address), "unix://")
		if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
