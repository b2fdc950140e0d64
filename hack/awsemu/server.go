package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// account is the one AWS account there is.
const account = "123456789012"

// call is one API call on its way through a service.
type call struct {
	*http.Request
	region string // of the credential scope: the region that the client believes it talks to
	action string // the API action's name, such as "CreateDBInstance"
}

// service is one AWS API: it names the action that a request asks for, carries it out, and reports errors in its own format.
type service interface {
	actions() []string
	action(r *http.Request) (string, error)
	serve(w http.ResponseWriter, c *call) error // writes nothing when it returns an error
	fail(w http.ResponseWriter, c *call, err *apiError)
}

// apiError is an error in AWS's terms.
type apiError struct {
	Status  int // HTTP
	Code    string
	Message string
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

// badRequest is the usual kind of API error, with HTTP status 400.
func badRequest(code, format string, args ...any) error {
	return &apiError{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

func notFound(code, format string, args ...any) error {
	return &apiError{Status: http.StatusNotFound, Code: code, Message: fmt.Sprintf(format, args...)}
}

// asAPIError reports a failure of the emulator itself as 400: a 500 is retried by the SDKs, 25 times by Terraform's
// provider, and hides for minutes that something is wrong here.
func asAPIError(err error) *apiError {
	if api, ok := errors.AsType[*apiError](err); ok {
		return api
	}
	return &apiError{Status: http.StatusBadRequest, Code: "EmulatorFailure", Message: "awsemu: " + err.Error()}
}

// server answers all services on one port.
type server struct {
	store    *store
	services map[string]service // by the service name in a SigV4 credential scope
	faults   *faults
	calls    *calls
	log      *slog.Logger
}

func newServer(store *store, services map[string]service, log *slog.Logger) *server {
	var known []string
	for name, svc := range services {
		for _, action := range svc.actions() {
			known = append(known, name+":"+action)
		}
	}
	return &server{store: store, services: services, faults: newFaults(known), calls: newCalls(), log: log}
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/_emu/health":
		writeJSON(w, map[string]string{"status": "ok"})
	case "/_emu/calls":
		s.calls.ServeHTTP(w, r)
	case "/_emu/faults":
		s.faults.ServeHTTP(w, r)
	case "/_emu/resources":
		writeJSON(w, s.resources())
	default:
		s.serveAWS(w, r)
	}
}

func (s *server) serveAWS(w http.ResponseWriter, r *http.Request) {
	key, region, name := credentialScope(r)
	svc, ok := s.services[name]
	if !ok {
		s.log.Error("unknown service", "service", name, "path", r.URL.Path)
		http.Error(w, fmt.Sprintf("awsemu has no service %q", name), http.StatusNotImplemented)
		return
	}
	c := &call{Request: r, region: region}
	start := time.Now()
	var err error
	if c.action, err = svc.action(r); err == nil {
		err = s.admit(c, key, name)
	}
	if err == nil {
		err = svc.serve(w, c)
	}
	line := s.log.With("call", name+":"+c.action, "took", time.Since(start).Round(10*time.Microsecond))
	if err != nil {
		failure := asAPIError(err)
		line.Info("refused", "code", failure.Code, "message", failure.Message)
		svc.fail(w, c, failure)
		return
	}
	line.Info("done")
}

// admit notes what the call needs, and fails when a fault says so.
func (s *server) admit(c *call, key, service string) error {
	needed, err := permissions(service, c)
	if err != nil {
		return err
	}
	s.calls.add(key, needed)
	return s.faults.hit(c.Context(), service+":"+c.action)
}

// credentialScope returns access key id, region and service of the request's SigV4 credential; its signature is not looked at.
// Only S3 knows requests without one.
func credentialScope(r *http.Request) (key, region, name string) {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if credential == "" {
		_, credential, _ = strings.Cut(r.Header.Get("Authorization"), "Credential=")
		credential, _, _ = strings.Cut(credential, ",")
	}
	parts := strings.Split(strings.TrimSpace(credential), "/") // key/date/region/service/aws4_request
	if len(parts) != 5 || !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(parts[2]) {
		return "", "us-east-1", "s3"
	}
	return parts[0], parts[2], parts[3]
}

// resource is one entry of /_emu/resources.
type resource struct {
	Service string `json:"service"`
	Type    string `json:"type"`
	ID      string `json:"id"`
	Tags    tags   `json:"tags"`
}

func newResource(service, resourceType, id string, t tags) resource {
	if t == nil {
		t = tags{} // an empty object in JSON, not null
	}
	return resource{service, resourceType, id, t}
}

// resources lists everything that an API call created; the default VPC and what belongs to it is always there and left out.
func (s *server) resources() []resource {
	list := []resource{} // an empty list in JSON, not null
	_ = s.store.read(func(st *state) error {
		list = append(list, slices.Concat(ec2Resources(st), iamResources(st), rdsResources(st), s3Resources(st), secretResources(st), sqsResources(st))...)
		return nil
	})
	return list
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // an error means the client is gone
}
