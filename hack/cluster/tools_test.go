package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlannedPackages(t *testing.T) {
	plan := `NOTE: This is only a simulation!
Reading package lists...
The following NEW packages will be installed:
  nftables runc
Inst libnftables1 (1.0.6-2+deb12u2 Debian:12.15/oldstable [amd64])
Inst runc [1.1.4] (1.1.5+ds1-1+deb12u1 Debian:12.15/oldstable [amd64]) []
Conf libnftables1 (1.0.6-2+deb12u2 Debian:12.15/oldstable [amd64])
`
	if diff := cmp.Diff([]string{"libnftables1", "runc"}, plannedPackages(plan)); diff != "" {
		t.Error(diff)
	}
}

func TestToolbox_find(t *testing.T) {
	root := t.TempDir()
	b := toolbox{
		unpacked: filepath.Join(root, "unpacked"),
		host:     []string{filepath.Join(root, "bin")},
		hostCNI:  []string{filepath.Join(root, "cni")},
	}
	install := func(path string, mode os.FileMode) string {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	runc := tool{"runc", "runc"}
	bridge := tool{"bridge", cniPackage}

	if got := b.find(runc); got != "" {
		t.Errorf("found %s where nothing is", got)
	}
	install("bin/runc", 0o600)
	if got := b.find(runc); got != "" {
		t.Errorf("found %s, which is not executable", got)
	}
	install("bin/bridge", 0o700) // iproute2 has a program of that name, which is no CNI plugin
	if got := b.find(bridge); got != "" {
		t.Errorf("found %s, which is not the plugin", got)
	}
	onHost := install("bin/runc2", 0o700)
	if got := b.find(tool{"runc2", "runc"}); got != onHost {
		t.Errorf("found %q, want the host's %s", got, onHost)
	}
	unpacked := install("unpacked/usr/sbin/runc2", 0o700)
	if got := b.find(tool{"runc2", "runc"}); got != unpacked {
		t.Errorf("found %q, want the unpacked %s", got, unpacked)
	}
	install("cni/bridge", 0o700)
	if diff := cmp.Diff([]string{"containerd", "runc", "nftables", "iproute2", cniPackage}, b.missing()); diff != "" {
		t.Errorf("missing: %s", diff)
	}
}
