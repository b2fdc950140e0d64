package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// hostRecord is what the cluster's components change outside the state folder, as it was before. It is written before
// the first change; as long as it exists, the bridge and the nftables tables of our names are ours too.
type hostRecord struct {
	Sysctls map[string]string `json:"sysctls"` // file below /proc/sys → value before
	Absent  []string          `json:"absent"`  // folders that did not exist before
}

// changedSysctls are set by kubelet (setupKernelTunables) and, the last, by the CNI bridge plugin.
func changedSysctls() []string {
	return []string{
		"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
		"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes", "net/ipv4/ip_forward",
	}
}

// fixedFolders are those whose place is fixed in the code of kubelet, containerd and libcni, parents first.
func fixedFolders() []string {
	return []string{
		"/var/log/containers",
		"/var/lib/kubelet", deviceFolder,
		"/var/lib/cni", resultsFolder,
		"/run/containerd", "/run/containerd/s",
	}
}

const (
	deviceFolder  = "/var/lib/kubelet/device-plugins"
	resultsFolder = "/var/lib/cni/results"
)

// checkHost refuses a machine on which the cluster would get in the way of something, or the other way round.
func (l layout) checkHost() error {
	if err := l.checkState(); err != nil {
		return err
	}
	if err := checkCgroups(); err != nil {
		return err
	}
	if _, err := os.Stat(l.hostRecord()); err == nil {
		return nil // what is there is ours
	}
	if _, err := net.InterfaceByName(bridgeName); err == nil {
		return refuse("there is a network interface %s already: a cluster with another %s? Wipe that one first",
			bridgeName, stateVariable)
	}
	if conn, err := net.Dial("unix", filepath.Join(deviceFolder, "kubelet.sock")); err == nil {
		conn.Close()
		return refuse("another kubelet runs on this machine: use its cluster (CLUSTER=existing), or another machine")
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	return checkAddresses(addresses)
}

// checkAddresses refuses a machine whose own networks overlap those of the cluster.
func checkAddresses(addresses []net.Addr) error {
	for _, a := range addresses {
		theirs, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		for _, ours := range []string{podCIDR, serviceCIDR} {
			if theirs.Overlaps(netip.MustParsePrefix(ours)) {
				return refuse("this machine's address %s lies in %s, which the cluster uses: it cannot run here", a, ours)
			}
		}
	}
	return nil
}

// recordHost writes the host record unless there is one.
func (l layout) recordHost() error {
	if _, err := os.Stat(l.hostRecord()); err == nil {
		return nil
	}
	r := hostRecord{Sysctls: map[string]string{}}
	for _, name := range changedSysctls() {
		if value, err := os.ReadFile(filepath.Join("/proc/sys", name)); err == nil {
			r.Sysctls[name] = strings.TrimSpace(string(value))
		}
	}
	for _, dir := range fixedFolders() {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			r.Absent = append(r.Absent, dir)
		}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(l.hostRecord(), text)
}

// restoreHost undoes what the host record names and removes it. Without a record there is nothing to undo.
func (l layout) restoreHost() error {
	text, err := os.ReadFile(l.hostRecord())
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var r hostRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("read %s: %w", l.hostRecord(), err)
	}
	err = l.removeTraces(r)
	for name, before := range r.Sysctls {
		err = errors.Join(err, restoreSysctl(filepath.Join("/proc/sys", name), before))
	}
	if err != nil {
		return err
	}
	return os.Remove(l.hostRecord())
}

func restoreSysctl(file, before string) error {
	now, err := os.ReadFile(file)
	if err != nil || strings.TrimSpace(string(now)) == before {
		return err
	}
	return os.WriteFile(file, []byte(before), 0)
}

// removeTraces removes our files from the fixed folders, and those folders that we caused, if they are empty now.
func (l layout) removeTraces(r hostRecord) error {
	links, err := filepath.Glob("/var/log/containers/*")
	if err != nil {
		return err
	}
	var traces []string
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, l.state+"/") {
			traces = append(traces, link)
		}
	}
	if slices.Contains(r.Absent, deviceFolder) {
		for _, name := range []string{"kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION"} {
			traces = append(traces, filepath.Join(deviceFolder, name))
		}
	}
	if err := removeFiles(traces); err != nil {
		return err
	}
	for _, dir := range slices.Backward(r.Absent) {
		os.Remove(dir) // fails when somebody else keeps something there by now
	}
	return nil
}

// writeWhole writes a file so that it is never seen half-written.
func writeWhole(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
