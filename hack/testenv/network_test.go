package testenv

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
)

// answer is a transport that answers without a network.
type answer struct{}

func (answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func TestNetwork_requests(t *testing.T) {
	config, network := NewNetwork(&rest.Config{})
	client := http.Client{Transport: config.WrapTransport(answer{})}
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
	if diff := cmp.Diff(want, network.Unnamed("system")); diff != "" {
		t.Errorf("without a name, -want +got:\n%s", diff)
	}
	want = []string{
		"GET /api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Dorders&watch=true",
		"GET /api/v1/namespaces/shop/secrets/orders",
	}
	if diff := cmp.Diff(want, network.Named("shop", "orders")); diff != "" {
		t.Errorf("with a name, -want +got:\n%s", diff)
	}
}

func TestNetwork_SetDown(t *testing.T) {
	config, network := NewNetwork(&rest.Config{})
	client := http.Client{Transport: config.WrapTransport(answer{})}
	const path = "http://api/api/v1/namespaces/shop/secrets/orders"
	response, err := client.Get(path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if n := network.Watches(); n != 1 {
		t.Errorf("%d watches, want that of the answer that is not read", n)
	}
	network.SetDown(true)
	if n := network.Watches(); n != 0 {
		t.Errorf("%d watches on a network that is down", n)
	}
	if response, err := client.Get(path); err == nil {
		response.Body.Close()
		t.Error("an answer came over a network that is down")
	}
	network.SetDown(false)
	response, err = client.Get(path)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if n := network.Watches(); n != 0 {
		t.Errorf("%d watches, want none once the answer is read", n)
	}
}
