package modules

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// DefaultBundle is what people call the bundle whose name is empty.
const DefaultBundle = "default"

// Bundle is a bundle's module library.
type Bundle struct {
	// Name is the bundle's name; empty for the default one.
	Name string
	// Library is a folder a module.
	Library fs.FS
}

// LoadBundles reads the libraries of several bundles into one catalogue. Of a version
// that several of them have, the first one's is taken when the files are the same; it is
// an error when they differ, as nobody could tell which one is meant.
func LoadBundles(bundles ...Bundle) (*Catalogue, error) {
	all := &Catalogue{}
	for _, bundle := range bundles {
		one, err := Load(bundle.Library)
		if err != nil {
			return nil, fmt.Errorf("bundle %s: %w", shownBundle(bundle.Name), err)
		}
		for _, m := range one.modules {
			m.Bundle = bundle.Name
		}
		all.modules = append(all.modules, one.modules...)
		all.bundles = append(all.bundles, bundle.Name)
	}
	slices.SortStableFunc(all.modules, func(a, b *Module) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), b.version.Compare(a.version))
	})
	for i := 1; i < len(all.modules); i++ {
		if a, b := all.modules[i-1], all.modules[i]; sameVersion(a, b) && a.Digest != b.Digest {
			return nil, fmt.Errorf("module %s %s is in bundle %s with the digest %s and in bundle %s with %s; give one of them another version in its module.yaml, or leave one bundle out",
				a.Name, a.Version, shownBundle(a.Bundle), a.Digest, shownBundle(b.Bundle), b.Digest)
		}
	}
	all.modules = slices.CompactFunc(all.modules, sameVersion)
	return all, nil
}

func sameVersion(a, b *Module) bool {
	return a.Name == b.Name && a.version.Equal(b.version)
}

// shownBundle is a bundle's name for people.
func shownBundle(name string) string { return cmp.Or(name, DefaultBundle) }
