package v1alpha1

import (
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// apiServer is the API server of this package's tests.
var apiServer client.Client

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, func(config *rest.Config) (err error) {
		scheme := testenv.Scheme(apiextensionsv1.AddToScheme, AddToScheme)
		apiServer, err = client.New(config, client.Options{Scheme: scheme})
		return err
	}))
}

// newNamespace makes a namespace for one test.
func newNamespace(t *testing.T) string {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := apiServer.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	return ns.Name
}

// checkRefused fails the test unless err is a refusal whose message contains want;
// an empty want wants no error.
func checkRefused(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want it to be accepted", err)
	case want != "" && err == nil:
		t.Errorf("accepted, want it to be refused with %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("got %v, want it to contain %q", err, want)
	}
}
