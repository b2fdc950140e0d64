package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// hierarchies returns where control groups are mounted: one folder on version 2, one for each controller on version 1.
func hierarchies(mounts []mount) []string {
	var dirs []string
	for _, m := range mounts {
		if (m.kind == "cgroup" || m.kind == "cgroup2") && strings.HasPrefix(m.point, "/sys/fs/cgroup") {
			dirs = append(dirs, m.point)
		}
	}
	return dirs
}

// missingControllers returns what kubelet needs and this machine does not offer. available holds the controllers of
// version 2 from cgroup.controllers, empty on version 1.
func missingControllers(dirs []string, available string) []string {
	offered := strings.Fields(available)
	for _, dir := range dirs {
		offered = append(offered, strings.Split(filepath.Base(dir), ",")...) // v1: "cpu,cpuacct"
	}
	return slices.DeleteFunc([]string{"cpu", "cpuset", "memory", "pids"}, func(c string) bool {
		return slices.Contains(offered, c)
	})
}

func cgroupDirs() ([]string, error) {
	mounts, err := currentMounts()
	return hierarchies(mounts), err
}

func checkCgroups() error {
	dirs, err := cgroupDirs()
	if err != nil {
		return err
	}
	available, _ := os.ReadFile("/sys/fs/cgroup/cgroup.controllers")
	if missing := missingControllers(dirs, string(available)); len(missing) > 0 {
		return refuse("the cgroup controllers %s are not available: in a container, run it with --privileged and --cgroupns=host",
			strings.Join(missing, ", "))
	}
	return nil
}

// createCgroups makes the parent of all pods' cgroups, which kubelet wants to find.
func createCgroups() error {
	dirs, err := cgroupDirs()
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := enableControllers(dir); err != nil {
			return err
		}
		if err := os.Mkdir(filepath.Join(dir, cgroupName), 0o755); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}

// enableControllers lets the cgroups in dir use all controllers that dir has, as kubelet demands of the pods' parent;
// runc does the same for every container. It is not undone: others may rely on it by then. Version 1 has no such file.
func enableControllers(dir string) error {
	available, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil || len(strings.Fields(string(available))) == 0 {
		return err
	}
	wish := "+" + strings.Join(strings.Fields(string(available)), " +")
	if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte(wish), 0); err != nil {
		return fmt.Errorf("enable the cgroup controllers (in a container, its processes must not be in its root cgroup): %w", err)
	}
	return nil
}

// endPods kills all processes in the pods' cgroups. Containers survive containerd and its shims, so this is what ends them.
func endPods(ctx context.Context) error {
	dirs, err := cgroupDirs()
	if err != nil {
		return err
	}
	var failure error
	ended := poll(ctx, 20*time.Second, func() bool {
		pids := podProcesses(dirs)
		failure = nil
		for _, pid := range pids {
			failure = errors.Join(failure, send(pid, syscall.SIGKILL, inPod))
		}
		return len(pids) == 0
	})
	if ended {
		return nil
	}
	return errors.Join(ctx.Err(), failure, errors.New("some processes of pods do not end"))
}

// podProcesses lists what is in our cgroups; a cgroup that vanishes meanwhile has none.
func podProcesses(hierarchies []string) []int {
	var pids []int
	for _, group := range podGroups(hierarchies) {
		procs, err := os.ReadFile(filepath.Join(group, "cgroup.procs"))
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(procs)) {
			if pid, err := strconv.Atoi(field); err == nil && !slices.Contains(pids, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// podGroups returns the parent of the pods' cgroups and all below it, in each hierarchy, parents first.
func podGroups(hierarchies []string) []string {
	var groups []string
	for _, dir := range hierarchies {
		// Nothing can fail here: what cannot be read has gone.
		_ = filepath.WalkDir(filepath.Join(dir, cgroupName), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				groups = append(groups, path)
			}
			return nil
		})
	}
	return groups
}

func inPod(pid int) bool {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return err == nil && strings.Contains(string(groups), ":/"+cgroupName+"/")
}

// removeCgroups removes the empty cgroups that pods left, and their parent.
func removeCgroups() error {
	dirs, err := cgroupDirs()
	if err != nil {
		return err
	}
	for _, group := range slices.Backward(podGroups(dirs)) {
		if e := os.Remove(group); e != nil && !os.IsNotExist(e) {
			err = errors.Join(err, fmt.Errorf("remove cgroup: %w", e))
		}
	}
	return err
}
