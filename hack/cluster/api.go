package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// node is what we read of a Node object.
type node struct {
	Status struct {
		Conditions []struct {
			Type, Status, Message string
			LastHeartbeatTime     time.Time
		}
	}
}

// readySince tells what keeps the node from being Ready, by a heartbeat not older than since. Heartbeats have whole seconds.
func (n node) readySince(since time.Time) error {
	for _, c := range n.Status.Conditions {
		if c.Type != "Ready" {
			continue
		}
		if c.LastHeartbeatTime.Before(since.Truncate(time.Second)) {
			return fmt.Errorf("no heartbeat since %s", c.LastHeartbeatTime.Format(time.TimeOnly))
		}
		if c.Status != "True" {
			return fmt.Errorf("the node is not Ready: %s", c.Message)
		}
		return nil
	}
	return fmt.Errorf("the node has no Ready condition yet")
}

// client talks to the API server as the administrator.
func (l layout) client() (*http.Client, error) {
	ca, err := os.ReadFile(l.pki("ca.crt"))
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(l.pki("admin.crt"), l.pki("admin.key"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}
	return &http.Client{Transport: transport, Timeout: 5 * time.Second}, nil
}

// get reads url as the administrator and decodes the JSON that comes back into object, unless that is nil.
func (c *cluster) get(ctx context.Context, url string, object any) error {
	client, err := c.administrator()
	if err != nil {
		return err
	}
	return fetch(ctx, client, url, object)
}

func fetch(ctx context.Context, client *http.Client, url string, object any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", url, response.Status, strings.TrimSpace(string(body)))
	}
	if object == nil {
		return nil
	}
	return json.Unmarshal(body, object)
}

// healthz makes a readiness test of a component's own health address, which everybody may read. Its certificate is
// self-signed, and nothing secret is sent.
func healthz(url string) func(context.Context, *cluster, time.Time) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	return func(ctx context.Context, _ *cluster, _ time.Time) error { return fetch(ctx, client, url, nil) }
}
