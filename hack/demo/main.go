// Command demo tells what Groundwork is for, on a real cluster: an app and its
// database are applied together, the app waits, the database is made, the app runs
// on it, and one delete takes both away. KEEP=1 leaves it running to explore.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/groundwork-dev/groundwork/hack/devenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := demo(ctx, os.Getenv("KEEP") != "")
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context, keep bool) (err error) {
	stage, err := devenv.Up(ctx, devenv.Options{Log: os.Stderr})
	if err != nil {
		return err
	}
	s := &story{stage: stage}
	defer func() {
		if keep && err == nil {
			return
		}
		say("Everything that the demo has made is removed")
		err = errors.Join(err, s.cleanUp(), stage.Close())
	}()
	if s.manifest, err = stage.Manifest(filepath.Join(stage.Root, "hack", "demo", "shop.yaml")); err != nil {
		return err
	}
	if err := s.tell(ctx, keep); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		return err
	}
	return nil
}
