package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const exampleMod = `module example

require (
	k8s.io/kubectl v0.0.0
	k8s.io/kubernetes v1.36.3
)

require github.com/spf13/cobra v1.10.2

replace (
	k8s.io/api => k8s.io/api v0.36.3
)
`

func TestRequiredVersion(t *testing.T) {
	for module, want := range map[string]string{
		"k8s.io/kubernetes":      "v1.36.3",
		"github.com/spf13/cobra": "v1.10.2",
		"k8s.io/api":             "",
		"k8s.io":                 "",
	} {
		if got := requiredVersion(exampleMod, module); got != want {
			t.Errorf("%s: %q, want %q", module, got, want)
		}
	}
}

func TestKubeVersionFlags(t *testing.T) {
	flags := kubeVersionFlags("v1.36.3")
	for _, want := range []string{
		"-X k8s.io/component-base/version.gitVersion=v1.36.3", "-X k8s.io/client-go/pkg/version.gitMajor=1",
		"-X k8s.io/component-base/version.gitMinor=36",
	} {
		if !strings.Contains(flags, want) {
			t.Errorf("%q lacks %q", flags, want)
		}
	}
}

func TestProgram_recipe(t *testing.T) {
	repo := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(repo, "kube", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key := func(p program) string {
		t.Helper()
		r, err := p.recipe(repo)
		if err != nil {
			t.Fatal(err)
		}
		return r.key
	}
	p := program{name: "kube", dir: "kube", upstream: "k8s.io/kubernetes"}
	write("go.mod", exampleMod)
	write("main.go", "package main")
	first := key(p)
	if !strings.HasPrefix(first, "kube-v1.36.3-") {
		t.Errorf("key %q does not name program and version", first)
	}
	if key(p) != first {
		t.Error("the key of the same files changes")
	}
	stamped := p
	stamped.ldflags = kubeVersionFlags
	if key(stamped) == first {
		t.Error("the key does not depend on the linker's flags")
	}
	write("main.go", "package main\n")
	if key(p) == first {
		t.Error("the key does not depend on the source")
	}
	write("go.mod", "module example\n")
	if _, err := p.recipe(repo); err == nil {
		t.Error("a go.mod without the upstream module is accepted")
	}
}

func TestFollowBuild(t *testing.T) {
	var compiled atomic.Int64
	output := "go: downloading k8s.io/api v0.36.3\nk8s.io/api/core/v1\nruntime/internal/sys\n# example\n./main.go:3:1: syntax error\n"
	problems := followBuild(strings.NewReader(output), &compiled)
	if compiled.Load() != 2 || problems != "# example\n./main.go:3:1: syntax error" {
		t.Errorf("%d compiled, problems %q", compiled.Load(), problems)
	}
}

func TestBuildProgress(t *testing.T) {
	for name, tc := range map[string]struct {
		compiled, packages int
		elapsed            time.Duration
		want               string
	}{
		"a quarter is done":            {500, 2000, 2 * time.Minute, "500 of 2000 packages compiled, about 6m0s left"},
		"the rest is linking":          {2000, 2000, 8 * time.Minute, "2000 of 2000 packages compiled, about 30s left"},
		"the number is not known":      {500, 0, 2 * time.Minute, "500 packages compiled in 2m0s"},
		"nothing to extrapolate from":  {0, 2000, 30 * time.Second, "0 packages compiled in 30s"},
		"more than were thought stale": {7, 5, time.Minute, "7 packages compiled in 1m0s"},
	} {
		if got := buildProgress(tc.compiled, tc.packages, tc.elapsed); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
