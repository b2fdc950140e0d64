// Command kube is one multi-call binary that holds every component of a Kubernetes node: etcd, the control plane, the
// kubelet, kube-proxy and kubectl. They share nearly all of their code, so one binary compiles, links and caches in a
// third of the time and space of seven.
//
// Each component runs in a process of its own: several in one process register the same flags and metrics and panic.
// Call it as `kube COMPONENT [flags]`, or through a link that carries the component's name.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	_ "time/tzdata" // CronJobs name time zones; a minimal host has no database of them.

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics, as the released binaries have them
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

const usage = "usage: kube etcd|kube-apiserver|kube-controller-manager|kube-scheduler|kubelet|kube-proxy|kubectl [flags]"

func main() {
	args := os.Args
	if filepath.Base(args[0]) == "kube" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	os.Args = args // the components read their flags, and etcd its name, from here
	os.Exit(run(filepath.Base(args[0])))
}

func run(component string) int {
	switch component {
	case "etcd":
		etcdmain.Main(os.Args)
		return 0
	case "kubectl":
		// kubectl prints its own errors and chooses its own exit code.
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
		return 0
	}
	cmd := command(component)
	if cmd == nil {
		fmt.Fprintf(os.Stderr, "kube: unknown component %q\n%s\n", component, usage)
		return 2
	}
	return cli.Run(cmd)
}

func command(component string) *cobra.Command {
	switch component {
	case "kube-apiserver":
		return apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		return controllers.NewControllerManagerCommand()
	case "kube-scheduler":
		return scheduler.NewSchedulerCommand()
	case "kubelet":
		return kubelet.NewKubeletCommand(context.Background())
	case "kube-proxy":
		return proxy.NewProxyCommand()
	}
	return nil
}
