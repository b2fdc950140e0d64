package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	cataloguecontroller "github.com/groundwork-dev/groundwork/controllers/catalogue"
	"github.com/groundwork-dev/groundwork/controllers/infrastructure"
	"github.com/groundwork-dev/groundwork/controllers/metrics"
	"github.com/groundwork-dev/groundwork/controllers/notify"
	"github.com/groundwork-dev/groundwork/controllers/preview"
	runcontroller "github.com/groundwork-dev/groundwork/controllers/run"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/runner/pod"
	"github.com/groundwork-dev/groundwork/state"
)

// run starts the controllers and waits for ctx to end.
func run(ctx context.Context, o options) error {
	catalogue, err := o.catalogue()
	if err != nil {
		return err
	}
	runnerPod, err := o.pod()
	if err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	// The API server's own fairness bounds the rate; a client's would queue reads of
	// one object behind those of others.
	config.QPS = -1
	if err := waitForAPIServer(ctx, config); err != nil {
		return err
	}
	mgr, err := newManager(config, o)
	if err != nil {
		return err
	}
	if err := setup(ctx, mgr, o, catalogue, runnerPod); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// waitForAPIServer waits until the API server is ready. To end instead would leave
// it to kubelet to start the controller again, minutes after the API server is back.
func waitForAPIServer(ctx context.Context, config *rest.Config) error {
	api, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	return wait.PollUntilContextCancel(ctx, 2*time.Second, true, func(ctx context.Context) (bool, error) {
		_, err := api.RESTClient().Get().AbsPath("/readyz").Timeout(5 * time.Second).DoRaw(ctx)
		if err != nil {
			ctrl.Log.Info("Waiting for the API server", "error", err.Error())
		}
		return err == nil, nil
	})
}

// catalogue reads the module libraries of all bundles.
func (o *options) catalogue() (*modules.Catalogue, error) {
	bundles := []modules.Bundle{{Library: modules.Library()}}
	if o.modulesDir != "" {
		bundles[0].Library = os.DirFS(o.modulesDir)
	}
	for _, bundle := range o.extraBundles {
		name, _, _ := strings.Cut(bundle, "=")
		bundles = append(bundles, modules.Bundle{Name: name, Library: os.DirFS(filepath.Join(o.extraModulesDir, name))})
	}
	return modules.LoadBundles(bundles...)
}

// newManager caches what is watched: Infrastructures and Previews of the namespaces that
// the options name, Runs, runner pods and the metadata of Secrets of the system
// namespace only. Secrets and ConfigMaps are read live, by name.
func newManager(config *rest.Config, o options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	system := map[string]cache.Config{o.namespace: {}}
	// Empty is all.
	apps := map[string]cache.Config{}
	for _, ns := range o.watchNamespaces {
		apps[ns] = cache.Config{}
	}
	return ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme,
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&v1alpha1.Infrastructure{}: {Namespaces: apps},
				&v1alpha1.Preview{}:        {Namespaces: apps},
				&v1alpha1.Run{}:            {Namespaces: system},
				&corev1.Secret{}:           {Namespaces: system},
				&corev1.Pod{}:              {Namespaces: system, Label: labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})},
			},
		},
		Client:                        client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}}}},
		Metrics:                       metricsserver.Options{BindAddress: o.metricsAddress},
		WebhookServer:                 o.webhook.server(),
		HealthProbeBindAddress:        o.probeAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              "groundwork-controller",
		LeaderElectionNamespace:       o.namespace,
		LeaderElectionReleaseOnCancel: true,
	})
}

// setup registers the controllers and probes.
func setup(ctx context.Context, mgr ctrl.Manager, o options, catalogue *modules.Catalogue, runnerPod pod.Config) error {
	live, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient()})
	if err != nil {
		return fmt.Errorf("make the live client: %w", err)
	}
	byName, err := metadata.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("make the metadata client: %w", err)
	}
	counters, err := setupMetrics(mgr, catalogue)
	if err != nil {
		return err
	}
	recorder, err := setupRecorder(mgr, o.eventsAddress)
	if err != nil {
		return err
	}
	if err := cataloguecontroller.New(mgr.GetClient(), catalogue).SetupWithManager(mgr); err != nil {
		return err
	}
	upgrades, err := o.upgrades()
	if err != nil {
		return err
	}
	infrastructures := infrastructure.New(infrastructure.Options{
		Client:     mgr.GetClient(),
		Metadata:   byName,
		Secrets:    mgr.GetCache(),
		Live:       live,
		State:      state.NewStore(live, o.namespace),
		Catalogue:  catalogue,
		Recorder:   recorder,
		Clock:      clock.RealClock{},
		Metrics:    counters,
		Namespace:  o.namespace,
		Namespaces: o.watchNamespaces,
		Upgrades:   upgrades,
	})
	if err := infrastructures.SetupWithManager(mgr, o.workers); err != nil {
		return err
	}
	if err := preview.New(preview.Options{
		Client:    mgr.GetClient(),
		Live:      live,
		Planner:   infrastructures,
		Clock:     clock.RealClock{},
		Namespace: o.namespace,
	}).SetupWithManager(mgr, o.workers); err != nil {
		return err
	}
	if err := runcontroller.New(runcontroller.Options{
		Client:       mgr.GetClient(),
		Metadata:     mgr.GetCache(),
		Live:         live,
		Clock:        clock.RealClock{},
		Metrics:      counters,
		Pod:          runnerPod,
		StartTimeout: o.runnerStartTimeout,
	}).SetupWithManager(mgr, o.workers); err != nil {
		return err
	}
	if err := runcontroller.NewQueue(runcontroller.QueueOptions{
		Client:    mgr.GetClient(),
		Live:      live,
		Nodes:     byName,
		Clock:     clock.RealClock{},
		Metrics:   counters,
		Namespace: o.namespace,
		Limit:     o.maxConcurrentRuns,
	}).SetupWithManager(mgr); err != nil {
		return err
	}
	if err := setupWebhook(ctx, mgr, o, catalogue, live); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return err
	}
	return mgr.AddReadyzCheck("readyz", healthz.Ping)
}

// setupRecorder returns what takes the events of Infrastructures, and Flux too when an
// address is given.
func setupRecorder(mgr ctrl.Manager, address string) (events.EventRecorder, error) {
	recorder := mgr.GetEventRecorder("groundwork")
	if address == "" {
		return recorder, nil
	}
	both := notify.NewRecorder(recorder, address)
	return both, mgr.Add(both)
}

// setupMetrics registers what is served besides controller-runtime's own metrics, and
// returns what the controllers count.
func setupMetrics(mgr ctrl.Manager, catalogue *modules.Catalogue) (*metrics.Counters, error) {
	counters := metrics.NewCounters()
	for _, module := range catalogue.Modules() {
		counters.Expect(module.Name)
	}
	for _, collector := range []prometheus.Collector{
		counters, metrics.NewInfrastructures(mgr.GetClient(), mgr.Elected()),
		metrics.NewQueue(mgr.GetClient(), mgr.Elected(), runcontroller.Waiting), metrics.NewBuildInfo(version),
	} {
		if err := ctrlmetrics.Registry.Register(collector); err != nil {
			return nil, fmt.Errorf("register the metrics: %w", err)
		}
	}
	return counters, nil
}
