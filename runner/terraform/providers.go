package terraform

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// selected is the version of a provider that Terraform is to use.
type selected struct {
	source, version string
	// named says that the module's own lock file has the provider.
	named bool
}

// selectProviders selects from an unpacked mirror: of each provider the version that
// the module's own lock file names, or the newest when that one is not there.
func selectProviders(mirror, moduleLock string) ([]selected, error) {
	available, err := mirrorVersions(mirror)
	if err != nil {
		return nil, err
	}
	wanted, err := lockedVersions(moduleLock)
	if err != nil {
		return nil, err
	}
	var all []selected
	for _, source := range slices.Sorted(maps.Keys(available)) {
		newest := available[source][len(available[source])-1]
		p := selected{source: source, version: newest.Original(), named: wanted.version(source) != ""}
		for _, v := range available[source] {
			if v.Original() == wanted.version(source) {
				p.version = v.Original()
			}
		}
		all = append(all, p)
	}
	return all, nil
}

// lockFileOf returns a dependency lock file, without checksums.
func lockFileOf(providers []selected) []byte {
	var b strings.Builder
	for _, p := range providers {
		fmt.Fprintf(&b, "provider %q {\n  version = %q\n}\n", p.source, p.version)
	}
	return []byte(b.String())
}

// dir is the provider's folder in the mirror.
func (p selected) dir(mirror string) string {
	return filepath.Join(mirror, filepath.FromSlash(p.source), p.version, platform)
}

// platform is the name of this platform's folders in a mirror.
const platform = runtime.GOOS + "_" + runtime.GOARCH

// mirrorVersions lists the providers of an unpacked mirror that fit this
// platform, by source address, oldest version first.
// Source: https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror
func mirrorVersions(mirror string) (map[string][]*version.Version, error) {
	dirs, err := filepath.Glob(filepath.Join(mirror, "*", "*", "*", "*", platform))
	if err != nil {
		return nil, fmt.Errorf("list the providers: %w", err)
	}
	versions := map[string][]*version.Version{}
	for _, dir := range dirs {
		rel, err := filepath.Rel(mirror, filepath.Dir(dir))
		if err != nil {
			return nil, fmt.Errorf("list the providers: %w", err)
		}
		v, err := version.NewVersion(filepath.Base(rel))
		if err != nil {
			return nil, fmt.Errorf("list the providers: %s: %w", rel, err)
		}
		source := filepath.ToSlash(filepath.Dir(rel))
		versions[source] = append(versions[source], v)
	}
	for _, v := range versions {
		slices.SortFunc(v, (*version.Version).Compare)
	}
	return versions, nil
}

// locked are the versions in a dependency lock file, by source address.
type locked map[string]string

// version returns the version for a provider of the bundle. A bundle with OpenTofu has
// providers under the address in OpenTofu's registry, while a module may be locked with
// Terraform's, as package runner/bundle has verified.
func (l locked) version(source string) string {
	if v, ok := l[source]; ok {
		return v
	}
	if rest, ok := strings.CutPrefix(source, "registry.opentofu.org/"); ok {
		return l["registry.terraform.io/"+rest]
	}
	return ""
}

// lockedVersions reads the versions in a dependency lock file, by source
// address; a module need not have one.
func lockedVersions(file string) (locked, error) {
	src, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the module's lock file: %w", err)
	}
	parsed, diags := hclsyntax.ParseConfig(src, lockFile, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, fmt.Errorf("read the module's lock file: %w", diags)
	}
	var content struct {
		Providers []struct {
			Source  string   `hcl:"source,label"`
			Version string   `hcl:"version"`
			Rest    hcl.Body `hcl:",remain"`
		} `hcl:"provider,block"`
	}
	if diags := gohcl.DecodeBody(parsed.Body, nil, &content); diags.HasErrors() {
		return nil, fmt.Errorf("read the module's lock file: %w", diags)
	}
	versions := locked{}
	for _, p := range content.Providers {
		versions[p.Source] = p.Version
	}
	return versions, nil
}
