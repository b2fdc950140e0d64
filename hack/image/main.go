// Command image builds the controller image and the bundle image, without Docker:
//
//	go run ./hack/image -controller-out controller.tar -bundle-out bundle.tar
//
// The same inputs give the same digests. README.md has the options.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func main() {
	o, err := parseOptions(os.Args[1:], os.Stderr)
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
		out, tag string
		image    func(context.Context, options) (v1.Image, error)
	}{
		{o.controllerOut, o.controllerTag, controllerImage},
		{o.bundleOut, o.bundleTag, bundleImage},
		{o.appOut, o.appTag, appImage},
	} {
		if want.out == "" && !o.push {
			continue
		}
		start := time.Now()
		image, err := want.image(ctx, o)
		if err != nil {
			return fmt.Errorf("build %s: %w", want.tag, err)
		}
		if err := deliver(ctx, image, want.tag, want.out, o.push); err != nil {
			return err
		}
		digest, err := image.Digest()
		if err != nil {
			return err
		}
		fmt.Printf("%s %s in %s\n", want.tag, digest, time.Since(start).Round(100*time.Millisecond))
	}
	return nil
}
