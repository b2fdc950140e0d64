package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckAddresses(t *testing.T) {
	for name, tc := range map[string]struct {
		address string
		refused bool
	}{
		"an ordinary network":           {"192.168.1.7/24", false},
		"beside the pods' network":      {"10.231.1.1/24", false},
		"in the pods' network":          {"10.231.0.77/32", true},
		"around the pods' network":      {"10.1.2.3/8", true},
		"in the services' network":      {"10.96.200.1/24", true},
		"a network of the next version": {"fd00::2/64", false},
	} {
		t.Run(name, func(t *testing.T) {
			ip, network, err := net.ParseCIDR(tc.address)
			if err != nil {
				t.Fatal(err)
			}
			err = checkAddresses([]net.Addr{&net.IPNet{IP: ip, Mask: network.Mask}})
			if (err != nil) != tc.refused {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRestoreSysctl(t *testing.T) {
	file := filepath.Join(t.TempDir(), "panic")
	if err := os.WriteFile(file, []byte("10\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := restoreSysctl(file, "1"); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(now)) != "1" {
		t.Errorf("%q %v, want 1", now, err)
	}
}

func TestParseMounts(t *testing.T) {
	info := `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:26 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
31 22 0:27 / /mnt/with\040space rw master:1 propagate_from:2 - tmpfs tmpfs rw
broken line
`
	want := []mount{{"/", "ext4"}, {"/sys/fs/cgroup/cpu,cpuacct", "cgroup"}, {"/mnt/with space", "tmpfs"}}
	if diff := cmp.Diff(want, parseMounts(info), cmp.AllowUnexported(mount{})); diff != "" {
		t.Error(diff)
	}
}
