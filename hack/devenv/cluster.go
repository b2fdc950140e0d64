package devenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// startCluster starts the embedded cluster, or takes the current one.
func (s *Stage) startCluster(ctx context.Context) error {
	if s.existing {
		s.kubectl = "kubectl"
		s.Kubeconfig = clientcmd.NewDefaultClientConfigLoadingRules().GetDefaultFilename()
		return s.connect()
	}
	s.ours = s.goTool(ctx, "run", "./hack/cluster", "status") != nil
	if err := s.goTool(ctx, "run", "./hack/cluster", "up"); err != nil {
		return err
	}
	bin, err := output(ctx, s.Root, "go", "run", "./hack/cluster", "bin")
	if err != nil {
		return err
	}
	s.kubectl = filepath.Join(strings.TrimSpace(bin), "kubectl")
	kubeconfig, err := output(ctx, s.Root, "go", "run", "./hack/cluster", "kubeconfig")
	if err != nil {
		return err
	}
	s.Kubeconfig = strings.TrimSpace(kubeconfig)
	return s.connect()
}

// connect makes the clients.
func (s *Stage) connect() error {
	config, err := clientcmd.BuildConfigFromFlags("", s.Kubeconfig)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.Kubeconfig, err)
	}
	config.QPS = -1
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	s.Config = config
	if s.Client, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("connect to the cluster: %w", err)
	}
	s.Kube, err = kubernetes.NewForConfig(config)
	return err
}

// RestartComponent takes a component of the embedded cluster away for a while.
func (s *Stage) RestartComponent(ctx context.Context, component, down string) error {
	return s.goTool(ctx, "run", "./hack/cluster", "restart", "--down="+down, component)
}

// AuditLog is the file in which the embedded cluster's API server writes what pods ask
// of it.
func (s *Stage) AuditLog() string {
	return filepath.Join(filepath.Dir(s.Kubeconfig), "log", "audit.log")
}

// nodeIP is this machine's address as pods see it.
func (s *Stage) nodeIP(ctx context.Context) (string, error) {
	if s.existing {
		if host := os.Getenv("GROUNDWORK_HOST"); host != "" {
			return host, nil
		}
		return "", fmt.Errorf("GROUNDWORK_HOST is not set: with CLUSTER=existing it is this machine's address as the cluster's pods reach it")
	}
	var nodes corev1.NodeList
	if err := s.Client.List(ctx, &nodes); err != nil {
		return "", err
	}
	for _, address := range nodes.Items[0].Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			return address.Address, nil
		}
	}
	return "", fmt.Errorf("node %s has no internal address", nodes.Items[0].Name)
}
