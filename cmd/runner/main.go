// Command runner is the inside of a runner pod.
//
//	runner [run]          carry out the Run that the environment names
//	runner modules DIR    copy the bundle's modules to DIR
//	runner sleep SECONDS  wait; for modules that test slow applies
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/terraform"
)

func main() {
	// The Kubernetes client has a log of its own, which could quote what it sends.
	log.SetLogger(logr.Discard())
	// Further signals change nothing: Terraform is asked to stop once, and ends by
	// itself.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func command(ctx context.Context, args []string) int {
	switch {
	case len(args) == 0, len(args) == 1 && args[0] == "run":
		return run(ctx)
	case len(args) == 2 && args[0] == "sleep":
		return exitCode(sleep(ctx, args[1]))
	case len(args) == 2 && args[0] == "modules":
		return exitCode(copyModules(runner.ModulesDir, args[1]))
	}
	return exitCode(usageError(fmt.Sprintf("unknown arguments %q: want run, modules DIR or sleep SECONDS", args)))
}

func run(ctx context.Context) int {
	cfg, err := terraform.ConfigFromEnvironment(os.Environ())
	if err != nil {
		return exitCode(usageError(err.Error()))
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return exitCode(usageError(err.Error()))
	}
	c, err := terraform.NewClient(config)
	if err != nil {
		return exitCode(err)
	}
	return terraform.New(cfg, c, os.Stdout).Run(ctx)
}
