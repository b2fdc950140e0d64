// Command image builds the controller image and the bundle image, and those that the
// demo and the tests need, without Docker:
//
//	go run ./hack/image -controller-out controller.tar -bundle-out bundle.tar
//
// The same inputs give the same digests. README.md has the options.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/groundwork-dev/groundwork/runner/bundle"
)

func main() {
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err = build(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// build makes the images that the options ask for.
func build(ctx context.Context, o options) error {
	for _, want := range []struct {
		target
		image func(context.Context, options) (v1.Image, error)
	}{
		{o.controller, controllerImage},
		{o.bundle, bundleImage},
		{o.app, appImage},
		{o.sourceController, fluxImage("source-controller")},
		{o.helmController, fluxImage("helm-controller")},
		{o.notificationController, fluxImage("notification-controller")},
		{o.kubectl, kubectlImage},
	} {
		if !want.wanted(o.push) {
			continue
		}
		destination, err := bundle.NewDestination(want.reference(), want.out, o.push && want.tag != "")
		if err != nil {
			return err
		}
		start := time.Now()
		image, err := want.image(ctx, o)
		if err != nil {
			return fmt.Errorf("build %s: %w", want.reference(), err)
		}
		if err := destination.Deliver(ctx, image, io.Discard); err != nil {
			return err
		}
		digest, err := image.Digest()
		if err != nil {
			return err
		}
		fmt.Printf("%s %s in %s\n", want.reference(), digest, time.Since(start).Round(100*time.Millisecond))
	}
	return nil
}
