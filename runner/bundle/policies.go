package bundle

import (
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/policy"
)

// LoadPolicies reads the policies in a folder, by file name, and checks that they compile
// with the default set.
func LoadPolicies(dir string) (map[string][]byte, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("load the policies: %w", err)
	}
	source := os.DirFS(dir)
	files, err := policy.Read(source)
	if err != nil {
		return nil, fmt.Errorf("load the policies in %s: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no policy in %s: a policy is a file *.rego, not in a folder of its own", dir)
	}
	if _, err := policy.Load(policy.Library(), source); err != nil {
		return nil, fmt.Errorf("load the policies in %s: %w", dir, err)
	}
	return files, nil
}

// policyLayer is the policies beside the runner's default set.
func policyLayer(files map[string][]byte) Layer {
	layer := Layer{Name: "policies: " + strings.Join(policyNames(files), ", ")}
	for name, text := range files {
		layer.Entries = append(layer.Entries, Entry{Path: path.Join(runner.PoliciesDir, name), Mode: 0o644, Content: text})
	}
	return layer
}

func policyNames(files map[string][]byte) []string {
	var names []string
	for _, file := range slices.Sorted(maps.Keys(files)) {
		names = append(names, strings.TrimSuffix(file, ".rego"))
	}
	return names
}
