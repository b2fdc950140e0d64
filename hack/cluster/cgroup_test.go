package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMissingControllers(t *testing.T) {
	v1 := []mount{
		{"/sys/fs/cgroup", "tmpfs"}, {"/sys/fs/cgroup/cpu,cpuacct", "cgroup"}, {"/sys/fs/cgroup/cpuset", "cgroup"},
		{"/sys/fs/cgroup/memory", "cgroup"}, {"/sys/fs/cgroup/pids", "cgroup"}, {"/sys/fs/cgroup/unified", "cgroup2"},
		{"/somewhere/else/memory", "cgroup"},
	}
	v2 := []mount{{"/sys/fs/cgroup", "cgroup2"}}
	for name, tc := range map[string]struct {
		mounts    []mount
		available string
		want      []string
	}{
		"version 1":                         {v1, "", nil},
		"version 1 without memory":          {append(slices.Clone(v1[:3]), v1[4:]...), "", []string{"memory"}},
		"version 2":                         {v2, "cpuset cpu io memory hugetlb pids\n", nil},
		"version 2, not delegated":          {v2, "memory pids\n", []string{"cpu", "cpuset"}},
		"no cgroups at all":                 {nil, "", []string{"cpu", "cpuset", "memory", "pids"}},
		"version 2 beside version 1 unused": {v1[5:], "", []string{"cpu", "cpuset", "memory", "pids"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := missingControllers(hierarchies(tc.mounts), tc.available)
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEnableControllers(t *testing.T) {
	v1, v2 := t.TempDir(), t.TempDir()
	if err := enableControllers(v1); err != nil {
		t.Errorf("version 1: %v", err)
	}
	for file, text := range map[string]string{"cgroup.controllers": "cpuset cpu memory\n", "cgroup.subtree_control": ""} {
		if err := os.WriteFile(filepath.Join(v2, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := enableControllers(v2); err != nil {
		t.Errorf("version 2: %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(v2, "cgroup.subtree_control")); err != nil || string(got) != "+cpuset +cpu +memory" {
		t.Errorf("written: %q %v", got, err)
	}
}

func TestPodProcesses(t *testing.T) {
	cpu, memory := t.TempDir(), t.TempDir()
	for file, pids := range map[string]string{
		filepath.Join(cpu, cgroupName, "kubepods/pod1/cgroup.procs"):    "12\n13\n",
		filepath.Join(memory, cgroupName, "kubepods/pod1/cgroup.procs"): "12\n14\n",
		filepath.Join(memory, cgroupName, "cgroup.procs"):               "",
		filepath.Join(memory, "kubepods/pod2/cgroup.procs"):             "99\n", // another kubelet's
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(pids), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := podProcesses([]string{cpu, memory, "/nowhere"})
	slices.Sort(got)
	if diff := cmp.Diff([]int{12, 13, 14}, got); diff != "" {
		t.Error(diff)
	}
}
