//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shellBlock is a block of commands in a page.
var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// TestDocs runs the commands of each page of the documentation, as one script from the
// repository's root, with helm and kubectl on the PATH.
func TestDocs(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(stage.Root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		var script strings.Builder
		for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
			script.WriteString(block[1])
		}
		if script.Len() == 0 {
			continue
		}
		ran++
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			out, err := stage.Shell(t.Context(), script.String())
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	if ran == 0 {
		t.Error("no page has commands")
	}
}
