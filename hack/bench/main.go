// Command bench measures what Groundwork adds to what Terraform and the cloud take.
// It compares within one run, on one machine, one pair after the other: absolute
// times say more about the machine than about the code.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/groundwork-dev/groundwork/hack/devenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	stage, err := devenv.Up(ctx, devenv.Options{Modules: []string{"hack/testbundle"}, Log: os.Stderr})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.Close()) }()
	b := &bench{stage: stage, namespace: "bench"}
	if err := b.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	for _, measure := range []func(context.Context) error{b.webhook, b.bucket, b.withoutProvider, b.many} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}
