package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// removeContainerTraces removes what containers have outside the state folder, in folders that all containerds of a
// machine share: the sockets of their shims in /run/containerd/s, which each container's folder names, and libcni's
// records of the sandboxes' networks. The loopback network has the same name everywhere; ours gives the sandbox away.
func (l layout) removeContainerTraces() error {
	var traces []string
	addresses, err := filepath.Glob(l.runtime("containerd/io.containerd.runtime.v2.task/k8s.io/*/address"))
	if err != nil {
		return err
	}
	for _, file := range addresses {
		if address, err := os.ReadFile(file); err == nil {
			traces = append(traces, strings.TrimPrefix(string(address), "unix://"))
		}
	}
	records, err := filepath.Glob(resultsFolder + "/" + networkName + "-*-eth0")
	if err != nil {
		return err
	}
	for _, record := range records {
		sandbox := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(record), networkName+"-"), "-eth0")
		traces = append(traces, filepath.Join(resultsFolder, "cni-loopback-"+sandbox+"-lo"), record)
	}
	return removeFiles(traces)
}

// removeFiles removes those that are there.
func removeFiles(paths []string) error {
	var failure error
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			failure = errors.Join(failure, err)
		}
	}
	return failure
}
