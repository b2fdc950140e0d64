package main

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/bundle"
)

// thingHash is the checksum that Terraform computes for the provider of bundleInputs.
const thingHash = "h1:5LmStlI+tdK0a85yBrzO3xQlErdltkcm1QAh5JD2Ivs="

// bundleInputs are what bundles are made of.
type bundleInputs struct {
	// library has the module thing, other the module old, mirror the provider of both.
	library, other, mirror string
	// image is a bundle of the module old, from the file.
	image v1.Image
	file  string
}

// makeBundleInputs writes inputs in which Terraform is a script and all else a text.
func makeBundleInputs(t *testing.T) bundleInputs {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	in := bundleInputs{library: t.TempDir(), other: t.TempDir(), mirror: t.TempDir(), file: filepath.Join(t.TempDir(), "from.tar")}
	writeModule(t, filepath.Join(in.library, "thing"), thingHash)
	writeModule(t, filepath.Join(in.other, "old"), thingHash)
	writeMode(t, filepath.Join(in.mirror, "example.com/acme/thing/1.0.0/linux_"+runtime.GOARCH+"/terraform-provider-thing"), "a provider", 0o755)

	modules, err := bundle.LoadModules([]string{in.other})
	if err != nil {
		t.Fatal(err)
	}
	terraform, err := bundle.ReadTerraform(t.Context(), writeTerraform(t, "Terraform", "1.11.4"))
	if err != nil {
		t.Fatal(err)
	}
	in.image, err = bundle.Bundle{
		Foundation: bundle.Foundation{
			Architecture: runtime.GOARCH,
			Config:       v1.Config{User: bundle.User},
			Base:         []bundle.Layer{{Entries: []bundle.Entry{{Path: "/etc/passwd", Mode: 0o644}}}},
			Terraform:    terraform,
			Runner:       bundle.Layer{Entries: []bundle.Entry{{Path: runner.Binary, Mode: 0o755, Content: []byte("a runner")}}},
			Version:      "1.2.3",
		},
		Modules: modules,
		Mirrors: []string{in.mirror},
	}.Image(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(in.file, name.MustParseReference("example.com/bundle:1.2.3"), in.image); err != nil {
		t.Fatal(err)
	}
	return in
}

// writeTerraform writes a script that stands in for Terraform or OpenTofu.
func writeTerraform(t *testing.T, product, version string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "binary")
	writeMode(t, file, `#!/bin/sh
case "$*" in
'version -json') echo '{"terraform_version": "`+version+`"}';;
version) echo '`+product+` v`+version+`';;
*) exit 1;;
esac
`, 0o755)
	return file
}

// writeModule writes a module, locked to a checksum unless that is empty.
func writeModule(t *testing.T, dir, hash string) {
	t.Helper()
	writeMode(t, filepath.Join(dir, "module.yaml"), "version: 1.0.0\nsummary: A thing.\n", 0o644)
	writeMode(t, filepath.Join(dir, "main.tf"), "terraform {\n  required_providers {\n    thing = { source = \"example.com/acme/thing\" }\n  }\n}\n", 0o644)
	if hash != "" {
		writeMode(t, filepath.Join(dir, ".terraform.lock.hcl"), "provider \"example.com/acme/thing\" {\n  version = \"1.0.0\"\n  hashes  = [\""+hash+"\"]\n}\n", 0o644)
	}
}

