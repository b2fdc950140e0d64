package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// tool is a program that comes from the distribution, not from the Go module proxy.
type tool struct{ file, pkg string }

func neededTools() []tool {
	return []tool{
		{"containerd", "containerd"}, {"containerd-shim-runc-v2", "containerd"}, {"ctr", "containerd"},
		{"runc", "runc"},
		{"nft", "nftables"},
		{"ip", "iproute2"},
		{"bridge", cniPackage}, {"host-local", cniPackage}, {"loopback", cniPackage},
	}
}

const cniPackage = "containernetworking-plugins"

// toolbox finds the tools in the packages that were unpacked into the cache, or else on the host. Unpacking instead of
// installing keeps the host as it is: Debian's containerd package would start a service.
type toolbox struct {
	unpacked string // a folder that holds the packages' usr/
	host     []string
	hostCNI  []string
}

func newToolbox(l layout, path string) toolbox {
	return toolbox{
		unpacked: filepath.Join(l.cache, "debian-"+runtime.GOARCH),
		host:     append(filepath.SplitList(path), "/usr/local/sbin", "/usr/sbin", "/sbin"),
		hostCNI:  []string{"/usr/lib/cni", "/opt/cni/bin"},
	}
}

// folders lists where a tool may be, the unpacked packages first.
func (b toolbox) folders(t tool) []string {
	if t.pkg == cniPackage {
		return append([]string{filepath.Join(b.unpacked, "usr/lib/cni")}, b.hostCNI...)
	}
	return append([]string{filepath.Join(b.unpacked, "usr/sbin"), filepath.Join(b.unpacked, "usr/bin")}, b.host...)
}

// find returns the tool's path, "" when it is nowhere.
func (b toolbox) find(t tool) string {
	for _, dir := range b.folders(t) {
		if info, err := os.Stat(filepath.Join(dir, t.file)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return filepath.Join(dir, t.file)
		}
	}
	return ""
}

// path returns the path of a tool by its name alone; the caller has seen missing return nothing.
func (b toolbox) path(file string) string {
	i := slices.IndexFunc(neededTools(), func(t tool) bool { return t.file == file })
	return b.find(neededTools()[i])
}

// cniDir is the folder with the CNI plugins; containerd knows only one.
func (b toolbox) cniDir() string { return filepath.Dir(b.path("bridge")) }

// missing returns the packages of the tools that are nowhere.
func (b toolbox) missing() []string {
	var pkgs []string
	for _, t := range neededTools() {
		if b.find(t) == "" && !slices.Contains(pkgs, t.pkg) {
			pkgs = append(pkgs, t.pkg)
		}
	}
	return pkgs
}

// environment is what the tools and the components run with: nothing of the caller's but the PATH, so that neither a
// KUBECONFIG nor a proxy setting of theirs changes what the cluster does.
func (b toolbox) environment() []string {
	path := []string{filepath.Join(b.unpacked, "usr/sbin"), filepath.Join(b.unpacked, "usr/bin")}
	libraries, _ := filepath.Glob(filepath.Join(b.unpacked, "usr/lib/*-linux-gnu*"))
	return []string{
		"PATH=" + strings.Join(append(path, b.host...), ":"),
		"LD_LIBRARY_PATH=" + strings.Join(libraries, ":"),
		"HOME=/root",
		"LC_ALL=C",
		"GOGC=400", // fewer collections: memory is there, and two cores are little for all of this
	}
}

// ensure unpacks the packages of missing tools into the cache.
func (b toolbox) ensure(ctx context.Context, log *progress) error {
	pkgs := b.missing()
	if len(pkgs) == 0 {
		return nil
	}
	manual := "install the packages " + strings.Join(pkgs, ", ") + " (CNI plugins in /opt/cni/bin) and run this again"
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return refuse("this machine lacks %s and has no %s: %s", strings.Join(pkgs, ", "), program, manual)
		}
	}
	log.printf("unpacking Debian packages into %s: %s", b.unpacked, strings.Join(pkgs, ", "))
	if err := b.unpack(ctx, pkgs); err != nil {
		return refuse("the Debian packages cannot be had (%v): %s", err, manual)
	}
	if left := b.missing(); len(left) > 0 {
		return refuse("the Debian packages do not hold what is needed of %s: %s", strings.Join(left, ", "), manual)
	}
	return nil
}

// unpack downloads pkgs and what they depend on, as far as the host does not have it, and moves the whole into place.
func (b toolbox) unpack(ctx context.Context, pkgs []string) error {
	names, err := resolve(ctx, pkgs)
	if err != nil {
		return err
	}
	fresh := b.unpacked + ".new"
	downloads := filepath.Join(fresh, "packages")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.MkdirAll(downloads, 0o755); err != nil {
		return err
	}
	if _, err := apt(ctx, downloads, append([]string{"download"}, names...)...); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(downloads, "*.deb"))
	if err != nil {
		return err
	}
	for _, archive := range archives {
		if out, err := exec.CommandContext(ctx, "dpkg-deb", "--extract", archive, fresh).CombinedOutput(); err != nil {
			return fmt.Errorf("unpack %s: %w: %s", filepath.Base(archive), err, lastLine(out))
		}
	}
	if err := os.RemoveAll(downloads); err != nil {
		return err
	}
	if err := os.RemoveAll(b.unpacked); err != nil {
		return err
	}
	return os.Rename(fresh, b.unpacked)
}

// resolve asks apt which packages an installation of pkgs would add. The lists are refreshed when it does not know them.
func resolve(ctx context.Context, pkgs []string) ([]string, error) {
	simulate := append([]string{"install", "--simulate", "--no-install-recommends"}, pkgs...)
	plan, err := apt(ctx, "", simulate...)
	if err != nil {
		if _, err := apt(ctx, "", "update"); err != nil {
			return nil, err
		}
		if plan, err = apt(ctx, "", simulate...); err != nil {
			return nil, err
		}
	}
	return plannedPackages(plan), nil
}

// plannedPackages reads the lines "Inst NAME (VERSION ...)" of a simulated installation.
func plannedPackages(plan string) []string {
	var names []string
	for line := range strings.Lines(plan) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Inst" {
			names = append(names, fields[1])
		}
	}
	return names
}

func apt(ctx context.Context, dir string, args ...string) (string, error) {
	// As the user _apt it could not write to the cache folder.
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "APT::Sandbox::User=root"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("apt-get %s: %w: %s", args[0], err, lastLine(problems.Bytes()))
	}
	return out.String(), nil
}

// lastLine shortens a program's output to what usually holds the reason.
func lastLine(output []byte) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return lines[len(lines)-1]
}
