package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/groundwork-dev/groundwork/controllers/infrastructure"
	"github.com/groundwork-dev/groundwork/modules"
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
	eventsAddress   string

	maxConcurrentRuns     int
	maxConcurrentUpgrades string
	maxFailedUpgrades     int

	webhook webhookOptions

	extraBundles    []string
	extraModulesDir string

	runnerImage          string
	runnerServiceAccount string
	runnerTemplate       string
	runnerStartTimeout   time.Duration
	runnerGrace          time.Duration
}

func (o *options) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.namespace, "namespace", os.Getenv("POD_NAMESPACE"), "system namespace: runs, runner pods, state and credentials live there; default $POD_NAMESPACE")
	f.StringSliceVar(&o.watchNamespaces, "watch-namespaces", nil, "namespace whose Infrastructures are reconciled; may be repeated or a list a,b; default all. Those of another namespace are left alone, also when they are deleted")
	f.StringVar(&o.modulesDir, "modules-dir", "", "directory with the default bundle's module library, a folder a module; default the one that comes with the controller")
	f.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "address of the metrics endpoint; 0 for none")
	f.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	f.BoolVar(&o.leaderElect, "leader-elect", true, "let one of several replicas work at a time")
	f.IntVar(&o.workers, "workers", 8, "number of objects of a kind that are reconciled at a time")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&o.eventsAddress, "events-addr", "", "URL of Flux's notification-controller, such as http://notification-controller.flux-system.svc.cluster.local./, for the events of Infrastructures; default none")

	f.IntVar(&o.maxConcurrentRuns, "max-concurrent-runs", 0, "number of runs that are carried out at a time; the others wait. 0 takes 4 for each node of the cluster, at least 8 and at most 64")
	f.StringVar(&o.maxConcurrentUpgrades, "max-concurrent-upgrades", "10%", "number of a module's objects, or percentage of them rounded up, that are upgraded at a time when a bundle brings another version of it")
	f.IntVar(&o.maxFailedUpgrades, "max-failed-upgrades", 3, "number of a module's objects whose upgrade to a version has failed at which no further one is started")

	f.BoolVar(&o.webhook.enabled, "webhook", true, "serve the webhook that refuses Infrastructures with faults; without it they are created and stalled")
	f.IntVar(&o.webhook.port, "webhook-port", 9443, "port of the webhook")
	f.StringVar(&o.webhook.certDir, "webhook-cert-dir", filepath.Join(os.TempDir(), "groundwork-webhook"), "folder with the webhook's tls.crt and tls.key, which the controller writes with --webhook-rotate")
	f.BoolVar(&o.webhook.rotate, "webhook-rotate", true, "make and renew the webhook's certificate; false when something else, such as cert-manager, does")
	f.StringVar(&o.webhook.service, "webhook-service", "groundwork-webhook", "Service in front of the webhook, for --webhook-rotate")
	f.StringVar(&o.webhook.secret, "webhook-secret", "groundwork-webhook", "Secret that keeps the webhook's certificate, for --webhook-rotate; it has to be there, and may be empty")
	f.StringVar(&o.webhook.configuration, "webhook-configuration", "groundwork-webhook", "ValidatingWebhookConfiguration that gets the certificate's CA, for --webhook-rotate")

	f.StringVar(&o.runnerImage, "runner-image", "", "image of the default bundle, for the runner pods; required")
	f.StringArrayVar(&o.extraBundles, "extra-bundle", nil, "a further bundle, as NAME=IMAGE; may be repeated. Of modules that several bundles have in the same version the first one's is taken, the default bundle's before all")
	f.StringVar(&o.extraModulesDir, "extra-modules-dir", "", "directory with the module libraries of the further bundles, a folder a bundle, of its name; required with --extra-bundle")
	f.StringVar(&o.runnerServiceAccount, "runner-service-account", "groundwork-runner", "ServiceAccount of runner pods whose credentials name none")
	f.StringVar(&o.runnerTemplate, "runner-template", "", "YAML file of what runner pods have besides: labels, annotations, imagePullPolicy, imagePullSecrets, resources, priorityClassName, nodeSelector, tolerations, affinity, env, each as in a Pod")
	f.DurationVar(&o.runnerStartTimeout, "runner-start-timeout", 10*time.Minute, "how long a runner pod may take to start")
	f.DurationVar(&o.runnerGrace, "runner-termination-grace-period", pod.DefaultTerminationGracePeriod, "how long a runner pod that is asked to end may take to save its state")
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
	case o.maxConcurrentRuns < 0:
		return fmt.Errorf("--max-concurrent-runs: got %d, wanted 1 or more, or 0 for a number that follows from the number of nodes", o.maxConcurrentRuns)
	case o.maxFailedUpgrades < 1:
		return fmt.Errorf("--max-failed-upgrades: got %d, wanted 1 or more", o.maxFailedUpgrades)
	}
	if _, err := o.upgrades(); err != nil {
		return err
	}
	if err := checkEventsAddress(o.eventsAddress); err != nil {
		return err
	}
	if err := o.webhook.check(); err != nil {
		return err
	}
	if err := o.checkExtraBundles(); err != nil {
		return err
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

// checkEventsAddress reports what is not the URL of a server.
func checkEventsAddress(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("--events-addr: got %q, wanted an http or https URL, such as http://notification-controller.flux-system.svc.cluster.local./", address)
	}
	return nil
}