func writeMode(t *testing.T, file, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// startRegistry starts an empty registry and returns its host.
func startRegistry(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// layerDigests are the digests of an image's layers, from the bottom to the top.
func layerDigests(t *testing.T, image v1.Image) []string {
	t.Helper()
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var digests []string
	for _, l := range manifest.Layers {
		digests = append(digests, l.Digest.String())
	}
	return digests
}

// TestBundleBuild makes a bundle from one in a registry and pushes it, then the same from
// a file into a file.
func TestBundleBuild(t *testing.T) {
	in := makeBundleInputs(t)
	host := startRegistry(t)
	from, err := name.ParseReference(host + "/groundwork/bundle:1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(from, in.image); err != nil {
		t.Fatal(err)
	}
	tag := host + "/team/bundle:2.0.0"
	out := mustRun(t, "bundle", "build", in.library, "--from", from.String(), "--providers", in.mirror, "-t", tag, "--push")
	for _, want := range []string{"the runner comes from " + from.String(), "0.0 MB  example.com/acme/thing 1.0.0\n", "pushed " + tag} {
		if !strings.Contains(out, want) {
			t.Errorf("progress: want %q in\n%s", want, out)
		}
	}

	ref, err := name.ParseReference(tag)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := pulled.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out, "\n"+digest.String()+"\n") {
		t.Errorf("want the digest %s at the end of\n%s", digest, out)
	}
	config, err := pulled.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		User:       "65532:65532",
		Entrypoint: []string{"/groundwork/runner"},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "groundwork-bundle",
			"org.opencontainers.image.description": "Groundwork's runner with Terraform, providers and modules.",
			"org.opencontainers.image.version":     "1.2.3",
			"infra.groundwork.dev/terraform":       "1.11.4",
			"infra.groundwork.dev/providers":       "example.com/acme/thing 1.0.0",
			"infra.groundwork.dev/modules":         "thing 1.0.0",
		},
	}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("config: -want, +got:\n%s", diff)
	}
	// Base, Terraform, the provider and the runner stay; the modules are others.
	before, after := layerDigests(t, in.image), layerDigests(t, pulled)
	if len(after) != 5 || !slices.Equal(before[:4], after[:4]) || before[4] == after[4] {
		t.Errorf("layers: before %v, after %v", before, after)
	}

	file := filepath.Join(t.TempDir(), "bundle.tar")
	again := mustRun(t, "bundle", "build", in.library, "--from", in.file, "--providers", in.mirror, "-t", tag, "-o", file)
	if !strings.HasSuffix(again, "\n"+digest.String()+"\n") {
		t.Errorf("from a file: want the same digest %s at the end of\n%s", digest, again)
	}
	written, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(after, layerDigests(t, written)); diff != "" {
		t.Errorf("layers in the file: -want, +got:\n%s", diff)
	}
}

// TestBundleBuild_policies makes a bundle with policies, which are left out of one that is
// made from it.
func TestBundleBuild_policies(t *testing.T) {
	in := makeBundleInputs(t)
	policies := t.TempDir()
	writeMode(t, filepath.Join(policies, "a.rego"), "package main\n\ndeny contains \"a\" if input.a\n", 0o644)
	label := func(args ...string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "bundle.tar")
		mustRun(t, append([]string{"bundle", "build", in.library, "--providers", in.mirror, "-t", "bundle:1", "-o", file}, args...)...)
		image, err := tarball.ImageFromPath(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		in.file = file
		return config.Config.Labels["infra.groundwork.dev/policies"]
	}
	if got := label("--from", in.file, "--policies", policies); got != "a" {
		t.Errorf("label: want a, got %q", got)
	}
	if got := label("--from", in.file); got != "" {
		t.Errorf("label of a bundle from it: want none, got %q", got)
	}
}

// TestBundleBuild_openTofu makes a bundle with a Terraform that is named.
func TestBundleBuild_openTofu(t *testing.T) {
	in := makeBundleInputs(t)
	file := filepath.Join(t.TempDir(), "bundle.tar")
	mustRun(t, "bundle", "build", in.library, "--from", in.file, "--terraform", writeTerraform(t, "OpenTofu", "1.10.2"), "--providers", in.mirror, "-t", "bundle:1", "-o", file)
	image, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if labels := config.Config.Labels; labels["infra.groundwork.dev/opentofu"] != "1.10.2" || labels["infra.groundwork.dev/terraform"] != "" {
		t.Errorf("labels: %v", labels)
	}
}

