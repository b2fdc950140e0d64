package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/groundwork-dev/groundwork/runner/pod"
)

// options are the command's flags.
type options struct {
	namespace       string
	watchNamespaces []string
	modulesDir      string
	metricsAddress  string
	probeAddress    string
	leaderElect     bool
	workers         int
	logLevel        string

	runnerImage          string
	runnerServiceAccount string
	runnerPullSecrets    []string
	runnerStartTimeout   time.Duration
	runnerGrace          time.Duration
	runnerCPURequest     quantity
	runnerMemoryRequest  quantity
	runnerMemoryLimit    quantity
}

func (o *options) addFlags(f *pflag.FlagSet) {
	o.runnerCPURequest = quantity{resource.MustParse("100m")}
	o.runnerMemoryRequest = quantity{resource.MustParse("256Mi")}
	o.runnerMemoryLimit = quantity{resource.MustParse("2Gi")}

	f.StringVar(&o.namespace, "namespace", os.Getenv("POD_NAMESPACE"), "system namespace: runs, runner pods, state and credentials live there; default $POD_NAMESPACE")
	f.StringSliceVar(&o.watchNamespaces, "watch-namespaces", nil, "namespace whose Infrastructures are reconciled; may be repeated or a list a,b; default all. Those of another namespace are left alone, also when they are deleted")
	f.StringVar(&o.modulesDir, "modules-dir", "", "directory with the module library, a folder a module; default the bundled one")
	f.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "address of the metrics endpoint; 0 for none")
	f.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	f.BoolVar(&o.leaderElect, "leader-elect", true, "let one of several replicas work at a time")
	f.IntVar(&o.workers, "workers", 8, "number of objects of a kind that are reconciled at a time")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")

	f.StringVar(&o.runnerImage, "runner-image", "", "bundle image of the runner pods; required")
	f.StringVar(&o.runnerServiceAccount, "runner-service-account", "groundwork-runner", "ServiceAccount of runner pods whose credentials name none")
	f.StringSliceVar(&o.runnerPullSecrets, "runner-image-pull-secret", nil, "Secret in the system namespace to pull the bundle image with; may be repeated")
	f.DurationVar(&o.runnerStartTimeout, "runner-start-timeout", 10*time.Minute, "how long a runner pod may take to start")
	f.DurationVar(&o.runnerGrace, "runner-termination-grace-period", pod.DefaultTerminationGracePeriod, "how long a runner pod that is asked to end may take to save its state")
	f.Var(&o.runnerCPURequest, "runner-cpu-request", "CPU request of runner pods")
	f.Var(&o.runnerMemoryRequest, "runner-memory-request", "memory request of runner pods")
	f.Var(&o.runnerMemoryLimit, "runner-memory-limit", "memory limit of runner pods: Terraform, providers and plans")
}

// check reports flags that cannot work.
func (o *options) check(args []string) error {
	switch {
	case len(args) > 0:
		return fmt.Errorf("got argument %q, wanted flags only; see --help", args[0])
	case o.namespace == "":
		return fmt.Errorf("--namespace is empty and POD_NAMESPACE is not set; name the system namespace")
	case o.runnerImage == "":
		return fmt.Errorf("--runner-image is empty; name the bundle image of the runner pods")
	case o.workers < 1:
		return fmt.Errorf("--workers: got %d, wanted 1 or more", o.workers)
	case o.runnerMemoryLimit.Cmp(o.runnerMemoryRequest.Quantity) < 0:
		return fmt.Errorf("--runner-memory-limit: got %s, wanted at least --runner-memory-request, %s", &o.runnerMemoryLimit, &o.runnerMemoryRequest)
	}
	for _, ns := range o.watchNamespaces {
		if problems := validation.IsDNS1123Label(ns); len(problems) > 0 {
			return fmt.Errorf("--watch-namespaces: got %q, wanted the name of a namespace: %s", ns, strings.Join(problems, "; "))
		}
	}
	var level zapcore.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return fmt.Errorf("--log-level: got %q, wanted debug, info, warn or error", o.logLevel)
	}
	return nil
}

// level is the log level; check has made sure that it is one.
func (o *options) level() zapcore.Level {
	var level zapcore.Level
	_ = level.UnmarshalText([]byte(o.logLevel))
	return level
}

// pod is what the options say about runner pods.
func (o *options) pod() pod.Config {
	return pod.Config{
		Image:                  o.runnerImage,
		ServiceAccountName:     o.runnerServiceAccount,
		ImagePullSecrets:       o.runnerPullSecrets,
		TerminationGracePeriod: o.runnerGrace,
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{
				corev1.ResourceCPU:    o.runnerCPURequest.Quantity,
				corev1.ResourceMemory: o.runnerMemoryRequest.Quantity,
			},
			Limits: corev1.ResourceList{corev1.ResourceMemory: o.runnerMemoryLimit.Quantity},
		},
	}
}

// quantity is a resource.Quantity as a flag.
type quantity struct{ resource.Quantity }

// Set implements pflag.Value.
func (q *quantity) Set(s string) error {
	parsed, err := resource.ParseQuantity(s)
	q.Quantity = parsed
	return err
}

// Type implements pflag.Value.
func (q *quantity) Type() string { return "quantity" }
