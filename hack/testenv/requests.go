package testenv

import (
	"net/http"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
)

// Requests notes the requests of the clients that are made from one configuration.
type Requests struct {
	mu   sync.Mutex
	made []request
}

type request struct{ namespace, resource, name, line string }

// NoteRequests returns a copy of the configuration, and what notes the requests
// that are made with it.
func NoteRequests(config *rest.Config) (*rest.Config, *Requests) {
	config = rest.CopyConfig(config)
	r := &Requests{}
	config.Wrap(func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			r.note(req)
			return base.RoundTrip(req)
		})
	})
	return config, r
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// note understands requests for objects of the core group, as the API server does:
// the name of a list or watch is in its field selector.
func (r *Requests) note(req *http.Request) {
	path, ok := strings.CutPrefix(req.URL.Path, "/api/v1/")
	if !ok {
		return
	}
	made := request{line: req.Method + " " + req.URL.RequestURI()}
	if rest, ok := strings.CutPrefix(path, "namespaces/"); ok && strings.Contains(rest, "/") {
		made.namespace, path, _ = strings.Cut(rest, "/")
	}
	made.resource, made.name, _ = strings.Cut(path, "/")
	if selector, err := fields.ParseSelector(req.URL.Query().Get("fieldSelector")); err == nil && made.name == "" {
		made.name, _ = selector.RequiresExactMatch(metav1.ObjectNameField)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, made)
}

// Unnamed returns the requests for Secrets and ConfigMaps that carry no name, but
// for those in one namespace, each as its method and URL.
func (r *Requests) Unnamed(except string) []string {
	return r.lines(func(made request) bool { return made.name == "" && made.namespace != except })
}

// Named returns the requests for Secrets and ConfigMaps of that name, each as its
// method and URL.
func (r *Requests) Named(namespace, name string) []string {
	return r.lines(func(made request) bool { return made.name == name && made.namespace == namespace })
}

func (r *Requests) lines(wanted func(request) bool) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for _, made := range r.made {
		if (made.resource == "secrets" || made.resource == "configmaps") && wanted(made) {
			lines = append(lines, made.line)
		}
	}
	return lines
}
