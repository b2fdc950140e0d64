package testenv

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
)

// Network lies between clients and the API server: it notes the requests for
// Secrets and ConfigMaps, knows those that are not answered to the end, which are
// the watches, and can go down.
type Network struct {
	mu   sync.Mutex
	down bool
	made []request
	open map[*body]bool
}

// request is one for an object, or several, of the core group.
type request struct{ namespace, resource, name, line string }

// errDown is what requests fail with while the network is down.
var errDown = errors.New("the network is down")

// NewNetwork returns a copy of the configuration, and the network of all clients
// that are made with it.
func NewNetwork(config *rest.Config) (*rest.Config, *Network) {
	config = rest.CopyConfig(config)
	n := &Network{open: map[*body]bool{}}
	config.Wrap(func(base http.RoundTripper) http.RoundTripper { return &transport{n, base} })
	return config, n
}

// SetDown takes the network down, and every watch with it, or brings it up again.
func (n *Network) SetDown(down bool) {
	n.mu.Lock()
	n.down = down
	var cut []*body
	for body := range n.open {
		cut = append(cut, body)
	}
	n.mu.Unlock()
	for _, body := range cut {
		if down {
			body.Close()
		}
	}
}

// Unnamed returns the requests that carry no name, but for those in one namespace,
// each as its method and URL.
func (n *Network) Unnamed(except string) []string {
	return n.lines(func(made request) bool { return made.name == "" && made.namespace != except })
}

// Named returns the requests for that name, each as its method and URL.
func (n *Network) Named(namespace, name string) []string {
	return n.lines(func(made request) bool { return made.name == name && made.namespace == namespace })
}

func (n *Network) lines(wanted func(request) bool) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var lines []string
	for _, made := range n.made {
		if wanted(made) {
			lines = append(lines, made.line)
		}
	}
	return lines
}

// Watches returns how many watches there are.
func (n *Network) Watches() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.open)
}

// transport carries requests over a network.
type transport struct {
	network *Network
	base    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	n := t.network
	made, noted := parse(req)
	n.mu.Lock()
	if noted {
		n.made = append(n.made, made)
	}
	down := n.down
	n.mu.Unlock()
	if down {
		return nil, errDown
	}
	response, err := t.base.RoundTrip(req)
	if err != nil || !noted {
		return response, err
	}
	b := &body{response.Body, n}
	n.mu.Lock()
	n.open[b] = true
	n.mu.Unlock()
	response.Body = b
	return response, nil
}

// parse understands a request as the API server does: the name of a list or watch
// is in its field selector. It is false for any other than for Secrets and
// ConfigMaps.
func parse(req *http.Request) (request, bool) {
	path, ok := strings.CutPrefix(req.URL.Path, "/api/v1/")
	if !ok {
		return request{}, false
	}
	made := request{line: req.Method + " " + req.URL.RequestURI()}
	if rest, ok := strings.CutPrefix(path, "namespaces/"); ok && strings.Contains(rest, "/") {
		made.namespace, path, _ = strings.Cut(rest, "/")
	}
	made.resource, made.name, _ = strings.Cut(path, "/")
	if selector, err := fields.ParseSelector(req.URL.Query().Get("fieldSelector")); err == nil && made.name == "" {
		made.name, _ = selector.RequiresExactMatch(metav1.ObjectNameField)
	}
	return made, made.resource == "secrets" || made.resource == "configmaps"
}

// body is a response's body that the network knows until it is closed.
type body struct {
	io.ReadCloser
	network *Network
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.network.mu.Lock()
	delete(b.network.open, b)
	b.network.mu.Unlock()
	return b.ReadCloser.Close()
}
