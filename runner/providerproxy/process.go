package providerproxy

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// handshake is how a provider knows that Terraform starts it.
// Source: https://github.com/hashicorp/terraform/blob/v1.11.4/internal/plugin/serve.go
var handshake = plugin.HandshakeConfig{
	MagicCookieKey:   "TF_PLUGIN_MAGIC_COOKIE",
	MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
}

// Executable finds a provider's executable in its folder of an unpacked mirror, by the
// name that Terraform knows it by.
func Executable(dir string) (string, error) {
	pattern := filepath.Join(dir, "terraform-provider-*")
	found, _ := filepath.Glob(pattern) // it is well-formed, or finds nothing
	if len(found) != 1 {
		return "", fmt.Errorf("found %d executables by %s: want one", len(found), pattern)
	}
	return found[0], nil
}

// process is a provider that runs.
type process struct {
	client *plugin.Client
	conn   *grpc.ClientConn
}

func startProcess(o Options) (*process, error) {
	cmd := exec.Command(o.Executable)
	cmd.Env = o.Env
	plugins := plugin.PluginSet{"provider": connPlugin{}}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: map[int]plugin.PluginSet{5: plugins, 6: plugins},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Cmd:              cmd,
		SkipHostEnv:      true,
		Stderr:           o.Stderr(),
		Logger:           hclog.NewNullLogger(),
	})
	conn, err := dial(client)
	if err != nil {
		client.Kill()
		return nil, fmt.Errorf("start the provider %s: %w", o.Executable, err)
	}
	return &process{client, conn}, nil
}

func dial(client *plugin.Client) (*grpc.ClientConn, error) {
	protocol, err := client.Client()
	if err != nil {
		return nil, err
	}
	conn, err := protocol.Dispense("provider")
	if err != nil {
		return nil, err
	}
	return conn.(*grpc.ClientConn), nil
}

// connPlugin has the connection itself for a client.
type connPlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (connPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this end of the protocol serves nothing")
}

func (connPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// frame is a message as it is on the wire.
type frame []byte

// codec leaves messages as they are.
type codec struct{}

func (codec) Marshal(v any) ([]byte, error) { return *v.(*frame), nil }

func (codec) Unmarshal(data []byte, v any) error {
	*v.(*frame) = append(frame(nil), data...)
	return nil
}

func (codec) Name() string { return "proto" }
