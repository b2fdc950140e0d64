package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// cluster is one command's view of the cluster.
type cluster struct {
	layout
	out   io.Writer // results
	log   *progress
	tools toolbox // set by findTools

	// Set by buildAll; kubeDir and version by buildKube too.
	kubeDir    string // folder with the multi-call binary under each component's name
	version    string // of Kubernetes
	coredns    string // binary
	pauseImage string // archive

	administrator func() (*http.Client, error) // makes the client when it is first asked for: its certificate must be there
}

func newCluster(l layout, out, progress io.Writer) *cluster {
	return &cluster{layout: l, out: out, log: newProgress(progress), administrator: sync.OnceValues(l.client)}
}

func (c *cluster) processes() processTable { return processTable{proc: "/proc", state: c.state} }

func (c *cluster) requireRoot(command string) error {
	if os.Geteuid() != 0 {
		return refuse("%s needs root, for containers, mounts and the network: run it with sudo", command)
	}
	return nil
}

// lockAsRoot is the beginning of every command that changes the running cluster.
func (c *cluster) lockAsRoot(ctx context.Context, command string) (unlock func(), err error) {
	if err := c.requireRoot(command); err != nil {
		return nil, err
	}
	return lock(ctx, clusterLock, command, c.log)
}

// findTools takes the tools as they are, for commands that have something to do only where `up` has put them in place.
func (c *cluster) findTools() error {
	c.tools = newToolbox(c.layout, os.Getenv("PATH"))
	if missing := c.tools.missing(); len(missing) > 0 {
		return fmt.Errorf("%s are missing here: run `cluster up` first", strings.Join(missing, ", "))
	}
	return nil
}

// up gets everything that is needed, then starts what does not run, and waits until it works.
func (c *cluster) up(ctx context.Context) error {
	if err := c.checkHost(); err != nil {
		return err
	}
	c.tools = newToolbox(c.layout, os.Getenv("PATH"))
	if err := c.tools.ensure(ctx, c.log); err != nil {
		return err
	}
	if err := c.checkTables(ctx); err != nil {
		return err
	}
	if err := c.buildAll(ctx); err != nil {
		return err
	}
	unlock, err := lock(ctx, clusterLock, "up", c.log)
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.prepare(ctx); err != nil {
		return err
	}
	if err := c.startAll(ctx); err != nil {
		return err
	}
	c.log.printf("Kubernetes %s is up", c.version)
	fmt.Fprintf(c.out, "\n  export KUBECONFIG=%s\n  export PATH=%s:$PATH      # kubectl\n\n"+
		"Logs are in %s. Servers on this host that pods are to reach: bind them to %s.\n"+
		"`cluster down` stops it, `cluster wipe` removes it.\n", c.kubeconfig(), c.kubeDir, c.in("log"), nodeIP)
	return nil
}

// checkTables refuses a machine without nftables, or one whose kube-proxy tables belong to somebody else.
func (c *cluster) checkTables(ctx context.Context) error {
	present, err := c.presentTables(ctx)
	if err != nil {
		return refuse("nftables does not work here (%v): kube-proxy needs a kernel that has it, 5.13 or later", err)
	}
	if _, err := os.Stat(c.hostRecord()); os.IsNotExist(err) && len(present) > 0 {
		return refuse("another kube-proxy serves this machine (nftables table %s): use its cluster (CLUSTER=existing), or another machine",
			strings.Join(present, ", "))
	}
	return nil
}

// prepare makes everything that the components want to find. Where none of them runs, what an earlier boot or an
// interrupted command has left is cleared away first.
func (c *cluster) prepare(ctx context.Context) error {
	running, err := c.processes().list()
	if err != nil {
		return err
	}
	if len(running) == 0 {
		if err := c.teardown(ctx); err != nil {
			return err
		}
	}
	for _, step := range []func() error{
		c.createState,
		c.recordHost,
		func() error { return createPKI(c.in("pki"), time.Now()) },
		func() error { return writeConfig(c.in("config"), c.settings()) },
		func() error { return copyFile(c.pki("admin.kubeconfig"), c.kubeconfig()) },
		func() error { return c.createNetwork(ctx) },
		createCgroups,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return writeWhole(to, content)
}

// startAll starts the components, each as soon as those that it needs are ready.
func (c *cluster) startAll(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ready := map[string]chan struct{}{}
	for _, p := range components() {
		ready[p.name] = make(chan struct{})
	}
	var starts sync.WaitGroup
	for _, p := range components() {
		starts.Go(func() {
			for _, name := range p.after {
				select {
				case <-ready[name]:
				case <-ctx.Done():
					return
				}
			}
			if err := c.startOne(ctx, p); err != nil {
				cancel(err)
				return
			}
			close(ready[p.name])
		})
	}
	starts.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("%w; `cluster up` goes on from here, `cluster wipe` begins anew", context.Cause(ctx))
	}
	return nil
}

// patience is how long a component may take to become ready; seconds on an idle machine.
const patience = 3 * time.Minute

