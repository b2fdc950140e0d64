package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// program is something that is compiled from this repository and kept in the cache.
type program struct {
	name     string // of the binary
	dir      string // in the repository
	upstream string // module in dir's go.mod whose version the program is known by; "" for our own
	cost     string // of compiling it with an empty build cache
	ldflags  func(version string) string
}

func kubeProgram() program {
	return program{
		name: "kube", dir: "hack/cluster/kube", upstream: "k8s.io/kubernetes",
		cost: "7 to 14 minutes on two cores, and 3 GB of it", ldflags: kubeVersionFlags,
	}
}

func corednsProgram() program {
	return program{name: "coredns", dir: "hack/cluster/coredns", upstream: "github.com/coredns/coredns", cost: "1 to 2 minutes"}
}

func pauseProgram() program {
	return program{name: "pause", dir: "hack/cluster/pause", cost: "seconds"}
}

// kubeVersionFlags stamps what a release build stamps; without it every component says v0.0.0-master.
func kubeVersionFlags(version string) string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	var flags []string
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, v := range []string{"gitVersion=" + version, "gitMajor=" + parts[0], "gitMinor=" + parts[1], "gitTreeState=clean"} {
			flags = append(flags, "-X "+pkg+"."+v)
		}
	}
	return strings.Join(flags, " ")
}

// recipe is all that decides what a build of the program comes out as.
type recipe struct {
	version string
	args    []string // of `go build`, without the output
	key     string   // name of the folder in the cache
}

func (p program) recipe(repo string) (recipe, error) {
	r := recipe{version: "v0"}
	dir := filepath.Join(repo, p.dir)
	if p.upstream != "" {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			return r, err
		}
		if r.version = requiredVersion(string(mod), p.upstream); r.version == "" {
			return r, fmt.Errorf("%s/go.mod requires no %s", p.dir, p.upstream)
		}
	}
	ldflags := "-s -w"
	if p.ldflags != nil {
		ldflags += " " + p.ldflags(r.version)
	}
	r.args = []string{"-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=" + ldflags}
	hash, err := hashFolder(dir, append(r.args, runtime.GOOS, runtime.GOARCH))
	r.key = fmt.Sprintf("%s-%s-%s", p.name, r.version, hash)
	return r, err
}

// requiredVersion finds the version of module in the text of a go.mod.
func requiredVersion(mod, module string) string {
	for line := range strings.Lines(mod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == module && fields[1] != "=>" {
			return fields[1]
		}
	}
	return ""
}

// hashFolder digests the files in dir (not in folders below it) and extra.
func hashFolder(dir string, extra []string) (string, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n%s", e.Name(), len(content), content)
	}
	fmt.Fprintf(h, "%q", extra)
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

// build returns the folder in the cache that holds the program, compiling it if it is not there. finish, if any, adds
// to the folder before it appears under its name. Two builds at once: the second waits and finds the result.
func (c *cluster) build(ctx context.Context, p program, finish func(dir string, r recipe) error) (string, recipe, error) {
	repo, err := repository()
	if err != nil {
		return "", recipe{}, err
	}
	r, err := p.recipe(repo)
	if err != nil {
		return "", r, err
	}
	dir := filepath.Join(c.cache, r.key)
	if _, err := os.Stat(dir); err == nil {
		return dir, r, nil
	}
	unlock, err := lock(ctx, filepath.Join(c.cache, p.name+".lock"), "the build of "+p.name, c.log)
	if err != nil {
		return "", r, err
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return dir, r, nil
	}
	fresh := filepath.Join(c.cache, p.name+".new")
	if err := os.RemoveAll(fresh); err != nil {
		return "", r, err
	}
	if err := c.compile(ctx, p, r, filepath.Join(repo, p.dir), filepath.Join(fresh, p.name)); err != nil {
		return "", r, err
	}
	if finish != nil {
		if err := finish(fresh, r); err != nil {
			return "", r, err
		}
	}
	return dir, r, os.Rename(fresh, dir)
}

