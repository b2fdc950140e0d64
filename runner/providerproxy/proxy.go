package providerproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-exec/tfexec"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"k8s.io/apimachinery/pkg/util/sets"
)

// Options say how a provider is started, and what is kept of it.
type Options struct {
	// Executable is the provider's.
	Executable string
	// Dir is where the socket to Terraform is made; the path of one can have some 100
	// bytes.
	Dir string
	// Env is the provider's whole environment, credentials included.
	Env []string
	// Stderr returns what takes the stderr of one process: log lines as JSON, and what
	// Go says when a program breaks down.
	Stderr func() io.Writer
	// Types are the names of the resources, data sources and ephemeral resources whose
	// schemas Terraform will need; see ConfigTypes and StateTypes.
	Types sets.Set[string]
}

// Proxy is one provider as Terraform commands see it, one after the other.
type Proxy struct {
	options Options
	dir     string
	server  *grpc.Server
	version int
	// schema is the answer to the question for schemas.
	schema []byte

	mu sync.Mutex
	// spare is a process that no connection has configured; nil when there is none.
	spare  *process
	closed bool
	ending sync.WaitGroup
}

// Start starts the provider, reads its schemas, and listens. It fails when the provider
// wants to be asked for its schemas by each who uses it.
func Start(ctx context.Context, o Options) (*Proxy, error) {
	first, err := startProcess(o)
	if err != nil {
		return nil, err
	}
	p := &Proxy{options: o, spare: first, version: first.client.NegotiatedVersion()}
	if err := p.listen(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Proxy) listen(ctx context.Context) error {
	var full frame
	if err := p.spare.conn.Invoke(ctx, p.schemaMethod(), &frame{}, &full, grpc.ForceCodec(codec{})); err != nil {
		return fmt.Errorf("ask %s for its schemas: %w", p.options.Executable, err)
	}
	optional, err := schemaOptional(full)
	if err != nil {
		return fmt.Errorf("read the schemas of %s: %w", p.options.Executable, err)
	}
	if !optional {
		return fmt.Errorf("%s does not let others than Terraform read its schemas", p.options.Executable)
	}
	if p.schema, err = prune(full, schemaMaps, p.options.Types); err != nil {
		return fmt.Errorf("read the schemas of %s: %w", p.options.Executable, err)
	}
	if p.dir, err = os.MkdirTemp(p.options.Dir, "proxy-"); err != nil {
		return err
	}
	listener, err := net.Listen("unix", p.socket())
	if err != nil {
		return err
	}
	p.server = grpc.NewServer(grpc.ForceServerCodec(codec{}), grpc.MaxRecvMsgSize(math.MaxInt32),
		grpc.StatsHandler(connections{p}), grpc.UnknownServiceHandler(p.serve))
	go func() { _ = p.server.Serve(listener) }() // until Close
	return nil
}

// Reattach tells Terraform where the provider is.
func (p *Proxy) Reattach() tfexec.ReattachConfig {
	return tfexec.ReattachConfig{
		Protocol: "grpc", ProtocolVersion: p.version, Pid: os.Getpid(),
		Test: true, // Terraform does not end what it has not started
		Addr: tfexec.ReattachConfigAddr{Network: "unix", String: p.socket()},
	}
}

// Close ends the provider's processes. No Terraform command may be running.
func (p *Proxy) Close() {
	if p.server != nil {
		p.server.Stop()
	}
	p.mu.Lock()
	p.closed = true
	spare := p.spare
	p.spare = nil
	p.mu.Unlock()
	if spare != nil {
		spare.client.Kill()
	}
	p.ending.Wait()
	_ = os.RemoveAll(p.dir)
}

func (p *Proxy) socket() string { return filepath.Join(p.dir, "socket") }

// The service's name and its methods differ with the protocol's version.
// Source: https://github.com/hashicorp/terraform/tree/v1.11.4/docs/plugin-protocol
func (p *Proxy) schemaMethod() string {
	if p.version == 5 {
		return "/tfplugin5.Provider/GetSchema"
	}
	return "/tfplugin6.Provider/GetProviderSchema"
}

// serve answers one call of Terraform's.
func (p *Proxy) serve(_ any, down grpc.ServerStream) error {
	ctx := down.Context()
	service, method, _ := strings.Cut(strings.TrimPrefix(method(down), "/"), "/")
	if service != fmt.Sprintf("tfplugin%d.Provider", p.version) {
		return status.Errorf(codes.Unimplemented, "a provider has no %s", service) // what go-plugin has beside, and does without
	}
	c := ctx.Value(connectionKey{}).(*connection)
	switch method {
	case "GetSchema", "GetProviderSchema":
		return p.answer(down, p.schema)
	case "Stop", "StopProvider":
		if !p.configured(c) { // it has nothing to stop, and would not work again
			return p.answer(down, nil)
		}
	}
	process, err := p.process(c, strings.HasPrefix(method, "Configure"))
	if err != nil {
		return status.Error(codes.Unavailable, err.Error())
	}
	if method == "GetResourceIdentitySchemas" {
		return p.identities(process, down)
	}
	return pass(process, down)
}

func method(s grpc.ServerStream) string {
	m, _ := grpc.MethodFromServerStream(s) // a server's stream has one
	return m
}

// answer answers a call that needs no provider.
func (p *Proxy) answer(down grpc.ServerStream, response frame) error {
	if err := down.RecvMsg(&frame{}); err != nil {
		return err
	}
	return down.SendMsg(&response)
}

// identities answers with the identities of the resources that Terraform knows of.
func (p *Proxy) identities(up *process, down grpc.ServerStream) error {
	var request, all frame
	if err := down.RecvMsg(&request); err != nil {
		return err
	}
	if err := up.conn.Invoke(down.Context(), method(down), &request, &all, grpc.ForceCodec(codec{})); err != nil {
		return err
	}
	some, err := prune(all, identityMaps, p.options.Types)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return down.SendMsg((*frame)(&some))
}

// pass passes a call on, and what comes back.
func pass(up *process, down grpc.ServerStream) error {
	ctx, cancel := context.WithCancel(down.Context())
	defer cancel()
	stream, err := up.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method(down), grpc.ForceCodec(codec{}))
	if err != nil {
		return err
	}
	go func() {
		var request frame
		for down.RecvMsg(&request) == nil && stream.SendMsg(&request) == nil {
		}
		_ = stream.CloseSend() // it has none that matters: RecvMsg tells how the call ended
	}()
	for {
		var response frame
		switch err := stream.RecvMsg(&response); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := down.SendMsg(&response); err != nil {
			return err
		}
	}
}