// TestBundleBuild_faults checks that what is wrong is said, and nothing written.
func TestBundleBuild_faults(t *testing.T) {
	in := makeBundleInputs(t)
	unlocked, changed, policies := t.TempDir(), t.TempDir(), t.TempDir()
	writeMode(t, filepath.Join(policies, "a.rego"), "package main\n\ndeny if input.a\n", 0o644)
	writeModule(t, filepath.Join(unlocked, "unlocked"), "")
	writeModule(t, filepath.Join(changed, "changed"), "h1:AAAA")
	twice := t.TempDir()
	writeModule(t, filepath.Join(twice, "thing"), thingHash)
	out := filepath.Join(t.TempDir(), "bundle.tar")
	host := startRegistry(t)
	// with is a good command, but for what is said after it: a later flag counts.
	with := func(args ...string) []string {
		return append([]string{"--from", in.file, "--providers", in.mirror, "-t", host + "/team/bundle:1", "-o", out, "--push"}, args...)
	}
	cases := map[string]struct {
		args []string
		want string
	}{
		"No library.":                             {with(), "requires at least 1 arg"},
		"A library that is not there.":            {with(filepath.Join(in.library, "gone")), "load the modules in"},
		"A library without modules.":              {with(t.TempDir()), "no module in"},
		"A name in two libraries.":                {with(in.library, twice), "the module thing is in " + in.library + " and in " + twice},
		"A module without a lock.":                {with(unlocked), "the module unlocked uses the provider example.com/acme/thing, which its lock file does not have"},
		"A checksum that is not admitted.":        {with(changed), "which the lock file of the module changed does not admit"},
		"A provider that is not in the mirror.":   {with(in.library, "--providers", unlocked), "example.com/acme/thing 1.0.0 for linux_" + runtime.GOARCH + ", which the module thing uses, is in no mirror"},
		"A policy that never denies.":             {with(in.library, "--policies", policies), "policy a.rego:3: the rule deny is not a set of messages"},
		"A folder without policies.":              {with(in.library, "--policies", unlocked), "no policy in " + unlocked},
		"No tag.":                                 {[]string{in.library, "-o", out}, `required flag(s) "tag" not set`},
		"A tag that is none.":                     {with(in.library, "-t", "Team/Bundle:1"), `the tag "Team/Bundle:1"`},
		"A tag without a version.":                {with(in.library, "-t", host+"/team/bundle"), "it has no version after the name"},
		"A digest for a tag.":                     {with(in.library, "-t", "bundle@sha256:"+strings.Repeat("0", 64)), "the tag \"bundle@sha256"},
		"Nowhere to go.":                          {[]string{in.library, "--from", in.file, "-t", "bundle:1"}, "name a file with --output, or push the image with --push"},
		"A folder that is not there.":             {with(in.library, "-o", filepath.Join(in.library, "gone", "x.tar")), "there is no folder"},
		"A registry that does not answer.":        {with(in.library, "-t", "127.0.0.1:1/bundle:1"), "push 127.0.0.1:1/bundle:1"},
		"A bundle that is not there.":             {with(in.library, "--from", filepath.Join(in.library, "gone.tar")), "no such file"},
		"A bundle that is not in the registry.":   {with(in.library, "--from", host+"/gone:1"), "open the bundle " + host + "/gone:1"},
		"A build that has no bundle of its own.":  {[]string{in.library, "-t", "bundle:1", "-o", out}, "name one with --from"},
		"A Terraform that is not there.":          {with(in.library, "--terraform", filepath.Join(in.library, "gone")), "gone"},
		"A Terraform that says no version at all": {with(in.library, "--terraform", "/bin/false"), "ask /bin/false for its version"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got, err := run(t, append([]string{"bundle", "build"}, c.args...)...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got the error %v, want one with %q\n%s", err, c.want, got)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("the file was written")
			}
		})
	}
	repository, err := name.NewRepository(host + "/team/bundle")
	if err != nil {
		t.Fatal(err)
	}
	if tags, err := remote.List(repository); err == nil {
		t.Errorf("the registry has %v", tags)
	}
}
