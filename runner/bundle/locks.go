package bundle

import (
	"fmt"
	"maps"
	"slices"

	"github.com/groundwork-dev/groundwork/modules"
)

// lock is a provider that a module's lock file selects.
type lock struct {
	// source is the address that Terraform or OpenTofu asks for.
	source string
	// sources are the addresses that a mirror may have it under, the best first.
	sources []string
	version string
	hashes  []string
}

// locksFor returns the providers that a module's lock file selects, as Terraform or
// OpenTofu understands it.
func locksFor(product Product, m Module) ([]lock, error) {
	written, err := m.Locks()
	if err != nil {
		return nil, err
	}
	if product == ProductOpenTofu {
		return locksForOpenTofu(written), nil
	}
	var locks []lock
	for _, w := range written {
		if terraforms, ok := modules.TerraformSource(w.Source); ok && !slices.Contains(m.Providers, w.Source) {
			// OpenTofu's lock of a provider, beside Terraform's own.
			if !slices.ContainsFunc(written, func(l modules.ProviderLock) bool { return l.Source == terraforms }) {
				return nil, fmt.Errorf("the lock file of the module %s is OpenTofu's: it has %s and not %s; run `terraform providers lock -platform=linux_amd64 -platform=linux_arm64` in %s, or make the bundle with OpenTofu", m.Name, w.Source, terraforms, m.folder)
			}
			continue
		}
		locks = append(locks, lock{w.Source, []string{w.Source}, w.Version, w.Hashes})
	}
	return locks, nil
}

// locksForOpenTofu takes what Terraform's registry is asked for from OpenTofu's. A lock
// file may have a provider under either address, or both: then OpenTofu's version counts.
// Where both agree, the checksums of both are admitted, as their builds may differ.
func locksForOpenTofu(written []modules.ProviderLock) []lock {
	locks := map[string]lock{}
	for _, w := range written {
		sources := []string{w.Source}
		if other, ok := modules.TerraformSource(w.Source); ok {
			sources = []string{w.Source, other}
		} else if other, ok := modules.OpenTofuSource(w.Source); ok {
			sources = []string{other, w.Source}
		}
		l := lock{sources[0], sources, w.Version, w.Hashes}
		switch known, ok := locks[l.source]; {
		case ok && known.version == l.version:
			l.hashes = slices.Concat(known.hashes, l.hashes)
		case ok && l.source != w.Source:
			l = known
		}
		locks[l.source] = l
	}
	return slices.Collect(maps.Values(locks))
}
