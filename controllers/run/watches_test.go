package run

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/pod"
)

// startManager runs the controller as cmd/controller does, for the test's duration
// and namespace.
func (e *env) startManager() {
	e.Helper()
	mgr, err := ctrl.NewManager(apiConfig, ctrl.Options{
		Scheme:     apiServer.Scheme(),
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Cache:      cache.Options{DefaultNamespaces: map[string]cache.Config{e.namespace: {}}},
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	e.must(err)
	e.must(New(Options{
		Client: mgr.GetClient(), Metadata: mgr.GetCache(), Live: apiServer, Clock: clock.RealClock{}, Metrics: e.metrics,
		Pod: pod.Config{Image: "bundle"}, StartTimeout: 10 * time.Minute,
	}).SetupWithManager(mgr, 2))
	ctx, stop := context.WithCancel(context.WithoutCancel(e.Context()))
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	e.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			e.Error(err)
		}
	})
}

// eventually waits until the condition holds.
func (e *env) eventually(what string, holds func() bool) {
	e.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	e.Fatalf("%s does not come: %+v", what, e.run().Status)
}

// The Run, its pod and its request each bring the Run back.
func TestReconciler_watches(t *testing.T) {
	e := newEnv(t)
	e.startManager()
	e.eventually("the pod", func() bool { return e.pod() != nil })
	e.setPod(unschedulable)
	e.eventually("what hinders the pod", func() bool { return e.run().Status.Message != "" })
	e.take()
	e.setPod(exited("runner", 0, "Completed", string(runner.Result{Reason: v1alpha1.RunReasonSucceeded}.TerminationMessage())))
	e.eventually("the end", func() bool { return e.run().Status.Phase == v1alpha1.RunSucceeded })
	e.eventually("the removal of request and pod", func() bool { return !e.requested() && e.pod() == nil })
	// A request that comes to the cache after its Run is finished.
	e.must(apiServer.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: e.namespace, Name: e.name, Labels: e.run().Labels}}))
	e.eventually("the removal of a late request", func() bool { return !e.requested() })
}
