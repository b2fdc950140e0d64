package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// arguments are what the command line of one command gave.
type arguments struct {
	names []string      // positional, in order
	down  time.Duration // restart: how long the component stays away
}

// command is one word of the command line.
type command struct {
	name     string
	operands string // as shown in the help
	min, max int    // how many operands; max < 0: any number
	summary  string // one line
	detail   string
	run      func(context.Context, *cluster, arguments) error
}

func commands() []command {
	return []command{
		{name: "up", summary: "start the cluster, or whatever of it is missing", run: up,
			detail: "Builds what is not in the cache (Kubernetes once: 7 to 14 minutes on two cores), starts what does not\n" +
				"run, and returns when the node is Ready and DNS answers. Needs root. Run it again after anything went wrong."},
		{name: "down", summary: "stop everything, keep the state", run: down,
			detail: "Ends all processes and pods and gives the host back its bridge, nftables, mounts and sysctls. `up`\n" +
				"brings objects, images and volumes back as they were. Needs root."},
		{name: "wipe", summary: "stop everything and delete the state", run: wipe,
			detail: "`down`, and then the state folder goes too. Built binaries stay in the cache. Needs root."},
		{name: "load", operands: "IMAGE.tar...", min: 1, max: -1, summary: "import images into the node", run: load,
			detail: "Takes archives as `docker save` or go-containerregistry write them. Pods find the image under the name\n" +
				"in the archive; set imagePullPolicy IfNotPresent. Needs root."},
		{name: "kubeconfig", summary: "print the path of the administrator's kubeconfig", run: kubeconfig,
			detail: "Use it as: export KUBECONFIG=$(go run ./hack/cluster kubeconfig)"},
		{name: "bin", summary: "print the folder with kubectl, etcd, kube-apiserver, ...", run: bin,
			detail: "Builds Kubernetes if it is not in the cache, and nothing else; needs no root and no cluster. The folder\n" +
				"serves envtest as well: export KUBEBUILDER_ASSETS=$(go run ./hack/cluster bin)"},
		{name: "restart", operands: "COMPONENT", min: 1, max: 1, summary: "stop one component and start it again", run: restart,
			detail: "COMPONENT is one of " + strings.Join(componentNames(), ", ") + ".\nNeeds root."},
		{name: "status", summary: "show what runs", run: status,
			detail: "Exits with 1 unless every component runs. Needs root."},
	}
}

func usage() string {
	var b strings.Builder
	b.WriteString("usage: cluster COMMAND [arguments]\n\nA real Kubernetes of one node on this machine.\n\n")
	t := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(t, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.operands), c.summary)
	}
	t.Flush()
	fmt.Fprintf(&b, "\n%s\n\n`cluster COMMAND --help` says more.\n", environmentHelp)
	return b.String()
}

func (c command) flags(into *arguments) *flag.FlagSet {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	if c.name == "restart" {
		fs.DurationVar(&into.down, "down", 0, "how long the component stays away, e.g. 60s")
	}
	return fs
}

func (c command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: cluster %s\n\n%s.\n%s\n", strings.TrimSpace(c.name+" "+c.operands), capital(c.summary), c.detail)
	fs := c.flags(new(arguments))
	fs.SetOutput(&b)
	fs.PrintDefaults()
	return b.String()
}

// parse lets flags and operands come in any order, which package flag does not.
func (c command) parse(args []string) (arguments, error) {
	var a arguments
	fs := c.flags(&a)
	for {
		if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			return a, err
		} else if err != nil {
			return a, refuse("%s: %v; see `cluster %s --help`", c.name, err, c.name)
		}
		if fs.NArg() == 0 {
			break
		}
		a.names = append(a.names, fs.Arg(0))
		args = fs.Args()[1:]
	}
	if n := len(a.names); n < c.min || (c.max >= 0 && n > c.max) {
		return a, refuse("usage: cluster %s", strings.TrimSpace(c.name+" "+c.operands))
	}
	if a.down < 0 {
		return a, refuse("%s: --down must not be negative, got %s", c.name, a.down)
	}
	return a, nil
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func up(ctx context.Context, c *cluster, _ arguments) error {
	if err := c.requireRoot("up"); err != nil {
		return err
	}
	return c.up(ctx)
}

func down(ctx context.Context, c *cluster, _ arguments) error {
	unlock, err := c.lockAsRoot(ctx, "down")
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.teardown(ctx); err != nil {
		return err
	}
	c.log.printf("nothing runs any more; the state is kept in %s", c.state)
	return nil
}

func wipe(ctx context.Context, c *cluster, _ arguments) error {
	unlock, err := c.lockAsRoot(ctx, "wipe")
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.teardown(ctx); err != nil {
		return err
	}
	if err := c.removeState(); err != nil {
		return err
	}
	c.log.printf("nothing is left; built binaries stay in %s", c.cache)
	return nil
}

func load(ctx context.Context, c *cluster, a arguments) error {
	if err := c.requireRoot("load"); err != nil {
		return err
	}
	for _, file := range a.names {
		if _, err := os.Stat(file); err != nil {
			return refuse("load: %v", err)
		}
	}
	if err := dial(ctx, "unix", c.containerdSocket()); err != nil {
		return fmt.Errorf("containerd does not run (%w): run `cluster up` first", err)
	}
	if err := c.findTools(); err != nil {
		return err
	}
	for _, file := range a.names {
		if err := c.importImage(ctx, file, c.out); err != nil {
			return err
		}
	}
	return nil
}

func kubeconfig(_ context.Context, c *cluster, _ arguments) error {
	if _, err := os.Stat(c.kubeconfig()); err != nil {
		return fmt.Errorf("no kubeconfig to be read at %s: run `cluster up` first, as the same user (%w)", c.kubeconfig(), err)
	}
	fmt.Fprintln(c.out, c.kubeconfig())
	return nil
}

func bin(ctx context.Context, c *cluster, _ arguments) error {
	if err := c.buildKube(ctx); err != nil {
		return err
	}
	fmt.Fprintln(c.out, c.kubeDir)
	return nil
}

func restart(ctx context.Context, c *cluster, a arguments) error {
	name := a.names[0]
	if !slices.Contains(componentNames(), name) {
		return refuse("restart: no component %q; there are %s", name, strings.Join(componentNames(), ", "))
	}
	unlock, err := c.lockAsRoot(ctx, "restart")
	if err != nil {
		return err
	}
	defer unlock()
	return c.restart(ctx, name, a.down)
}

func status(ctx context.Context, c *cluster, _ arguments) error {
	if err := c.requireRoot("status"); err != nil {
		return err
	}
	return c.status(ctx)
}
