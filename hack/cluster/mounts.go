package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// mount is one line of /proc/self/mountinfo.
type mount struct{ point, kind string }

// parseMounts reads the format of proc(5): the mount point is the fifth field, with space, tab, newline and backslash
// as octal escapes; the kind of file system follows the lone dash.
func parseMounts(mountinfo string) []mount {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var mounts []mount
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		dash := slices.Index(fields, "-")
		if dash < 5 || dash+1 >= len(fields) {
			continue
		}
		mounts = append(mounts, mount{point: unescape.Replace(fields[4]), kind: fields[dash+1]})
	}
	return mounts
}

func currentMounts() ([]mount, error) {
	info, err := os.ReadFile("/proc/self/mountinfo")
	return parseMounts(string(info)), err
}

// mountsBelow returns the mount points in dir, the latest first, as they must be unmounted.
func mountsBelow(dir string) ([]string, error) {
	mounts, err := currentMounts()
	var points []string
	for _, m := range slices.Backward(mounts) {
		if strings.HasPrefix(m.point, dir+"/") {
			points = append(points, m.point)
		}
	}
	return points, err
}

// unmountAll unmounts everything in the state folder: containers' root file systems, pods' volumes and network
// namespaces. Nothing runs any more; what a mount in another namespace still holds goes when that does.
func (l layout) unmountAll() error {
	points, err := mountsBelow(l.state)
	if err != nil {
		return err
	}
	for _, point := range points {
		if e := unmount(point); e != nil {
			err = errors.Join(err, fmt.Errorf("unmount %s: %w", point, e))
		}
	}
	return err
}
