package bundle

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/dirhash"

	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/bundle/install"
)

// provider is a provider of the bundle, unpacked and verified.
type provider struct {
	// source is its address in the image's mirror.
	source, version, platform string
	// dir is its package, hash the checksum of that.
	dir, hash string
}

// platform is what the bundle's providers are built for.
func (b Bundle) platform() string { return "linux_" + b.Architecture }

// findProviders returns the providers that the modules' lock files select, each
// verified against the lock file: a runner pod does not do that again. They are
// taken from the mirrors, or else downloaded.
func (b Bundle) findProviders(ctx context.Context) ([]provider, error) {
	found := map[string]provider{}
	for _, m := range b.Modules {
		all, err := locksFor(b.Terraform.Product, m)
		if err != nil {
			return nil, err
		}
		for _, l := range all {
			p := provider{source: l.source, version: l.version, platform: b.platform()}
			key := path.Join(p.source, p.version)
			if known, ok := found[key]; ok {
				p = known
			} else if err := b.locate(ctx, &p, l, m); err != nil {
				return nil, err
			}
			if !slices.Contains(l.hashes, p.hash) {
				return nil, fmt.Errorf("the provider %s %s in %s has the checksum %s, which the lock file of the module %s does not admit: if the provider is the right one, run `%s providers lock -platform=%s` in %s",
					p.source, p.version, p.dir, p.hash, m.Name, b.Terraform.Product.command(), p.platform, m.folder)
			}
			found[key] = p
		}
	}
	var providers []provider
	for _, key := range slices.Sorted(maps.Keys(found)) {
		providers = append(providers, found[key])
	}
	return providers, nil
}

// locate finds the provider's package and hashes it.
func (b Bundle) locate(ctx context.Context, p *provider, l lock, m Module) error {
	if p.search(b.Mirrors, l.sources) {
		return p.sum()
	}
	if b.Downloader == nil {
		return fmt.Errorf("the provider %s %s for %s, which the module %s uses, is in no mirror: it was looked for in %s, under %s",
			p.source, p.version, p.platform, m.Name, strings.Join(b.Mirrors, " and "), strings.Join(l.sources, " and "))
	}
	downloads, err := install.CacheDir("providers")
	if err != nil {
		return err
	}
	if p.search([]string{downloads}, l.sources) {
		return p.sum()
	}
	terraform, err := b.Downloader(ctx)
	if err == nil {
		err = downloadProviders(ctx, terraform, p.platform, m.folder, downloads)
	}
	if err != nil {
		return fmt.Errorf("the provider %s %s is in no local mirror (%v) and cannot be downloaded; name an unpacked mirror that has it: %w", p.source, p.version, append(slices.Clone(b.Mirrors), downloads), err)
	}
	if !p.search([]string{downloads}, l.sources) {
		return fmt.Errorf("the provider %s %s for %s is not among what %s downloaded for the module %s", p.source, p.version, p.platform, terraform, m.Name)
	}
	return p.sum()
}

// search looks for the provider in mirrors, under the one address or the other.
func (p *provider) search(mirrors, sources []string) bool {
	for _, source := range sources {
		for _, mirror := range mirrors {
			p.dir = filepath.Join(mirror, filepath.FromSlash(source), p.version, p.platform)
			if info, err := os.Stat(p.dir); err == nil && info.IsDir() {
				return true
			}
		}
	}
	return false
}

// sum computes the checksum that lock files call h1.
// Source: https://developer.hashicorp.com/terraform/language/files/dependency-lock#new-provider-package-checksums
func (p *provider) sum() error {
	hash, err := dirhash.HashDir(p.dir, "", dirhash.Hash1)
	if err != nil {
		return fmt.Errorf("compute the checksum of %s: %w", p.dir, err)
	}
	p.hash = hash
	return nil
}

// layer has the provider's files in the image's mirror.
func (p *provider) layer() (Layer, error) {
	dir := path.Join(runner.ProvidersDir, p.source, p.version, p.platform)
	layer := Layer{Name: p.source + " " + p.version, Cached: true}
	err := filepath.WalkDir(p.dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(p.dir, file)
		if err != nil {
			return err
		}
		layer.Entries = append(layer.Entries, Entry{Path: path.Join(dir, filepath.ToSlash(rel)), Mode: 0o755, File: file, ID: p.hash})
		return nil
	})
	if err != nil {
		return layer, fmt.Errorf("list %s: %w", p.dir, err)
	}
	return layer, nil
}

// downloadProviders fetches a module's providers from their registries, in the
// versions of its lock file, into an unpacked mirror.
func downloadProviders(ctx context.Context, terraform, platform, folder, mirror string) error {
	packed, err := os.MkdirTemp("", "groundwork-providers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(packed)
	cmd := exec.CommandContext(ctx, terraform, "providers", "mirror", "-platform="+platform, packed)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s providers mirror: %w\n%s", filepath.Base(terraform), err, out)
	}
	archives, err := filepath.Glob(filepath.Join(packed, "*", "*", "*", "*_"+platform+".zip"))
	if err != nil {
		return err
	}
	for _, archive := range archives {
		if err := unzipProvider(packed, archive, mirror, platform); err != nil {
			return fmt.Errorf("unpack %s: %w", filepath.Base(archive), err)
		}
	}
	return nil
}
