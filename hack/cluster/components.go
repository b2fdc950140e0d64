package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// component is one process of the cluster.
type component struct {
	name    string
	after   []string // must be ready before this one starts
	argv    func(*cluster) []string
	prepare func(context.Context, *cluster) error                        // before the start; nil: nothing to do
	ready   func(ctx context.Context, c *cluster, since time.Time) error // nil error once it serves; since: zero if it ran already
}

// components lists them in the order in which they depend on one another.
func components() []component {
	return []component{
		{name: "etcd", argv: etcd, ready: etcdReady},
		{name: "containerd", argv: containerd, ready: containerdReady},
		{name: "kube-apiserver", after: []string{"etcd"}, argv: apiserver, ready: apiserverReady},
		{name: "kube-controller-manager", after: []string{"kube-apiserver"}, argv: controllerManager, ready: controllerManagerReady},
		{name: "kube-scheduler", after: []string{"kube-apiserver"}, argv: scheduler, ready: healthz("https://" + nodeIP + ":10259/healthz")},
		{name: "kubelet", after: []string{"kube-apiserver", "containerd"}, argv: kubelet, ready: nodeReady},
		{name: "kube-proxy", after: []string{"kube-apiserver"}, argv: kubeProxy, ready: healthz("http://" + nodeIP + ":10256/livez")},
		{name: "coredns", after: []string{"kube-apiserver"}, argv: coredns, prepare: grantCoreDNS, ready: corednsReady},
	}
}

func componentNames() []string {
	var names []string
	for _, p := range components() {
		names = append(names, p.name)
	}
	return names
}

