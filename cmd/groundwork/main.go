// Command groundwork is the command line of Groundwork; `groundwork help` says what
// it does. Under the name kubectl-infra it is a plugin of kubectl, `kubectl infra`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	name := programName(os.Args[0])
	err := newCommand(name).ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(exitCode(err))
	}
}

// programName is what people call the program whose file has that path.
func programName(path string) string {
	if strings.HasPrefix(filepath.Base(path), "kubectl-infra") {
		return "kubectl infra"
	}
	return "groundwork"
}
