package devenv

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	ociregistry "github.com/google/go-containerregistry/pkg/registry"
)

// Registry is an OCI registry of this process, for charts; it speaks HTTP and forgets
// what it holds when it ends.
type Registry struct {
	// URL is where charts are, for this machine and for pods: a chart's own URL is
	// this, a slash and its name.
	URL string

	server *http.Server
}

// startRegistry starts the registry on a free port.
func (s *Stage) startRegistry(ctx context.Context) error {
	ip, err := s.nodeIP(ctx)
	if err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return err
	}
	quiet := ociregistry.Logger(log.New(io.Discard, "", 0))
	s.Registry = &Registry{
		URL:    "oci://" + listener.Addr().String() + "/charts",
		server: &http.Server{Handler: ociregistry.New(quiet), ReadHeaderTimeout: 10 * time.Second},
	}
	go func() { _ = s.Registry.server.Serve(listener) }() // Until it is closed.
	return nil
}

func (r *Registry) stop() error { return r.server.Close() }
