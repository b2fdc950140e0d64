package v1alpha1

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// newPreview returns a valid object.
func newPreview(namespace string) *Preview {
	return &Preview{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "orders-"},
		Spec:       PreviewSpec{Infrastructure: PreviewedInfrastructure{Name: "orders", Spec: InfrastructureSpec{Module: "aws-s3-bucket"}}},
	}
}

func TestPreview_create(t *testing.T) {
	namespace := newNamespace(t)
	const ttl = "ttl must be a duration between 1m and 24h, such as 1h"
	after := func(d time.Duration) func(*PreviewSpec) {
		return func(s *PreviewSpec) { s.TTL = metav1.Duration{Duration: d} }
	}
	for _, tc := range []struct {
		name   string
		modify func(*PreviewSpec)
		want   string
	}{
		{"A name and a module are all that is needed.", func(*PreviewSpec) {}, ""},
		{"A name is needed.", func(s *PreviewSpec) { s.Infrastructure.Name = "" }, "spec.infrastructure.name"},
		{"A name is a DNS name.", func(s *PreviewSpec) { s.Infrastructure.Name = "a/b" }, "spec.infrastructure.name"},
		{"The spec is that of an Infrastructure.", func(s *PreviewSpec) { s.Infrastructure.Spec.Module = "" }, "spec.infrastructure.spec.module"},
		{"So are its rules.", func(s *PreviewSpec) { s.Infrastructure.Spec.VariablesFrom = []VariablesSource{{}} }, "exactly one of secretKeyRef"},
		{"Nothing depends on itself.", func(s *PreviewSpec) { s.Infrastructure.Spec.DependsOn = []NameReference{{Name: "orders"}} },
			"spec.dependsOn names the object itself"},
		{"Nothing takes an output of itself.", func(s *PreviewSpec) {
			s.Infrastructure.Spec.VariablesFrom = []VariablesSource{{Variable: "a", OutputRef: &OutputReference{Name: "orders", Output: "url"}}}
		}, "spec.variablesFrom takes an output of the object itself"},
		{"A shortest time.", after(time.Minute), ""},
		{"A longest time.", after(24 * time.Hour), ""},
		{"Too short a time.", after(time.Minute - time.Second), ttl},
		{"Too long a time.", after(24*time.Hour + time.Second), ttl},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPreview(namespace)
			tc.modify(&p.Spec)
			checkRefused(t, apiServer.Create(t.Context(), p), tc.want)
		})
	}
}

func TestPreview_defaults(t *testing.T) {
	p := newPreview(newNamespace(t))
	if err := apiServer.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	got := &Preview{}
	if err := apiServer.Get(t.Context(), client.ObjectKeyFromObject(p), got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(PreviewStatus{ObservedGeneration: -1}, got.Status); diff != "" {
		t.Errorf("status, -want +got:\n%s", diff)
	}
	if got.Spec.TTL.Duration != time.Hour {
		t.Errorf("ttl is %s, want an hour", got.Spec.TTL.Duration)
	}
}

func TestPreview_update(t *testing.T) {
	const refused = "a Preview's spec cannot be changed; create another Preview"
	for _, tc := range []struct {
		name   string
		change func(*Preview)
		want   string
	}{
		{"The name cannot be changed.", func(p *Preview) { p.Spec.Infrastructure.Name = "other" }, refused},
		{"The spec cannot be changed.", func(p *Preview) { p.Spec.Infrastructure.Spec.Module = "other" }, refused},
		{"The time cannot be changed.", func(p *Preview) { p.Spec.TTL = metav1.Duration{Duration: time.Minute} }, refused},
		{"Labels can be changed.", func(p *Preview) { p.Labels = map[string]string{"a": "b"} }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPreview(newNamespace(t))
			if err := apiServer.Create(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			tc.change(p)
			checkRefused(t, apiServer.Update(t.Context(), p), tc.want)
		})
	}
}
