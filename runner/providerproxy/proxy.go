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
	schema frame

	mu sync.Mutex
	// checks are answers to the question whether a configuration is right, by question.
	checks map[string]frame
	// spare is a process that no connection has configured; nil when there is none.
	spare *process
	// started are all processes, ended ones too.
	started []*process
	closed  bool
}

// Start starts the provider, reads its schemas, and listens. It fails when the provider
// wants to be asked for its schemas by each who uses it.
func Start(ctx context.Context, o Options) (*Proxy, error) {
	p := &Proxy{options: o, checks: map[string]frame{}}
	if err := p.startSpare(); err != nil {
		return nil, err
	}
	p.version = p.spare.client.NegotiatedVersion()
	if err := p.listen(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Proxy) listen(ctx context.Context) error {
	method := "GetProviderSchema"
	if p.version == 5 {
		method = "GetSchema"
	}
	full, err := p.ask(ctx, &connection{}, method, nil)
	if err != nil {
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
	defer p.mu.Unlock()
	p.closed = true
	for _, process := range p.started {
		process.client.Kill() // does nothing to one that has ended
	}
	_ = os.RemoveAll(p.dir)
}

func (p *Proxy) socket() string { return filepath.Join(p.dir, "socket") }

// service is what the names of methods begin with.
// Source: https://github.com/hashicorp/terraform/tree/v1.11.4/docs/plugin-protocol
func (p *Proxy) service() string { return fmt.Sprintf("/tfplugin%d.Provider/", p.version) }

// serve answers one call of Terraform's.
func (p *Proxy) serve(_ any, down grpc.ServerStream) error {
	ctx := down.Context()
	method, ok := strings.CutPrefix(method(down), p.service())
	if !ok { // what go-plugin has beside, and does without
		return status.Error(codes.Unimplemented, "the proxy of a provider serves "+p.service())
	}
	c := ctx.Value(connectionKey{}).(*connection)
	switch method {
	case "GetSchema", "GetProviderSchema":
		return p.answer(down, func(frame) (frame, error) { return p.schema, nil })
	case "GetResourceIdentitySchemas":
		return p.answer(down, func(request frame) (frame, error) { return p.identities(ctx, c, method, request) })
	case "PrepareProviderConfig", "ValidateProviderConfig":
		return p.answer(down, func(request frame) (frame, error) { return p.check(ctx, c, method, request) })
	case "Stop", "StopProvider":
		if !p.configured(c) { // it has nothing to stop, and would not work again
			return p.answer(down, func(frame) (frame, error) { return nil, nil })
		}
	}
	process, err := p.process(c, strings.HasPrefix(method, "Configure"))
	if err != nil {
		return err
	}
	return pass(process, down)
}

func method(s grpc.ServerStream) string {
	m, _ := grpc.MethodFromServerStream(s) // a server's stream has one
	return m
}

// answer answers a call that the proxy has an answer to.
func (p *Proxy) answer(down grpc.ServerStream, to func(request frame) (frame, error)) error {
	var request frame
	if err := down.RecvMsg(&request); err != nil {
		return err
	}
	response, err := to(request)
	if err != nil {
		return err
	}
	return down.SendMsg(&response)
}

// ask asks a provider's process on behalf of a connection.
func (p *Proxy) ask(ctx context.Context, c *connection, method string, request frame) (frame, error) {
	process, err := p.process(c, false)
	if err != nil {
		return nil, err
	}
	var response frame
	err = process.conn.Invoke(ctx, p.service()+method, &request, &response, grpc.ForceCodec(codec{}))
	return response, err
}

// identities answers with the identities of the resources that Terraform knows of.
func (p *Proxy) identities(ctx context.Context, c *connection, method string, request frame) (frame, error) {
	all, err := p.ask(ctx, c, method, request)
	if err != nil {
		return nil, err
	}
	return prune(all, identityMaps, p.options.Types)
}

// check answers whether a provider configuration is right. Terraform asks three times of
// each in a run, and AWS takes two seconds when it names endpoints. The answer depends on
// the configuration and the environment alone.
func (p *Proxy) check(ctx context.Context, c *connection, method string, request frame) (frame, error) {
	p.mu.Lock()
	response, ok := p.checks[string(request)]
	p.mu.Unlock()
	if ok {
		return response, nil
	}
	response, err := p.ask(ctx, c, method, request)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checks[string(request)] = response
	return response, nil
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
		for {
			var request frame
			if down.RecvMsg(&request) != nil || stream.SendMsg(&request) != nil {
				break
			}
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
		return nil, status.Error(codes.Unavailable, "the proxy is closed")
	}
	if p.spare == nil || p.spare.client.Exited() {
		if err := p.startSpare(); err != nil {
			return nil, status.Error(codes.Unavailable, err.Error())
		}
	}
	process := p.spare
	if configures {
		c.own, p.spare = process, nil
	}
	return process, nil
}

func (p *Proxy) startSpare() error {
	process, err := startProcess(p.options)
	if err != nil {
		return err
	}
	p.spare = process
	p.started = append(p.started, process)
	return nil
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
	if c.own != nil {
		go c.own.client.Kill() // takes its time, and Close waits for it
	}
}

func (connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }
func (connections) HandleRPC(context.Context, stats.RPCStats)                       {}