// connection is one of Terraform's to the provider: an instance, as Terraform sees it.
type connection struct {
	// own is the process that it has configured; nil before.
	own *process
}

type connectionKey struct{}

func (p *Proxy) configured(c *connection) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return c.own != nil
}

// process returns the process for a connection. Those that have not configured theirs share
// one, as checking a configuration leaves no traces. A process that is configured is its
// connection's alone, and is never configured again: it holds credentials.
func (p *Proxy) process(c *connection, configures bool) (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.own != nil {
		return c.own, nil
	}
	if p.closed {
		return nil, errors.New("the run is over")
	}
	if p.spare == nil || p.spare.client.Exited() {
		var err error
		if p.spare, err = startProcess(p.options); err != nil {
			return nil, err
		}
	}
	process := p.spare
	if configures {
		c.own, p.spare = process, nil
	}
	return process, nil
}

// connections follows Terraform's connections: with one ends the process that it has
// configured.
type connections struct{ *Proxy }

func (connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, connectionKey{}, &connection{})
}

func (p connections) HandleConn(ctx context.Context, s stats.ConnStats) {
	if _, ended := s.(*stats.ConnEnd); !ended {
		return
	}
	c := ctx.Value(connectionKey{}).(*connection)
	p.mu.Lock()
	defer p.mu.Unlock()
	if own := c.own; own != nil {
		p.ending.Go(own.client.Kill)
	}
}

func (connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
func (connections) HandleRPC(context.Context, stats.RPCStats)                       {}
