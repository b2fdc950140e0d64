// Command cluster runs a real Kubernetes of one node on this machine: etcd, the control plane, kubelet, containerd,
// kube-proxy and CoreDNS, each a process of its own, without Docker and without a virtual machine. The Kubernetes
// components and CoreDNS are compiled from the Go module proxy; containerd, runc, nft and the CNI plugins are the
// distribution's packages.
//
// What it makes, it can take away: every process carries a mark in its environment, everything on disk lies in one
// folder, and what the components change outside of it (a bridge, nftables, sysctls, a few folders whose names are
// fixed in their code) is recorded before the first of them starts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	cancel()
	os.Exit(exitCode(os.Stderr, err))
}

// run finds the command and hands it the rest of the arguments. Results go to out, everything else to progress, so
// that $(cluster kubeconfig) holds nothing but the path.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) == 0 {
		fmt.Fprint(progress, usage())
		return refuse("say which command")
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprint(out, usage())
		return nil
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		given, err := c.parse(args[1:])
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(out, c.help())
			return nil
		}
		if err != nil {
			return err
		}
		if runtime.GOOS != "linux" {
			return refuse("the cluster runs on Linux only, this is %s: use a Linux machine, or a cluster you have (CLUSTER=existing)",
				runtime.GOOS)
		}
		l, err := newLayout(os.Getenv)
		if err != nil {
			return err
		}
		return c.run(ctx, newCluster(l, out, progress), given)
	}
	return refuse("unknown command %q; `cluster help` lists them", args[0])
}

// refusal is an error that trying again does not cure: a wrong argument, or a machine that lacks something. Nothing
// was changed when it is returned.
type refusal struct{ reason string }

func (r refusal) Error() string { return r.reason }

func refuse(format string, args ...any) error { return refusal{fmt.Sprintf(format, args...)} }

// exitCode prints err and tells what to exit with: 2 for a refusal, 1 for a failure.
func exitCode(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(w, "cluster:", err)
	if errors.As(err, new(refusal)) {
		return 2
	}
	return 1
}
