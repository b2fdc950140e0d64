package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// testCluster has all its files in a temporary folder, as if everything had been built and found.
func testCluster(t *testing.T) *cluster {
	t.Helper()
	root := t.TempDir()
	c := &cluster{layout: layout{state: filepath.Join(root, "state"), cache: filepath.Join(root, "cache")}}
	c.kubeDir, c.coredns, c.pauseImage = filepath.Join(c.cache, "kube"), filepath.Join(c.cache, "coredns"), filepath.Join(c.cache, "pause.tar")
	c.tools = newToolbox(c.layout, "")
	for _, tool := range neededTools() {
		path := filepath.Join(c.tools.unpacked, "usr/bin", tool.file)
		if tool.pkg == cniPackage {
			path = filepath.Join(c.tools.unpacked, "usr/lib/cni", tool.file)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.createState(); err != nil {
		t.Fatal(err)
	}
	if err := createPKI(c.in("pki"), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := writeConfig(c.in("config"), c.settings()); err != nil {
		t.Fatal(err)
	}
	return c
}

// Every file of certificates and configuration that an argument or a configuration file names must be one that is made.
func TestComponents_filesExist(t *testing.T) {
	c := testCluster(t)
	var texts []string
	for _, p := range components() {
		texts = append(texts, strings.Join(p.argv(c), "\n"))
	}
	for _, file := range []string{"kubelet.yaml", "kube-proxy.yaml", "containerd.toml", "Corefile"} {
		text, err := os.ReadFile(c.config(file))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	named := regexp.MustCompile(regexp.QuoteMeta(c.state)+`/(pki|config)/[\w./-]+`).FindAllString(strings.Join(texts, "\n"), -1)
	if len(named) < 20 {
		t.Fatalf("only %d files are named: the test has lost its subject", len(named))
	}
	for _, file := range named {
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	}
}

// A component can wait only for one that is listed before it, or the start would never end.
func TestComponents_order(t *testing.T) {
	var before []string
	for _, p := range components() {
		for _, name := range p.after {
			if !slices.Contains(before, name) {
				t.Errorf("%s starts after %s, which is not listed before it", p.name, name)
			}
		}
		before = append(before, p.name)
	}
}

func TestWriteConfig(t *testing.T) {
	c := testCluster(t)
	for _, file := range []string{"kubelet.yaml", "kube-proxy.yaml", "cni/bridge.conflist"} {
		text, err := os.ReadFile(c.config(file))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, new(map[string]any)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for hasDNS, want := range map[bool]int{true: 1, false: 0} {
		s := c.settings()
		s.HostHasDNS = hasDNS
		if err := writeConfig(c.in("config"), s); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(c.config("Corefile"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(text), "forward ."); got != want {
			t.Errorf("host has DNS: %t, but %d forward lines", hasDNS, got)
		}
	}
}

func TestHasNameserver(t *testing.T) {
	for text, want := range map[string]bool{
		"search example.org\nnameserver 192.0.2.1\n": true,
		"# nameserver 192.0.2.1\n":                   false,
		"":                                           false,
	} {
		if got := hasNameserver(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
