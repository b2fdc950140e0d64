package catalogue

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/modules"
)

// newCatalogue returns a catalogue of one module, queue.
func newCatalogue(t *testing.T) *modules.Catalogue {
	t.Helper()
	catalogue, err := modules.Load(fstest.MapFS{
		"queue/module.yaml": {Data: []byte("version: 1.2.0\nsummary: For tests\n")},
		"queue/main.tf": {Data: []byte(`
			variable "name" {
			  type        = string
			  description = "Its name"
			}
			variable "size" {
			  type    = object({ cpu = number, tags = optional(map(string), {}) })
			  default = { cpu = 2 }
			}
			variable "nothing" {
			  type    = string
			  default = null
			}
			variable "password" {
			  type      = string
			  default   = "secret"
			  sensitive = true
			}
			output "url" { value = var.name }
		`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

// wanted is the object of the module queue.
func wanted(t *testing.T) *v1alpha1.Module {
	t.Helper()
	return newCatalogue(t).Modules()[0].Object()
}

func TestReconciler_Reconcile(t *testing.T) {
	of := func(modify func(*v1alpha1.Module)) func(*testing.T) []client.Object {
		return func(t *testing.T) []client.Object {
			module := wanted(t)
			modify(module)
			return []client.Object{module}
		}
	}
	for _, tc := range []struct {
		name   string
		before func(*testing.T) []client.Object
		module string
		writes int
		exists bool
	}{
		{"A module of the bundle gets an object.", func(*testing.T) []client.Object { return nil }, "queue", 1, true},
		{"An object that is right is left alone.", of(func(*v1alpha1.Module) {}), "queue", 0, true},
		{"A version that others changed is put back.", of(func(m *v1alpha1.Module) { m.Spec.Version = "9" }), "queue", 1, true},
		{"A schema that others changed is put back.", of(func(m *v1alpha1.Module) { m.Spec.Schema.Raw = []byte(`{"type":"string"}`) }), "queue", 1, true},
		{"A bundle's version that others removed is put back.", of(func(m *v1alpha1.Module) { m.Spec.Versions = nil }), "queue", 1, true},
		{"A variable that others removed is put back.", of(func(m *v1alpha1.Module) { m.Spec.Variables = m.Spec.Variables[1:] }), "queue", 1, true},
		{"Labels that others changed are put back.", of(func(m *v1alpha1.Module) { m.Labels = nil }), "queue", 1, true},
		{"An object of a module that has left the bundle goes.", of(func(m *v1alpha1.Module) { m.Name = "topic" }), "topic", 1, false},
		{"A module that nobody has is nothing.", func(*testing.T) []client.Object { return nil }, "topic", 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			api := newAPI(t, tc.before(t)...)
			r := New(api, newCatalogue(t))
			for range 2 {
				if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Name: tc.module}}); err != nil {
					t.Fatal(err)
				}
			}
			if api.writes != tc.writes {
				t.Errorf("%d writes in two reconciles, want %d", api.writes, tc.writes)
			}
			got := &v1alpha1.Module{}
			err := api.Get(t.Context(), client.ObjectKey{Name: tc.module}, got)
			if !tc.exists {
				if !apierrors.IsNotFound(err) {
					t.Errorf("got %v, want it to be gone", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(wanted(t).Spec, got.Spec, cmp.Comparer(sameJSON)); diff != "" {
				t.Errorf("spec, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(wanted(t).Labels, got.Labels); diff != "" {
				t.Errorf("labels, -want +got:\n%s", diff)
			}
		})
	}
}
