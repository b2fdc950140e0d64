package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/hack/devenv"
)

const (
	// webhookRate is in requests a second, webhookRequests are made of each kind.
	webhookRate     = 50
	webhookRequests = 20 * webhookRate
)

// webhook measures how long the webhook takes to answer what the API server asks it,
// at a steady rate: a good object and one with faults, by turns. Next to it is what
// the same server takes to say that a path is not there.
func (b *bench) webhook(ctx context.Context) error {
	endpoint, err := b.webhookEndpoint(ctx)
	if err != nil {
		return err
	}
	reviews := [][]byte{}
	for _, variables := range []string{
		`{"name": "bench", "storage_gb": 20, "allowed_cidr_blocks": ["10.0.0.0/8"]}`,
		`{"nam": "bench", "storage_gb": "many", "allowed_cidr_blocks": "10.0.0.0/8"}`,
	} {
		review, err := b.review(variables)
		if err != nil {
			return err
		}
		reviews = append(reviews, review)
	}
	nothing, err := endpoint.load(ctx, "/none", [][]byte{{}}, http.StatusNotFound)
	if err != nil {
		return err
	}
	answers, err := endpoint.load(ctx, endpoint.path, reviews, http.StatusOK)
	if err != nil {
		return err
	}
	reportLatency(fmt.Sprintf("webhook, an answer at %d requests a second", webhookRate), answers)
	reportLatency("  a path that is not there", nothing)
	return nil
}

// review is an AdmissionReview of an object with these variables.
func (b *bench) review(variables string) ([]byte, error) {
	object := fmt.Sprintf(`{"apiVersion": "infra.groundwork.dev/v1alpha1", "kind": "Infrastructure", "metadata": {"namespace": %q, "name": "reviewed"},
		"spec": {"module": "aws-rds-postgres", "variables": %s, "outputs": {"templates": {"URL": "{{ .uri }}"}}}}`, b.namespace, variables)
	return json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID: "1", Operation: admissionv1.Create, Namespace: b.namespace, Object: runtime.RawExtension{Raw: []byte(object)},
			UserInfo: authenticationv1.UserInfo{Username: "bench", Groups: []string{"system:authenticated"}},
		},
	})
}

// webhookEndpoint is the webhook of one controller pod.
type webhookEndpoint struct {
	http *http.Client
	path string
}

// webhookEndpoint finds the webhook as the API server does, but for the Service: this
// machine is a node and reaches the pods.
func (b *bench) webhookEndpoint(ctx context.Context) (*webhookEndpoint, error) {
	var pods corev1.PodList
	err := b.stage.Client.List(ctx, &pods, client.InNamespace(devenv.Namespace), client.MatchingLabels{"app.kubernetes.io/component": "controller"})
	if err != nil || len(pods.Items) == 0 {
		return nil, errors.Join(errors.New("find a pod of the controller"), err)
	}
	var configurations admissionregistrationv1.ValidatingWebhookConfigurationList
	if err := b.stage.Client.List(ctx, &configurations, client.MatchingLabels{"app.kubernetes.io/name": "groundwork"}); err != nil || len(configurations.Items) != 1 {
		return nil, errors.Join(fmt.Errorf("found %d configurations of the webhook, want 1", len(configurations.Items)), err)
	}
	hook := configurations.Items[0].Webhooks[0].ClientConfig
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(hook.CABundle) {
		return nil, errors.New("the webhook's configuration has no CA")
	}
	address := net.JoinHostPort(pods.Items[0].Status.PodIP, "9443")
	return &webhookEndpoint{path: *hook.Service.Path, http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots, ServerName: hook.Service.Name + "." + hook.Service.Namespace + ".svc"},
		MaxIdleConnsPerHost: webhookRate,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}}}, nil
}

// load sends requests at a steady rate, whether or not those before are answered, and
// returns the times in milliseconds that the answers took.
func (e *webhookEndpoint) load(ctx context.Context, path string, bodies [][]byte, status int) ([]float64, error) {
	times, errs := make([]float64, webhookRequests), make([]error, webhookRequests)
	tick := time.NewTicker(time.Second / webhookRate)
	defer tick.Stop()
	var running sync.WaitGroup
	for i := range webhookRequests {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
		running.Go(func() {
			began := time.Now()
			errs[i] = e.ask(ctx, path, bodies[i%len(bodies)], status)
			times[i] = float64(time.Since(began)) / float64(time.Millisecond)
		})
	}
	running.Wait()
	return times, errors.Join(errs...)
}

func (e *webhookEndpoint) ask(ctx context.Context, path string, body []byte, status int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://webhook"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := e.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != status {
		return fmt.Errorf("the webhook answers %s, want status %d", resp.Status, status)
	}
	return nil
}

// reportLatency prints the median, the 99th percentile and the longest.
func reportLatency(what string, times []float64) {
	slices.Sort(times)
	fmt.Printf("%-58s %8.2f ms  (p99 %.2f, longest %.2f, n=%d)\n", what, times[len(times)/2], times[len(times)*99/100], times[len(times)-1], len(times))
}
