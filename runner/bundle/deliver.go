package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// progressEvery is how often a long push is reported.
const progressEvery = 2 * time.Second

// Destination is where an image goes.
type Destination struct {
	tag  name.Tag
	file string
	push bool
}

// NewDestination returns the destination of an image with a tag: a file, in the format of
// docker save, unless that is empty; and the tag's registry if it is to be pushed, with
// Docker's credentials. It checks that the image can go there.
func NewDestination(tag, file string, push bool) (Destination, error) {
	d := Destination{file: file, push: push}
	var err error
	if d.tag, err = name.NewTag(tag); err != nil {
		return d, fmt.Errorf("the tag %q: %w", tag, err)
	}
	if !strings.Contains(tag[strings.LastIndex(tag, "/")+1:], ":") {
		return d, fmt.Errorf("the tag %q: it has no version after the name, as in %s:1.0.0", tag, tag)
	}
	if file == "" && !push {
		return d, fmt.Errorf("nothing to do with %s: neither is it to be written to a file, nor to be pushed", tag)
	}
	if err := checkFile(file); err != nil {
		return d, err
	}
	if !push {
		return d, nil
	}
	if err := remote.CheckPushPermission(d.tag, authn.DefaultKeychain, remote.DefaultTransport); err != nil {
		return d, fmt.Errorf("push %s: %w", d.tag, err)
	}
	return d, nil
}

// checkFile tells whether an image may be written to a file.
func checkFile(file string) error {
	if file == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
		return fmt.Errorf("write %s: there is no folder %s", file, filepath.Dir(file))
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("write %s: %w", file, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("write %s: it is not a regular file", file)
	}
	return nil
}

// Deliver writes and pushes an image, and tells progress how that goes.
func (d Destination) Deliver(ctx context.Context, image v1.Image, progress io.Writer) error {
	if d.file != "" {
		if err := writeFile(d.file, d.tag, image); err != nil {
			return fmt.Errorf("write %s: %w", d.file, err)
		}
		fmt.Fprintf(progress, "wrote %s\n", d.file)
	}
	if !d.push {
		return nil
	}
	updates := make(chan v1.Update, 100)
	written, reported := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(reported)
		report(progress, updates, written)
	}()
	err := remote.Write(d.tag, image, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithProgress(updates))
	close(written)
	<-reported
	if err != nil {
		return fmt.Errorf("push %s: %w", d.tag, err)
	}
	fmt.Fprintf(progress, "pushed %s\n", d.tag)
	return nil
}

// report tells how far a push is, now and then, until it is written.
func report(progress io.Writer, updates <-chan v1.Update, written <-chan struct{}) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	var last v1.Update
	for {
		select {
		case update, ok := <-updates:
			if !ok {
				return
			}
			last = update
		case <-tick.C:
			fmt.Fprintf(progress, "pushed %s of %s\n", megabytes(last.Complete), megabytes(last.Total))
		case <-written:
			return
		}
	}
}

// writeFile writes an image at once and whole.
func writeFile(file string, tag name.Tag, image v1.Image) error {
	partial, err := os.CreateTemp(filepath.Dir(file), ".partial-")
	if err != nil {
		return err
	}
	defer os.Remove(partial.Name())
	if err := errors.Join(tarball.Write(tag, image, partial), partial.Chmod(0o644), partial.Close()); err != nil {
		return err
	}
	return os.Rename(partial.Name(), file)
}
