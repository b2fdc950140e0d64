package catalogue

import (
	"context"
	"os"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// apiConfig is the access to the API server of this package's tests.
var apiConfig *rest.Config

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, func(config *rest.Config) error {
		apiConfig = config
		return nil
	}))
}

// fakeAPI is a client of the API server that counts writes.
type fakeAPI struct {
	client.WithWatch
	writes int
}

// newAPI returns a client of an API server with these Modules and no others.
func newAPI(t *testing.T, objects ...client.Object) *fakeAPI {
	t.Helper()
	base, err := client.NewWithWatch(apiConfig, client.Options{Scheme: testenv.Scheme(v1alpha1.AddToScheme)})
	if err != nil {
		t.Fatal(err)
	}
	if err := base.DeleteAllOf(t.Context(), &v1alpha1.Module{}); err != nil {
		t.Fatal(err)
	}
	for _, obj := range objects {
		if err := base.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
	}
	f := &fakeAPI{}
	f.WithWatch = interceptor.NewClient(base, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			f.writes++
			return c.Create(ctx, obj, opts...)
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			f.writes++
			return c.Update(ctx, obj, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			f.writes++
			return c.Delete(ctx, obj, opts...)
		},
	})
	return f
}