// upgrades is what the options say about upgrades of modules.
func (o *options) upgrades() (infrastructure.Upgrades, error) {
	most := intstr.Parse(o.maxConcurrentUpgrades)
	// 100 of something is the number, or the percentage.
	n, err := intstr.GetScaledValueFromIntOrPercent(&most, 100, true)
	if err != nil || n < 1 || most.Type == intstr.String && n > 100 {
		return infrastructure.Upgrades{}, fmt.Errorf("--max-concurrent-upgrades: got %q, wanted a number of 1 or more, or a percentage from 1%% to 100%%", o.maxConcurrentUpgrades)
	}
	return infrastructure.Upgrades{MaxConcurrent: most, MaxFailed: o.maxFailedUpgrades}, nil
}

// checkExtraBundles reports bundles that have no name, no image or no modules.
func (o *options) checkExtraBundles() error {
	seen := map[string]bool{modules.DefaultBundle: true}
	for _, bundle := range o.extraBundles {
		name, image, found := strings.Cut(bundle, "=")
		if !found || image == "" {
			return fmt.Errorf("--extra-bundle: got %q, wanted NAME=IMAGE", bundle)
		}
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return fmt.Errorf("--extra-bundle: got the name %q, wanted a DNS label: %s", name, strings.Join(problems, "; "))
		}
		if seen[name] {
			return fmt.Errorf("--extra-bundle: there is another bundle %q; give this one another name (%q is that of --runner-image)", name, modules.DefaultBundle)
		}
		seen[name] = true
	}
	if len(o.extraBundles) > 0 && o.extraModulesDir == "" {
		return fmt.Errorf("--extra-modules-dir is empty; name the directory with the modules of --extra-bundle")
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
func (o *options) pod() (pod.Config, error) {
	config := pod.Config{
		Image:                  o.runnerImage,
		ExtraImages:            map[string]string{},
		ServiceAccountName:     o.runnerServiceAccount,
		TerminationGracePeriod: o.runnerGrace,
	}
	for _, bundle := range o.extraBundles {
		name, image, _ := strings.Cut(bundle, "=")
		config.ExtraImages[name] = image
	}
	if o.runnerTemplate == "" {
		return config, nil
	}
	text, err := os.ReadFile(o.runnerTemplate)
	if err != nil {
		return config, fmt.Errorf("--runner-template: %w", err)
	}
	if config.Template, err = pod.ParseTemplate(text); err != nil {
		return config, fmt.Errorf("--runner-template: %s: %w", o.runnerTemplate, err)
	}
	return config, nil
}
