package status

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func TestPatch(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*v1alpha1.Infrastructure)
		want   int
	}{
		{"A status that is the same is not written.", func(*v1alpha1.Infrastructure) {}, 0},
		{"A change of anything else is not written.", func(i *v1alpha1.Infrastructure) { i.Spec.Module = "other" }, 0},
		{"Several changes are one write.", func(i *v1alpha1.Infrastructure) {
			i.Status.Resources = 7
			Set(i, InSync("applied", 0))
		}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			scheme := runtime.NewScheme()
			if err := v1alpha1.AddToScheme(scheme); err != nil {
				t.Fatal(err)
			}
			infra := &v1alpha1.Infrastructure{}
			infra.Name, infra.Namespace = "orders", "shop"
			writes := 0
			c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(infra).WithStatusSubresource(infra).
				WithInterceptorFuncs(interceptor.Funcs{
					SubResourcePatch: func(ctx context.Context, c client.Client, name string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
						writes++
						return c.SubResource(name).Patch(ctx, obj, patch, opts...)
					},
				}).Build()
			before := infra.DeepCopy()
			tc.change(infra)
			spec := infra.Spec.Module
			if err := Patch(t.Context(), c, before, infra); err != nil {
				t.Fatal(err)
			}
			if writes != tc.want {
				t.Errorf("%d writes, want %d", writes, tc.want)
			}
			if infra.Spec.Module != spec {
				t.Errorf("the API server's answer has replaced the spec that the caller works with")
			}
		})
	}
}
