package testenv

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
)

func TestRequests(t *testing.T) {
	config, requests := NoteRequests(&rest.Config{})
	client := http.Client{Transport: config.WrapTransport(roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}))}
	for _, path := range []string{
		"/api/v1/secrets",
		"/api/v1/namespaces/shop/secrets?labelSelector=a",
		"/api/v1/namespaces/shop/configmaps?fieldSelector=type%3DOpaque",
		"/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Dorders&watch=true",
		"/api/v1/namespaces/shop/secrets/orders",
		"/api/v1/namespaces/system/secrets",
		"/api/v1/namespaces/shop/pods",
		"/api/v1/namespaces/shop",
		"/apis/apps/v1/deployments",
	} {
		response, err := client.Get("http://api" + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	want := []string{
		"GET /api/v1/secrets", "GET /api/v1/namespaces/shop/secrets?labelSelector=a",
		"GET /api/v1/namespaces/shop/configmaps?fieldSelector=type%3DOpaque",
	}
	if diff := cmp.Diff(want, requests.Unnamed("system")); diff != "" {
		t.Errorf("without a name, -want +got:\n%s", diff)
	}
	want = []string{
		"GET /api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Dorders&watch=true",
		"GET /api/v1/namespaces/shop/secrets/orders",
	}
	if diff := cmp.Diff(want, requests.Named("shop", "orders")); diff != "" {
		t.Errorf("with a name, -want +got:\n%s", diff)
	}
}
