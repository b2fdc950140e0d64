package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The cluster's addresses. The node has an address of its own, on a bridge of its own: whatever listens on the host's
// other addresses is not in the way, and a pod reaches a server on the host by binding it to nodeIP.
const (
	nodeName    = "groundwork"
	bridgeName  = "gwbr0"
	nodeIP      = "10.231.0.1"
	nodePrefix  = "24"
	podCIDR     = "10.231.0.0/24"
	serviceCIDR = "10.96.0.0/16"
	serviceIP   = "10.96.0.1" // of the Service default/kubernetes: the first of serviceCIDR
	apiURL      = "https://" + nodeIP + ":6443"

	// cgroupName is the parent of all pods' cgroups; `kubepods`, the usual one, may belong to another kubelet.
	cgroupName = "groundwork-cluster"
	// networkName is CNI's name of the pod network; libcni's cache files begin with it.
	networkName = "groundwork-cluster"
	// natTable is the nftables table that lets pods reach the world beyond the host.
	natTable = "groundwork-cluster"

	stateVariable = "GROUNDWORK_CLUSTER_STATE"
	cacheVariable = "GROUNDWORK_CACHE"
	defaultState  = "/var/lib/groundwork-cluster"

	// A unix socket's path has at most 107 bytes; the longest below the state folder is containerd's, some 40.
	longestState = 60
)

const environmentHelp = "Environment:\n" +
	"  " + stateVariable + "   the cluster's folder (" + defaultState + ")\n" +
	"  " + cacheVariable + "           built binaries ($XDG_CACHE_HOME/groundwork or ~/.cache/groundwork)"

// layout says where everything is kept.
type layout struct {
	cache string // built binaries and unpacked packages; shared by all checkouts, survives wipe
	state string // the cluster itself; its folders are named by the methods below
}

// newLayout reads the two variables; getenv is os.Getenv but for tests.
func newLayout(getenv func(string) string) (layout, error) {
	l := layout{cache: getenv(cacheVariable), state: getenv(stateVariable)}
	if l.state == "" {
		l.state = defaultState
	}
	if l.cache == "" {
		base := getenv("XDG_CACHE_HOME")
		if base == "" && getenv("HOME") != "" {
			base = filepath.Join(getenv("HOME"), ".cache")
		}
		if base == "" {
			return l, refuse("neither HOME nor XDG_CACHE_HOME is set: set %s to a folder for built binaries", cacheVariable)
		}
		l.cache = filepath.Join(base, "groundwork")
	}
	for variable, path := range map[string]string{stateVariable: l.state, cacheVariable: l.cache} {
		if !filepath.IsAbs(path) {
			return l, refuse("%s must be an absolute path, got %q", variable, path)
		}
	}
	l.state, l.cache = filepath.Clean(l.state), filepath.Clean(l.cache)
	if len(l.state) > longestState {
		return l, refuse("%s is longer than %d characters, too long for the unix sockets below it: %s",
			stateVariable, longestState, l.state)
	}
	return l, nil
}

func (l layout) in(elem ...string) string {
	return filepath.Join(append([]string{l.state}, elem...)...)
}

func (l layout) stamp() string              { return l.in(".groundwork-cluster") }
func (l layout) hostRecord() string         { return l.in("host.json") }
func (l layout) kubeconfig() string         { return l.in("kubeconfig") }
func (l layout) pki(file string) string     { return l.in("pki", file) }
func (l layout) config(file string) string  { return l.in("config", file) }
func (l layout) runtime(file string) string { return l.in("run", file) } // cleared by down, as a reboot clears /run
func (l layout) logFile(component string) string {
	return l.in("log", component+".log")
}
func (l layout) containerdSocket() string { return l.runtime("containerd.sock") }
func (l layout) etcdURL() string          { return "unix://" + l.runtime("etcd.sock") }

// createState makes the state folder and stamps it. A folder that holds something else is refused: wipe would delete it.
func (l layout) createState() error {
	if err := l.checkState(); err != nil {
		return err
	}
	if err := os.MkdirAll(l.state, 0o700); err != nil {
		return err
	}
	// The stamp comes first and goes last: whenever this is interrupted, what is there is known as ours.
	if err := os.WriteFile(l.stamp(), nil, 0o600); err != nil {
		return err
	}
	for _, dir := range []string{"run", "log", "config"} {
		if err := os.MkdirAll(l.in(dir), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// checkState refuses a state folder that is not ours.
func (l layout) checkState() error {
	if _, err := os.Stat(l.stamp()); err == nil {
		return nil
	}
	entries, err := os.ReadDir(l.state)
	if os.IsNotExist(err) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return refuse("cannot use %s as the cluster's folder: %v; set %s to another", l.state, err, stateVariable)
	}
	return refuse("%s holds something that is not a cluster: set %s to an empty folder or a new one", l.state, stateVariable)
}

// repository finds this repository's root, whose modules are compiled: from the working directory upwards.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module github.com/groundwork-dev/groundwork\n") {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", refuse("run this inside the Groundwork repository: the Kubernetes sources to build are named there")
		}
	}
}

// removeState deletes the state folder if it is ours. Nothing may be mounted in it: the deletion would go through the
// mount into what a pod had mounted from the host.
func (l layout) removeState() error {
	entries, err := os.ReadDir(l.state)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := l.checkState(); err != nil {
		return err
	}
	left, err := mountsBelow(l.state)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%s is not deleted, something is still mounted there: %s", l.state, strings.Join(left, ", "))
	}
	for _, e := range entries {
		if path := l.in(e.Name()); path != l.stamp() {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(l.stamp()); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Remove(l.state)
}
