package modules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// bundle is one with modules that differ by their version alone: names and versions in
// turn.
func bundle(name string, versions ...string) Bundle {
	files := map[string]string{}
	for i := 0; i < len(versions); i += 2 {
		files[versions[i]+"/module.yaml"] = "version: " + versions[i+1] + "\nsummary: For tests\n"
		files[versions[i]+"/main.tf"] = "# " + versions[i+1]
	}
	return Bundle{Name: name, Library: folder(files)}
}

func loadBundles(t *testing.T, bundles ...Bundle) *Catalogue {
	t.Helper()
	c, err := LoadBundles(bundles...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCatalogue_Get_bundles(t *testing.T) {
	c := loadBundles(t,
		bundle("", "queue", "1.9.0", "topic", "1.0.0", "early", "0.1.0-rc.1"),
		bundle("empty"),
		bundle("next", "queue", "2.0.0", "early", "0.1.0-rc.2"),
		bundle("old", "queue", "1.10.0", "topic", "1.0.0"),
		bundle("beta", "queue", "3.0.0-rc.1"),
	)
	for _, tc := range []struct {
		name               string
		module, constraint string
		version, bundle    string
		message            string
	}{
		{name: "Without a constraint it is the newest that is no pre-release.", module: "queue", version: "2.0.0", bundle: "next"},
		{name: "A constraint keeps to its versions.", module: "queue", constraint: "~> 1.0", version: "1.10.0", bundle: "old"},
		{name: "An exact version is that one.", module: "queue", constraint: "1.9.0", version: "1.9.0"},
		{name: "A pre-release is had by its exact version.", module: "queue", constraint: "3.0.0-rc.1", version: "3.0.0-rc.1", bundle: "beta"},
		{name: "Of nothing but pre-releases it is the newest.", module: "early", version: "0.1.0-rc.2", bundle: "next"},
		{name: "Of the same files the first bundle's are taken.", module: "topic", version: "1.0.0"},
		{name: "Versions that there are are told.", module: "queue", constraint: "~> 4.0",
			message: `module queue is there in the versions 3.0.0-rc.1, 2.0.0, 1.10.0, 1.9.0, none of which meets the constraint "~> 4.0"`},
		{name: "A name is told once.", module: "kafka", message: `there is no module "kafka"; the modules are early, queue, topic`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := c.Get(tc.module, tc.constraint)
			if tc.message != "" {
				if err == nil || err.Error() != tc.message {
					t.Fatalf("got %v, want %s", err, tc.message)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.Version != tc.version || m.Bundle != tc.bundle {
				t.Errorf("got %s of bundle %q, want %s of %q", m.Version, m.Bundle, tc.version, tc.bundle)
			}
		})
	}
}

func TestCatalogue_Objects(t *testing.T) {
	c := loadBundles(t, bundle("", "queue", "1.0.0", "topic", "1.0.0"), bundle("next", "queue", "2.0.0"))
	objects := c.Objects()
	if len(objects) != 2 || objects[0].Name != "queue" || objects[1].Name != "topic" {
		t.Fatalf("got %+v, want queue and topic", objects)
	}
	newest, old := c.Versions("queue")[0], c.Versions("queue")[1]
	spec := objects[0].Spec
	if spec.Version != "2.0.0" || spec.Bundle != "next" || spec.Digest != newest.Digest {
		t.Errorf("got %s of bundle %q with %s, want the newest", spec.Version, spec.Bundle, spec.Digest)
	}
	want := []v1alpha1.ModuleVersion{
		{Version: "2.0.0", Digest: newest.Digest, Bundle: "next"},
		{Version: "1.0.0", Digest: old.Digest},
	}
	if diff := cmp.Diff(want, spec.Versions); diff != "" {
		t.Errorf("versions, -want +got:\n%s", diff)
	}
}

func TestCatalogue_HasBundle(t *testing.T) {
	c := loadBundles(t, bundle(""), bundle("empty"))
	for name, want := range map[string]bool{"": true, "empty": true, "gone": false} {
		if got := c.HasBundle(name); got != want {
			t.Errorf("HasBundle(%q) = %t", name, got)
		}
	}
	if !new(Catalogue).HasBundle("") {
		t.Error("there is no default bundle")
	}
}

func TestLoadBundles_faults(t *testing.T) {
	other := bundle("other")
	other.Library = folder(map[string]string{"queue/module.yaml": "version: 1.0.0\nsummary: s\n", "queue/main.tf": "# something else"})
	broken := bundle("broken")
	broken.Library = folder(map[string]string{"queue/module.yaml": "summary: s\n"})
	for _, tc := range []struct {
		name    string
		bundles []Bundle
		parts   []string
	}{
		{"A version with different files in two bundles.", []Bundle{bundle("", "queue", "1.0.0"), bundle("same", "queue", "1.0.0"), other},
			[]string{"module queue 1.0.0", "bundle same with the digest sha256:", "bundle other with sha256:", "give one of them another version"}},
		{"The default bundle is called by its name.", []Bundle{bundle("", "queue", "1.0.0"), other}, []string{"bundle default with the digest"}},
		{"A fault in a bundle.", []Bundle{bundle(""), broken}, []string{"bundle broken: ", "queue/module.yaml"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := LoadBundles(tc.bundles...)
			if err == nil {
				t.Fatal("it loads")
			}
			for _, part := range tc.parts {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error is %q, want it to contain %q", err, part)
				}
			}
		})
	}
}
