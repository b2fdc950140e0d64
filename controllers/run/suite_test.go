package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/metrics"
	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/runner/pod"
)

var (
	// apiConfig is the access to the API server of this package's tests.
	apiConfig *rest.Config
	// apiServer is a client of it.
	apiServer client.WithWatch
)

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, func(config *rest.Config) (err error) {
		apiConfig = config
		apiServer, err = client.NewWithWatch(config, client.Options{Scheme: testenv.Scheme(v1alpha1.AddToScheme)})
		return err
	}))
}

// errInjected is what a write fails with that a test picks.
var errInjected = errors.New("injected")

// fakeAPI is a client of the API server that notes writes, fails the one that a
// test picks, and can be behind as a cache can.
type fakeAPI struct {
	client.WithWatch
	writes []string
	// failAt is the write to fail, from 0; negative is none. failDone fails it after
	// it was done.
	failAt   int
	failDone bool
	// stale, once set, is what it reads in place of the object of its kind; nil is
	// nothing.
	stale map[string]client.Object
}

func newFakeAPI() *fakeAPI {
	f := &fakeAPI{failAt: -1, stale: map[string]client.Object{}}
	f.WithWatch = interceptor.NewClient(apiServer, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			stale, ok := f.stale[kindOf(obj)]
			switch stale := stale.(type) {
			case *v1alpha1.Run:
				stale.DeepCopyInto(obj.(*v1alpha1.Run))
				return nil
			case *corev1.Pod:
				stale.DeepCopyInto(obj.(*corev1.Pod))
				return nil
			}
			if ok {
				return apierrors.NewNotFound(corev1.Resource("pods"), key.Name)
			}
			return c.Get(ctx, key, obj, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			return f.write("create "+kindOf(obj), func() error { return c.Create(ctx, obj, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return f.write("delete "+kindOf(obj), func() error { return c.Delete(ctx, obj, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			return f.write("patch "+sub+" "+kindOf(obj), func() error { return c.SubResource(sub).Patch(ctx, obj, patch, opts...) })
		},
	})
	return f
}

func kindOf(obj client.Object) string {
	if _, metadata := obj.(*metav1.PartialObjectMetadata); metadata {
		return "Secret"
	}
	kind := fmt.Sprintf("%T", obj)
	return kind[strings.LastIndex(kind, ".")+1:]
}

func (f *fakeAPI) write(what string, do func() error) error {
	n := len(f.writes)
	f.writes = append(f.writes, what)
	if n != f.failAt {
		return do()
	}
	if f.failDone {
		return errors.Join(errInjected, do())
	}
	return errInjected
}

// env is one test's world: a system namespace with a Run that is admitted, its request,
// and a Reconciler.
type env struct {
	*testing.T
	api       *fakeAPI
	clock     *clocktesting.FakePassiveClock
	metrics   *metrics.Counters
	namespace string
	name      string
	r         *Reconciler
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{T: t, api: newFakeAPI(), clock: clocktesting.NewFakePassiveClock(time.Now()), metrics: metrics.NewCounters(), name: "shop-orders-k-1"}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "groundwork-"}}
	e.must(apiServer.Create(t.Context(), ns))
	e.namespace = ns.Name
	e.r = New(Options{
		Client: e.api, Metadata: e.api, Live: apiServer, Clock: e.clock, Metrics: e.metrics,
		Pod: pod.Config{Image: "bundle"}, StartTimeout: 10 * time.Minute,
	})
	labels := map[string]string{v1alpha1.LabelKey: "shop-orders-k", v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
	meta := metav1.ObjectMeta{Namespace: e.namespace, Name: e.name, Labels: labels}
	e.must(apiServer.Create(t.Context(), &corev1.Secret{ObjectMeta: meta}))
	e.must(apiServer.Create(t.Context(), &v1alpha1.Run{
		ObjectMeta: *meta.DeepCopy(),
		Spec: v1alpha1.RunSpec{
			Infrastructure: v1alpha1.InfrastructureReference{Namespace: "shop", Name: "orders", UID: "1", Generation: 1},
			Operation:      v1alpha1.OperationApply,
			Module:         v1alpha1.ModuleReference{Name: "queue", Version: "1.0.0", Digest: "sha256:0"},
			InputsDigest:   "sha256:1",
			Timeout:        metav1.Duration{Duration: 30 * time.Minute},
		},
	}))
	e.admit()
	return e
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *env) key() client.ObjectKey { return client.ObjectKey{Namespace: e.namespace, Name: e.name} }

func (e *env) reconcile() ctrl.Result {
	e.Helper()
	result, err := e.tryReconcile()
	e.must(err)
	return result
}

func (e *env) tryReconcile() (ctrl.Result, error) {
	return e.r.Reconcile(e.Context(), ctrl.Request{NamespacedName: e.key()})
}

func (e *env) pass(d time.Duration) { e.clock.SetTime(e.clock.Now().Add(d)) }

func (e *env) run() *v1alpha1.Run {
	e.Helper()
	run := &v1alpha1.Run{}
	e.must(apiServer.Get(e.Context(), e.key(), run))
	return run
}

// pod reads the Run's pod; nil when there is none.
func (e *env) pod() *corev1.Pod {
	e.Helper()
	p := &corev1.Pod{}
	err := apiServer.Get(e.Context(), e.key(), p)
	if apierrors.IsNotFound(err) {
		return nil
	}
	e.must(err)
	return p
}

// requested tells whether the request is there.
func (e *env) requested() bool {
	e.Helper()
	err := apiServer.Get(e.Context(), e.key(), &corev1.Secret{})
	e.must(client.IgnoreNotFound(err))
	return err == nil
}

// schedule gives the pod a node, so that it does not go at once when it is deleted.
func (e *env) schedule() {
	e.Helper()
	binding := &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: "node-1"}}
	e.must(apiServer.SubResource("binding").Create(e.Context(), e.pod(), binding))
}

// setPod changes the pod's status as kubelet does.
func (e *env) setPod(change func(*corev1.Pod)) {
	e.Helper()
	p := e.pod()
	change(p)
	e.must(apiServer.Status().Update(e.Context(), p))
}

// removePod lets the pod be gone.
func (e *env) removePod() {
	e.Helper()
	e.must(apiServer.Delete(e.Context(), e.pod(), client.GracePeriodSeconds(0)))
}

// setRun changes the Run's status as the runner does.
func (e *env) setRun(change func(*v1alpha1.RunStatus)) {
	e.Helper()
	run := e.run()
	change(&run.Status)
	e.must(apiServer.Status().Update(e.Context(), run))
}

// admit gives the Run its place, as the queue does.
func (e *env) admit() {
	e.Helper()
	e.setRun(func(s *v1alpha1.RunStatus) { s.AdmittedAt = &metav1.Time{Time: e.clock.Now()} })
}

// take lets the pod take the Run.
func (e *env) take() {
	e.Helper()
	uid := e.pod().UID
	e.setRun(func(s *v1alpha1.RunStatus) { s.PodUID, s.Phase = uid, v1alpha1.RunApplying })
}

// wantEnd checks how the Run has ended.
func (e *env) wantEnd(reason v1alpha1.RunReason, parts ...string) {
	e.Helper()
	run := e.run()
	succeeded, status := v1alpha1.RunFailed, metav1.ConditionFalse
	if reason == v1alpha1.RunReasonSucceeded {
		succeeded, status = v1alpha1.RunSucceeded, metav1.ConditionTrue
	}
	if run.Status.Phase != succeeded || run.Status.Reason != reason || run.Status.FinishedAt == nil {
		e.Fatalf("status is %+v, want %s with %s and a time", run.Status, succeeded, reason)
	}
	if len(run.Status.Conditions) != 1 || run.Status.Conditions[0].Status != status || run.Status.Conditions[0].Reason != string(reason) {
		e.Errorf("conditions are %+v, want Succeeded=%s with %s", run.Status.Conditions, status, reason)
	}
	for _, part := range parts {
		if !strings.Contains(run.Status.Message, part) {
			e.Errorf("message is %q, want it to contain %q", run.Status.Message, part)
		}
	}
}
