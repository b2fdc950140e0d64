// Command flux puts Flux's source-, helm- and notification-controller on the embedded
// cluster, so that charts can be tried the way that many clusters install them. Both
// are the real programs, compiled from the Go module proxy in the versions that the
// go.mod files below this folder pin; their CRDs and manifests come with the modules.
//
//	go run ./hack/cluster up
//	go run ./hack/flux up
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: flux COMMAND

Flux's source-, helm- and notification-controller on the embedded cluster.

  up          install both and wait until they are ready; compiles them first if need be
  manifests   print what up applies

The cluster is started with: go run ./hack/cluster up
`

// errUsage is returned for arguments that mean nothing.
var errUsage = errors.New("see `flux help`")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "flux:", err)
	if errors.Is(err, errUsage) {
		os.Exit(2)
	}
	os.Exit(1)
}

// run carries out a command. Results go to out, everything else to progress.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("want one command, got %q: %w", args, errUsage)
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(out, usage)
		return nil
	case "up", "manifests":
	default:
		return fmt.Errorf("unknown command %q: %w", args[0], errUsage)
	}
	i, err := newInstaller(ctx, progress)
	if err != nil {
		return err
	}
	if args[0] == "up" {
		return i.up(ctx)
	}
	manifests, err := i.manifests(ctx)
	fmt.Fprint(out, manifests)
	return err
}
