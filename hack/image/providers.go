package main

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/mod/sumdb/dirhash"

	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/runner"
)

// provider is a provider of the bundle, unpacked and verified.
type provider struct {
	source, version string
	// dir is its package, hash the checksum of that.
	dir, hash string
}

// platform is what providers are built for.
func platform() string { return "linux_" + runtime.GOARCH }

// findProviders returns the providers that the modules' lock files select, each
// verified against the lock file: a runner pod does not do that again. They are
// taken from the mirror, or else downloaded.
func findProviders(ctx context.Context, mirror, terraform string, all []libraryModule) ([]provider, error) {
	found := map[string]provider{}
	for _, m := range all {
		locks, err := m.Locks()
		if err != nil {
			return nil, err
		}
		for _, lock := range locks {
			p := provider{source: lock.Source, version: lock.Version}
			key := path.Join(p.source, p.version)
			if known, ok := found[key]; ok {
				p = known
			} else if err := p.locate(ctx, mirror, terraform, m); err != nil {
				return nil, err
			}
			if !slices.Contains(lock.Hashes, p.hash) {
				return nil, fmt.Errorf("the provider %s %s in %s has the checksum %s, which the lock file of the module %s does not admit: if the provider is the right one, run `terraform providers lock -platform=%s` in %s",
					p.source, p.version, p.dir, p.hash, m.Name, platform(), m.folder)
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
func (p *provider) locate(ctx context.Context, mirror, terraform string, m libraryModule) error {
	downloads, err := cacheDir("providers")
	if err != nil {
		return err
	}
	mirrors := []string{mirror, downloads}
	if mirror == "" {
		// Not to find one is no fault: there are the earlier downloads.
		if found, err := testenv.FindMirror(); err == nil {
			mirrors[0] = found
		}
	}
	for _, dir := range mirrors {
		p.dir = filepath.Join(dir, filepath.FromSlash(p.source), p.version, platform())
		if info, err := os.Stat(p.dir); dir != "" && err == nil && info.IsDir() {
			return p.sum()
		}
	}
	if err := downloadProviders(ctx, terraform, m.folder, downloads); err != nil {
		return fmt.Errorf("the provider %s %s is in no local mirror (%v) and cannot be downloaded; name an unpacked mirror with -providers: %w", p.source, p.version, mirrors, err)
	}
	return p.sum()
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

// entries are the provider's files in the image's mirror.
func (p *provider) entries() ([]entry, error) {
	dir := path.Join(runner.ProvidersDir, p.source, p.version, platform())
	var entries []entry
	err := filepath.WalkDir(p.dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(p.dir, file)
		if err != nil {
			return err
		}
		entries = append(entries, entry{path: path.Join(dir, filepath.ToSlash(rel)), mode: 0o755, file: file, id: p.hash})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", p.dir, err)
	}
	return entries, nil
}

// downloadProviders fetches a module's providers from their registries, in the
// versions of its lock file, into an unpacked mirror.
func downloadProviders(ctx context.Context, terraform, folder, mirror string) error {
	packed, err := os.MkdirTemp("", "groundwork-providers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(packed)
	cmd := exec.CommandContext(ctx, terraform, "providers", "mirror", "-platform="+platform(), packed)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("terraform providers mirror: %w\n%s", err, out)
	}
	archives, err := filepath.Glob(filepath.Join(packed, "*", "*", "*", "*_"+platform()+".zip"))
	if err != nil {
		return err
	}
	for _, archive := range archives {
		if err := unzipProvider(packed, archive, mirror); err != nil {
			return fmt.Errorf("unpack %s: %w", filepath.Base(archive), err)
		}
	}
	return nil
}
