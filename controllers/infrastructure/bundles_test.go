package infrastructure

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/modules"
)

// bundles is a catalogue of bundles with the test library: names and versions in turn,
// an empty version for a bundle without a module.
func bundles(t *testing.T, namesAndVersions ...string) *modules.Catalogue {
	t.Helper()
	var all []modules.Bundle
	for i := 0; i < len(namesAndVersions); i += 2 {
		files := libraryFiles(namesAndVersions[i+1])
		if namesAndVersions[i+1] == "" {
			clear(files)
		}
		all = append(all, modules.Bundle{Name: namesAndVersions[i], Library: files})
	}
	catalogue, err := modules.LoadBundles(all...)
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

func TestDestroyBundle(t *testing.T) {
	applied := func(version, bundle string) v1alpha1.ModuleReference {
		return v1alpha1.ModuleReference{Name: "queue", Version: version, Bundle: bundle}
	}
	for _, tc := range []struct {
		name    string
		bundles []string
		applied v1alpha1.ModuleReference
		want    string
	}{
		{"The default bundle has it.", []string{"", "1.0.0", "next", "2.0.0"}, applied("1.0.0", ""), ""},
		{"Another bundle has it.", []string{"", "1.0.0", "next", "2.0.0"}, applied("2.0.0", "next"), "next"},
		{"It has moved to another bundle.", []string{"", "2.0.0", "old", "1.0.0"}, applied("1.0.0", ""), "old"},
		{"It has moved to the default bundle.", []string{"", "1.0.0", "old", ""}, applied("1.0.0", "old"), ""},
		{"Its bundle has another version by now.", []string{"", "1.0.0", "next", "2.1.0"}, applied("2.0.0", "next"), "next"},
		{"Its bundle has dropped the module.", []string{"", "1.0.0", "next", ""}, applied("2.0.0", "next"), "next"},
		{"The default bundle has dropped the module.", []string{"", "", "next", "2.0.0"}, applied("1.0.0", ""), ""},
		{"Its bundle is gone.", []string{"", "1.0.0"}, applied("2.0.0", "next"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := destroyBundle(bundles(t, tc.bundles...), tc.applied); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// wantModule checks the version and the bundle of the last Run's module.
func (e *env) wantModule(version, bundle string) {
	e.Helper()
	if m := e.last().Spec.Module; m.Version != version || m.Bundle != bundle {
		e.Errorf("the run is of %+v, want %s of bundle %q", m, version, bundle)
	}
}

// A second bundle, with a newer version, comes beside the first.
func TestReconciler_bundleAdded(t *testing.T) {
	for _, tc := range []struct {
		name, constraint string
		moves            bool
	}{
		{"A version that is held to stays.", "~> 1.0", false},
		{"Without a constraint the newest is applied.", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.create(func(i *v1alpha1.Infrastructure) { i.Spec.ModuleVersion = tc.constraint })
			e.reconcile()
			e.succeed(queueOutputs())
			e.reconcile()
			e.want(v1alpha1.ReasonInSync, "1.2.0")
			e.r.catalogue = bundles(t, "", "1.2.0", "next", "2.0.0")
			e.reconcile()
			if !tc.moves {
				e.want(v1alpha1.ReasonInSync, "1.2.0")
				e.wantRuns(1)
				return
			}
			e.wantRuns(2)
			e.wantModule("2.0.0", "next")
			e.succeed(queueOutputs())
			e.reconcile()
			e.want(v1alpha1.ReasonInSync, "2.0.0")
			if m := e.object().Status.Module; m.Bundle != "next" {
				t.Errorf("status.module is %+v, want it of bundle next", m)
			}
		})
	}
}

// The bundle of what is applied goes: the object says so, and keeps what it has until it
// is deleted.
func TestReconciler_bundleGone(t *testing.T) {
	e := newEnv(t)
	e.r.catalogue = bundles(t, "", "1.2.0", "next", "2.0.0")
	e.create(func(i *v1alpha1.Infrastructure) { i.Spec.ModuleVersion = "~> 2.0" })
	e.reconcile()
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonInSync, "2.0.0")
	e.r.catalogue = library(t)
	e.remove(&corev1.Secret{}, e.namespace, "orders")
	e.reconcile()
	e.want(v1alpha1.ReasonModuleNotFound, "version 1.2.0", "the resources and the output Secret stay as they are", "a delete still destroys them")
	e.must(apiServer.Get(t.Context(), e.name(), &corev1.Secret{}))
	e.wantRuns(1)
	e.delete()
	e.reconcile()
	e.wantRuns(2)
	e.wantModule("2.0.0", "")
	e.succeed(nil)
	e.reconcile()
	e.wantNothingLeft()
}

// The bundle goes between a Run and its pod: the Run controller ends the Run, and the next
// one is of a bundle that is there, at once.
func TestReconciler_bundleGoneBeforePod(t *testing.T) {
	e := newEnv(t)
	e.r.catalogue = bundles(t, "", "1.2.0", "next", "2.0.0")
	e.create()
	e.reconcile()
	e.wantModule("2.0.0", "next")
	e.r.catalogue = library(t)
	e.finish(e.last(), v1alpha1.RunReasonSuperseded, "bundle next is gone")
	e.reconcile()
	e.wantModule("1.2.0", "")
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonInSync, "1.2.0")

	e.r.catalogue = bundles(t, "", "2.0.0", "old", "1.2.0")
	e.delete()
	e.reconcile()
	e.wantModule("1.2.0", "old")
	e.r.catalogue = bundles(t, "", "2.0.0")
	e.finish(e.last(), v1alpha1.RunReasonSuperseded, "bundle old is gone")
	e.reconcile()
	e.wantModule("1.2.0", "")
	e.succeed(nil)
	e.reconcile()
	e.wantNothingLeft()
}
