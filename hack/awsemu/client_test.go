package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// testClient calls the APIs of an emulator as an SDK does, as far as the emulator looks.
type testClient struct {
	t   *testing.T
	url string
	now *time.Time // what the services without a database take for the time; nil: the time
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// newTestClient starts everything that needs no PostgreSQL server.
func newTestClient(t *testing.T) *testClient {
	t.Helper()
	dir := t.TempDir()
	store, err := openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := openObjects(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { objects.close() })
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	c := serve(t, newServer(store, map[string]service{
		"ec2":            newEC2(store),
		"iam":            newIAM(store, clock),
		"s3":             newS3(store, objects, clock),
		"secretsmanager": newSecretsManager(store, clock),
		"sqs":            newSQS(store, clock),
		"sts":            newSTS(),
	}, slog.New(slog.DiscardHandler)))
	c.now = &now
	return c
}

func serve(t *testing.T, handler http.Handler) *testClient {
	t.Helper()
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	return &testClient{t: t, url: web.URL}
}

// do sends a request that is signed for the service, in eu-central-1.
func (c *testClient) do(service, method, path, body string, header ...string) answer {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=key/20260101/eu-central-1/%s/aws4_request, SignedHeaders=host, Signature=0", service))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(data)}
}

// query calls an action of a query-protocol service; params are names and values in turn.
func (c *testClient) query(service, action string, params ...string) answer {
	c.t.Helper()
	form := url.Values{"Action": {action}, "Version": {"0"}}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	return c.do(service, http.MethodPost, "/", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// mustQuery is query for a call that has to succeed.
func (c *testClient) mustQuery(service, action string, params ...string) answer {
	c.t.Helper()
	a := c.query(service, action, params...)
	if a.status != http.StatusOK {
		c.t.Fatalf("%s: %d\n%s", action, a.status, a.body)
	}
	return a
}

// elements returns the texts of all elements of this name.
func (a answer) elements(name string) []string {
	texts := []string{}
	for _, match := range regexp.MustCompile("<"+name+"(?: [^>]*)?>([^<]*)</"+name+">").FindAllStringSubmatch(a.body, -1) {
		texts = append(texts, match[1])
	}
	return texts
}

// element returns the text of the only element of this name.
func (a answer) element(t *testing.T, name string) string {
	t.Helper()
	texts := a.elements(name)
	if len(texts) != 1 {
		t.Fatalf("%d elements <%s> in\n%s", len(texts), name, a.body)
	}
	return texts[0]
}

// code is the error's code, empty when there is none.
func (a answer) code() string {
	return strings.Join(a.elements("Code"), ",")
}

// json calls an action of a JSON-protocol service.
func (c *testClient) json(service, action, body string) answer {
	c.t.Helper()
	target := map[string]string{"secretsmanager": "secretsmanager.", "sqs": "AmazonSQS."}[service]
	return c.do(service, http.MethodPost, "/", body, "X-Amz-Target", target+action)
}

// mustJSON is json for a call that has to succeed; it decodes the answer.
func (c *testClient) mustJSON(service, action, body string) map[string]any {
	c.t.Helper()
	a := c.json(service, action, body)
	decoded := map[string]any{}
	if err := json.Unmarshal([]byte(a.body), &decoded); err != nil || a.status != http.StatusOK {
		c.t.Fatalf("%s: %d\n%s", action, a.status, a.body)
	}
	return decoded
}

// jsonType is the error's code in the JSON protocol, empty when there is none.
func (a answer) jsonType() string {
	var failure struct {
		Type string `json:"__type"`
	}
	_ = json.Unmarshal([]byte(a.body), &failure) // an answer that is no JSON has no code
	return failure.Type
}