// startOne starts a component unless it runs, and waits until it is ready. One that runs from another build or with
// other arguments is replaced.
func (c *cluster) startOne(ctx context.Context, p component) error {
	now, running, err := c.processes().find(p.name)
	if err != nil {
		return err
	}
	if running && !slices.Equal(now.argv, p.argv(c)) {
		if err := c.processes().end(ctx, now.pid, grace); err != nil {
			return err
		}
		running = false
	}
	if running {
		return c.awaitReady(ctx, p, now.pid, time.Time{})
	}
	if p.prepare != nil {
		if err := p.prepare(ctx, c); err != nil {
			return fmt.Errorf("prepare %s: %w", p.name, err)
		}
	}
	begin := time.Now()
	pid, err := c.processes().start(p.name, p.argv(c), c.tools.environment(), c.logFile(p.name))
	if err != nil {
		return err
	}
	return c.awaitReady(ctx, p, pid, begin)
}

func (c *cluster) awaitReady(ctx context.Context, p component, pid int, since time.Time) error {
	var notYet error
	ok := poll(ctx, patience, func() bool {
		if notYet = p.ready(ctx, c, since); notYet == nil {
			return true
		}
		return !c.processes().alive(pid)
	})
	switch {
	case ok && notYet == nil:
		c.log.printf("%s is ready", p.name)
		return nil
	case ok:
		return fmt.Errorf("%s has ended: %s (all of it: %s)", p.name, lastLogLine(c.logFile(p.name)), c.logFile(p.name))
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("%s is not ready after %s: %w (log: %s)", p.name, patience, notYet, c.logFile(p.name))
}

func lastLogLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return lastLine(text)
}

// grace is what a component gets to end by itself; none has anything to lose. The API server would use up any time
// as long as somebody watches.
const grace = 2 * time.Second

// teardown ends everything and gives the host back what it was, as if the machine had been switched off. The state
// folder stays, but for what a reboot would clear. It is safe to run at any time, and again after it failed.
func (c *cluster) teardown(ctx context.Context) error {
	if _, err := os.Stat(c.hostRecord()); os.IsNotExist(err) {
		return nil
	}
	c.tools = newToolbox(c.layout, os.Getenv("PATH"))
	if err := c.tools.ensure(ctx, c.log); err != nil {
		return err
	}
	if err := c.stopAll(ctx); err != nil {
		return err
	}
	for _, step := range []func() error{
		c.unmountAll,
		c.removeContainerTraces,
		removeCgroups,
		func() error { return c.removeNetwork(ctx) },
		func() error { return os.RemoveAll(c.in("run")) },
		c.restoreHost,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// stopAll ends the components in reverse order, the pods once nobody restarts them, and then whatever is left.
func (c *cluster) stopAll(ctx context.Context) error {
	for _, p := range slices.Backward(components()) {
		running, found, err := c.processes().find(p.name)
		if err != nil {
			return err
		}
		if found {
			if err := c.processes().end(ctx, running.pid, grace); err != nil {
				return fmt.Errorf("stop %s: %w", p.name, err)
			}
		}
		if p.name == "kubelet" {
			if err := endPods(ctx); err != nil {
				return err
			}
		}
	}
	if err := c.processes().endAll(ctx); err != nil {
		return err
	}
	return endPods(ctx) // what a shim was about to start meanwhile
}

// restart takes a component away for a while. Cut short by a signal, it starts it at once and says so.
func (c *cluster) restart(ctx context.Context, name string, away time.Duration) error {
	if _, err := os.Stat(c.hostRecord()); err != nil {
		return errors.New("the cluster is not up: run `cluster up` first")
	}
	if err := c.findTools(); err != nil {
		return err
	}
	if err := c.buildAll(ctx); err != nil {
		return err
	}
	p := components()[slices.Index(componentNames(), name)]
	running, found, err := c.processes().find(name)
	if err != nil {
		return err
	}
	if found {
		if err := c.processes().end(ctx, running.pid, grace); err != nil {
			return err
		}
	}
	c.log.printf("%s is stopped", name)
	if away > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(away):
		}
	}
	if err := c.startOne(context.WithoutCancel(ctx), p); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// status prints a line for each component, and fails unless all of them run.
func (c *cluster) status(ctx context.Context) error {
	t := tabwriter.NewWriter(c.out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "COMPONENT\tPROCESS\tSTATE")
	var missing []string
	for _, name := range componentNames() {
		p, found, err := c.processes().find(name)
		if err != nil {
			return err
		}
		if !found {
			missing = append(missing, name)
			fmt.Fprintf(t, "%s\t-\tstopped\n", name)
			continue
		}
		fmt.Fprintf(t, "%s\t%d\trunning\n", name, p.pid)
	}
	t.Flush()
	if len(missing) > 0 {
		return fmt.Errorf("not running: %s", strings.Join(missing, ", "))
	}
	if err := nodeReady(ctx, c, time.Time{}); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "\nThe node is Ready. export KUBECONFIG=%s\n", c.kubeconfig())
	return nil
}
