//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shellBlock is a block of commands in a page, perhaps indented in a list.
var shellBlock = regexp.MustCompile("(?ms)^( *)```sh\n(.*?)^ *```$")

// aloneMark is in pages whose commands take away what other tests need.
const aloneMark = "<!-- Run alone"

// scripts are the commands of the documentation's pages, each page's as one script.
func scripts(t *testing.T, alone bool) map[string]string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(stage.Root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), aloneMark) != alone {
			continue
		}
		var script strings.Builder
		for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
			for line := range strings.Lines(block[2]) {
				script.WriteString(strings.TrimPrefix(line, block[1]))
			}
		}
		if script.Len() > 0 {
			all[filepath.Base(page)] = script.String()
		}
	}
	if len(all) == 0 {
		t.Fatal("no page has commands")
	}
	return all
}

func runScript(t *testing.T, script string) {
	t.Helper()
	if out, err := stage.Shell(t.Context(), script); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDocs runs the commands of each page of the documentation from the repository's
// root, with helm and kubectl on the PATH; one page after the other, as two of them
// upgrade the same release.
func TestDocs(t *testing.T) {
	t.Parallel()
	for page, script := range scripts(t, false) {
		t.Run(page, func(t *testing.T) { runScript(t, script) })
	}
}

// TestDocs_alone runs the pages that take Groundwork away; it is put back after each.
func TestDocs_alone(t *testing.T) {
	needsOwnCluster(t, "it deletes every Infrastructure and the CRDs")
	for page, script := range scripts(t, true) {
		t.Run(page, func(t *testing.T) {
			runScript(t, script)
			if err := stage.InstallAnew(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}