func (c *cluster) compile(ctx context.Context, p program, r recipe, dir, output string) error {
	if _, err := exec.LookPath("go"); err != nil {
		return refuse("the go command is not on the PATH, it compiles %s: install Go as go.mod asks for", p.name)
	}
	c.log.printf("compiling %s %s (with an empty Go build cache %s)", p.name, r.version, p.cost)
	packages := stalePackages(ctx, dir, r)
	if packages > 0 {
		c.log.printf("  %d packages to compile", packages)
	}
	var compiled atomic.Int64
	done := make(chan struct{})
	defer close(done)
	go c.reportBuild(&compiled, packages, done)

	cmd := goCommand(ctx, dir, append([]string{"build", "-v", "-o", output}, r.args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	problems := followBuild(stderr, &compiled)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("compile %s in %s: %w\n%s", p.name, dir, err, problems)
	}
	return nil
}

// goCommand runs go in one of the modules, whatever workspace or C compiler the caller has.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it then ends its compilers too
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// stalePackages counts what is left to compile, 0 if that cannot be told. It also downloads the modules.
func stalePackages(ctx context.Context, dir string, r recipe) int {
	args := append([]string{"list", "-deps", "-f", "{{if .Stale}}x{{end}}"}, r.args...)
	out, err := goCommand(ctx, dir, args...).Output()
	if err != nil {
		return 0
	}
	return bytes.Count(out, []byte("x\n"))
}

// followBuild counts the packages that `go build -v` names, and returns the last of its other lines.
func followBuild(stderr io.Reader, compiled *atomic.Int64) string {
	var other []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if line := lines.Text(); !strings.ContainsAny(line, " :") {
			compiled.Add(1)
		} else if !strings.HasPrefix(line, "go: downloading ") {
			other = append(other, line)
		}
	}
	return strings.Join(other[max(0, len(other)-30):], "\n")
}

// reportBuild says every half minute how far a build is.
func (c *cluster) reportBuild(compiled *atomic.Int64, packages int, done <-chan struct{}) {
	begin := time.Now()
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			c.log.printf("  %s", buildProgress(int(compiled.Load()), packages, time.Since(begin)))
		}
	}
}

// buildProgress extrapolates; packages are 0 when unknown.
func buildProgress(compiled, packages int, elapsed time.Duration) string {
	if packages < compiled || compiled == 0 {
		return fmt.Sprintf("%d packages compiled in %s", compiled, elapsed.Round(time.Second))
	}
	left := time.Duration(float64(elapsed) / float64(compiled) * float64(packages-compiled))
	return fmt.Sprintf("%d of %d packages compiled, about %s left", compiled, packages, max(left, 30*time.Second).Round(10*time.Second))
}

// buildKube compiles the multi-call binary and links each component's name to it: the folder serves envtest too.
func (c *cluster) buildKube(ctx context.Context) error {
	dir, r, err := c.build(ctx, kubeProgram(), func(dir string, _ recipe) error {
		for _, name := range kubeComponents() {
			if err := os.Symlink("kube", filepath.Join(dir, name)); err != nil {
				return err
			}
		}
		return nil
	})
	c.kubeDir, c.version = dir, r.version
	return err
}

func kubeComponents() []string {
	return []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"}
}

// buildAll compiles whatever is not in the cache.
func (c *cluster) buildAll(ctx context.Context) error {
	if err := c.buildKube(ctx); err != nil {
		return err
	}
	coredns, _, err := c.build(ctx, corednsProgram(), nil)
	if err != nil {
		return err
	}
	pause, _, err := c.build(ctx, pauseProgram(), func(dir string, _ recipe) error {
		return writePauseImage(filepath.Join(dir, "pause"), filepath.Join(dir, "pause.tar"))
	})
	c.coredns, c.pauseImage = filepath.Join(coredns, "coredns"), filepath.Join(pause, "pause.tar")
	return err
}
