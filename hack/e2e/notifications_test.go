//go:build e2e

package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// notified takes what an Alert of Flux sends about the HelmReleases of a namespace.
func notified(t *testing.T, namespace string) <-chan eventv1.Event {
	t.Helper()
	endpoint, err := url.Parse(stage.AWS.URL) // an address of this machine that pods reach
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(endpoint.Hostname(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan eventv1.Event, 100)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var event eventv1.Event
		if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
			t.Error(err)
		}
		events <- event
	})}
	go func() { _ = server.Serve(listener) }() // It ends by being closed.
	t.Cleanup(func() { server.Close() })
	for kind, spec := range map[string]map[string]any{
		"Provider": {"type": "generic", "address": "http://" + listener.Addr().String()},
		"Alert": {
			"providerRef": map[string]any{"name": "all"}, "eventSeverity": "info",
			"eventSources": []any{map[string]any{"kind": "HelmRelease", "name": "*"}},
		},
	} {
		o := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "notification.toolkit.fluxcd.io/v1beta3", "kind": kind,
			"metadata": map[string]any{"namespace": namespace, "name": "all"}, "spec": spec,
		}}
		if err := stage.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return events
}

// What becomes of an Infrastructure in a HelmRelease reaches those whom Flux alerts
// about the release.
func TestFlux_notifications(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	events := notified(t, ns)
	want := func(reason, message string) {
		t.Helper()
		for timeout := time.After(2 * time.Minute); ; {
			select {
			case event := <-events:
				if event.Reason != reason || !strings.HasPrefix(event.Message, "Infrastructure "+ns+"/queue: "+message) {
					t.Logf("passed over: %s: %s", event.Reason, event.Message)
					continue
				}
				if o := event.InvolvedObject; o.Kind != "HelmRelease" || o.Namespace != ns || o.Name != "shop" || event.Metadata["infrastructure"] != ns+"/queue" {
					t.Errorf("the event is of %+v, with %v", o, event.Metadata)
				}
				return
			case <-timeout:
				t.Fatalf("nobody was told of %s: %s", reason, message)
			}
		}
	}
	chart, err := stage.PushChart(t.Context(), writeChart(t, map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.0.0\n",
		"templates/queue.yaml": "apiVersion: infra.groundwork.dev/v1alpha1\nkind: Infrastructure\nmetadata: {name: queue}\n" +
			"spec: {module: outputs}\n",
	}), "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	release := createRelease(t, ns, "shop", chart, "1.0.0", nil)
	want("InSync", "Applied outputs")
	removeRelease(t, release, 2*time.Minute)
	want("Destroyed", "Everything is destroyed")
}