// etcd listens on unix sockets in a folder of root's: no port is taken, and nobody needs to be kept out by certificates.
// The addresses that it advertises are never dialled, but must look like some. Losing the last seconds in a power cut
// is worth the speed of not waiting for the disk.
func etcd(c *cluster) []string {
	return []string{c.kube("etcd"),
		"--name=" + nodeName,
		"--data-dir=" + c.in("etcd"),
		"--listen-client-urls=" + c.etcdURL(),
		"--listen-peer-urls=unix://" + c.runtime("etcd-peer.sock"),
		"--advertise-client-urls=http://localhost:2379",
		"--initial-advertise-peer-urls=http://localhost:2380",
		"--initial-cluster=" + nodeName + "=http://localhost:2380",
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func etcdReady(ctx context.Context, c *cluster, _ time.Time) error {
	return dial(ctx, "unix", c.runtime("etcd.sock"))
}

func apiserver(c *cluster) []string {
	return []string{c.kube("kube-apiserver"),
		"--etcd-servers=" + c.etcdURL(),
		"--bind-address=" + nodeIP, "--advertise-address=" + nodeIP,
		"--service-cluster-ip-range=" + serviceCIDR,
		"--cert-dir=" + c.in("apiserver"),
		"--client-ca-file=" + c.pki("ca.crt"),
		"--tls-cert-file=" + c.pki("apiserver.crt"), "--tls-private-key-file=" + c.pki("apiserver.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.pki("service-account.pub"),
		"--service-account-signing-key-file=" + c.pki("service-account.key"),
		"--kubelet-client-certificate=" + c.pki("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + c.pki("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--requestheader-client-ca-file=" + c.pki("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + c.pki("front-proxy-client.crt"),
		"--proxy-client-key-file=" + c.pki("front-proxy-client.key"),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction", // besides the defaults, PodSecurity among them
		"--allow-privileged=true",
		"--enable-aggregator-routing=true",
		"--audit-policy-file=" + c.config("audit.yaml"),
		"--audit-log-path=" + c.in("log", "audit.log"),
	}
}

func apiserverReady(ctx context.Context, c *cluster, _ time.Time) error {
	return c.get(ctx, apiURL+"/readyz", nil)
}

// controllerManager is the only one of its kind: electing a leader would only make it wait, and end when the API
// server is away for longer than a lease lasts.
func controllerManager(c *cluster) []string {
	conf := c.pki("kube-controller-manager.kubeconfig")
	return []string{c.kube("kube-controller-manager"),
		"--kubeconfig=" + conf, "--authentication-kubeconfig=" + conf, "--authorization-kubeconfig=" + conf,
		"--bind-address=" + nodeIP, "--cert-dir=" + c.in("kube-controller-manager"),
		"--leader-elect=false",
		"--node-monitor-grace-period=10m",            // pods have nowhere else to go when the API server was away for a minute
		"--kube-api-qps=200", "--kube-api-burst=400", // the default, 20, makes its own start take 5 s longer
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + c.pki("service-account.key"),
		"--root-ca-file=" + c.pki("ca.crt"),
		"--cluster-signing-cert-file=" + c.pki("ca.crt"), "--cluster-signing-key-file=" + c.pki("ca.key"),
		"--service-cluster-ip-range=" + serviceCIDR,
		"--flex-volume-plugin-dir=" + c.in("volume-plugins"),
	}
}

// controllerManagerReady waits for the object without which no pod of the default namespace is admitted.
func controllerManagerReady(ctx context.Context, c *cluster, _ time.Time) error {
	return c.get(ctx, apiURL+"/api/v1/namespaces/default/serviceaccounts/default", nil)
}

func scheduler(c *cluster) []string {
	conf := c.pki("kube-scheduler.kubeconfig")
	return []string{c.kube("kube-scheduler"),
		"--kubeconfig=" + conf, "--authentication-kubeconfig=" + conf, "--authorization-kubeconfig=" + conf,
		"--bind-address=" + nodeIP, "--cert-dir=" + c.in("kube-scheduler"),
		"--leader-elect=false",
	}
}

func containerd(c *cluster) []string {
	return []string{c.tools.path("containerd"), "--config", c.config("containerd.toml")}
}

// containerdReady imports the sandbox image: that works only when everything in containerd does, and is needed anyway.
func containerdReady(ctx context.Context, c *cluster, _ time.Time) error {
	if err := dial(ctx, "unix", c.containerdSocket()); err != nil {
		return err
	}
	return c.importImage(ctx, c.pauseImage, io.Discard)
}

func kubelet(c *cluster) []string {
	return []string{c.kube("kubelet"),
		"--config=" + c.config("kubelet.yaml"),
		"--kubeconfig=" + c.pki("kubelet.kubeconfig"),
		"--node-ip=" + nodeIP, "--hostname-override=" + nodeName,
		"--root-dir=" + c.in("kubelet"), "--cert-dir=" + c.in("kubelet-pki"),
	}
}

// nodeReady wants a heartbeat of this kubelet: right after a start the node still carries the condition of the last one.
func nodeReady(ctx context.Context, c *cluster, since time.Time) error {
	var n node
	if err := c.get(ctx, apiURL+"/api/v1/nodes/"+nodeName, &n); err != nil {
		return err
	}
	return n.readySince(since)
}

func kubeProxy(c *cluster) []string {
	return []string{c.kube("kube-proxy"), "--config=" + c.config("kube-proxy.yaml"), "--hostname-override=" + nodeName}
}

func coredns(c *cluster) []string {
	return []string{c.coredns, "-conf", c.config("Corefile")}
}

func grantCoreDNS(ctx context.Context, c *cluster) error {
	return c.command(ctx, c.kube("kubectl"), "--kubeconfig="+c.kubeconfig(), "apply", "--server-side", "-f", c.config("coredns-role.yaml"))
}

func corednsReady(ctx context.Context, _ *cluster, _ time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second) // the resolver's own patience is much longer
	defer cancel()
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, nodeIP+":53")
	}}
	_, err := resolver.LookupHost(ctx, "kubernetes.default.svc.cluster.local.")
	return err
}

// kube is the multi-call binary under the component's name.
func (c *cluster) kube(name string) string { return filepath.Join(c.kubeDir, name) }

func dial(ctx context.Context, network, address string) error {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// command runs a program with the components' environment; its error carries what the program complained about.
func (c *cluster) command(ctx context.Context, name string, args ...string) error {
	_, err := c.output(ctx, name, args...)
	return err
}

func (c *cluster) output(ctx context.Context, name string, args ...string) (string, error) {
	if !filepath.IsAbs(name) {
		name = c.tools.path(name)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = c.tools.environment()
	out, err := cmd.Output()
	if err == nil {
		return string(out), nil
	}
	var complaint []byte
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		complaint = exit.Stderr
	}
	return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, lastLine(complaint))
}
