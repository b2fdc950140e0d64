package main

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// deliver writes an image to a file, unless that is empty, and pushes it.
func deliver(ctx context.Context, image v1.Image, tag, out string, push bool) error {
	ref, err := name.NewTag(tag)
	if err != nil {
		return fmt.Errorf("the tag %q: %w", tag, err)
	}
	if out != "" {
		if err := tarball.WriteToFile(out, ref, image); err != nil {
			return fmt.Errorf("write %s: %w", out, err)
		}
	}
	if !push {
		return nil
	}
	if err := remote.Write(ref, image, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	return nil
}
