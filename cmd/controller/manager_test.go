package main

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/runner/pod"
)

// startManager runs the controllers as the command does, for the test's duration,
// with a module queue, and returns a client for the test itself and the network of
// the controllers.
func startManager(t *testing.T, config *rest.Config, o options) (client.Client, *testenv.Network) {
	t.Helper()
	catalogue, err := modules.Load(fstest.MapFS{
		"queue/module.yaml": {Data: []byte("version: 1.0.0\nsummary: For tests\n")},
		"queue/main.tf":     {Data: []byte(`variable "name" { type = string }`)},
	})
	must(t, err)
	config.QPS = -1
	theirs, network := testenv.NewNetwork(config)
	mgr, err := newManager(theirs, o)
	must(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	must(t, setup(ctx, mgr, o, catalogue, pod.Config{Image: o.runnerImage}))
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	api, err := client.New(config, client.Options{Scheme: mgr.GetScheme()})
	must(t, err)
	return api, network
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newNamespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// newQueue is an object that waits for the ConfigMap queue before its run starts.
func newQueue(namespace string) *v1alpha1.Infrastructure {
	return &v1alpha1.Infrastructure{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "orders"},
		Spec: v1alpha1.InfrastructureSpec{
			Module:        "queue",
			Variables:     map[string]apiextensionsv1.JSON{"name": {Raw: []byte(`"orders"`)}},
			VariablesFrom: []v1alpha1.VariablesSource{{ConfigMapRef: &v1alpha1.NameReference{Name: "queue"}}},
		},
	}
}

// Only objects of the namespaces that are named are looked at; what they refer to
// brings them back, and is asked for by its name alone.
func TestSetup_watchNamespaces(t *testing.T) {
	var unknown atomic.Int32
	ctrl.SetLogger(funcr.New(func(_, args string) {
		if strings.Contains(args, "unknown namespace") {
			unknown.Add(1)
		}
	}, funcr.Options{}))
	config, _ := testenv.Start(t)
	api, network := startManager(t, config, options{
		namespace: "groundwork-system", watchNamespaces: []string{"shop", "bank"},
		metricsAddress: "0", probeAddress: "0", workers: 2, runnerImage: "bundle", maxConcurrentUpgrades: "10%", maxFailedUpgrades: 3,
	})
	const looked = 2
	namespaces := []string{"shop", "bank", "elsewhere"}
	must(t, api.Create(t.Context(), newNamespace("groundwork-system")))
	for _, name := range namespaces {
		ns := newNamespace(name)
		must(t, api.Create(t.Context(), ns))
		must(t, api.Create(t.Context(), newQueue(name)))
		ns.Labels = map[string]string{"team": name}
		must(t, api.Update(t.Context(), ns))
	}
	// A Run of a namespace that is not watched any more.
	must(t, api.Create(t.Context(), &v1alpha1.Run{
		ObjectMeta: metav1.ObjectMeta{Namespace: "groundwork-system", Name: "earlier-1"},
		Spec: v1alpha1.RunSpec{
			Infrastructure: v1alpha1.InfrastructureReference{Namespace: "elsewhere", Name: "orders", UID: "1", Generation: 1},
			Operation:      v1alpha1.OperationApply,
			Module:         v1alpha1.ModuleReference{Name: "queue", Version: "1.0.0", Digest: "sha256:0"},
			InputsDigest:   "sha256:1",
			Timeout:        metav1.Duration{Duration: time.Minute},
		},
	}))
	list := func() (waiting, runs int) {
		var infras v1alpha1.InfrastructureList
		must(t, api.List(t.Context(), &infras))
		for _, infra := range infras.Items {
			if infra.Status.ObservedGeneration == 1 {
				waiting++
			}
		}
		var all v1alpha1.RunList
		must(t, api.List(t.Context(), &all))
		return waiting, len(all.Items) - 1
	}
	eventually(t, "the look at two objects", func() bool { waiting, _ := list(); return waiting == looked })
	for _, ns := range namespaces {
		must(t, api.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "queue"}}))
	}
	eventually(t, "the runs of two objects", func() bool { _, runs := list(); return runs == looked })
	time.Sleep(time.Second)
	if waiting, runs := list(); waiting != looked || runs != looked {
		t.Errorf("%d objects were looked at and %d have runs, want %d", waiting, runs, looked)
	}
	var infra v1alpha1.Infrastructure
	must(t, api.Get(t.Context(), client.ObjectKey{Namespace: "elsewhere", Name: "orders"}, &infra))
	if len(infra.Finalizers) > 0 || len(infra.Status.Conditions) > 0 {
		t.Errorf("the object elsewhere was touched: %+v", infra)
	}
	if unnamed := network.Unnamed("groundwork-system"); len(unnamed) > 0 {
		t.Errorf("requests without a name: %q", unnamed)
	}
	if n := unknown.Load(); n > 0 {
		t.Errorf("objects of a namespace that is not watched were looked for %d times", n)
	}
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("%s does not come", what)
}
