package terraform

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memoryEvents returns the file below a cgroup mount that counts kills for want
// of memory.
// Source: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.events) and
// https://docs.kernel.org/admin-guide/cgroup-v1/memory.html (memory.oom_control)
func memoryEvents(root string) string {
	v1 := filepath.Join(root, "memory", "memory.oom_control")
	if _, err := os.Stat(v1); err == nil {
		return v1
	}
	return filepath.Join(root, "memory.events")
}

// oomKills reads the number of processes that were killed for want of memory; 0
// when the file does not tell.
func oomKills(file string) int {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if count, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(count))
			return n
		}
	}
	return 0
}
