package preview

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/infrastructure"
	"github.com/groundwork-dev/groundwork/controllers/metrics"
	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// apiServer is a client of the API server of this package's tests.
var apiServer client.WithWatch

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, func(config *rest.Config) (err error) {
		apiServer, err = client.NewWithWatch(config, client.Options{Scheme: testenv.Scheme(v1alpha1.AddToScheme)})
		return err
	}))
}

// errInjected is what a write fails with that a test picks.
var errInjected = errors.New("injected")

// fakeAPI is a client of the API server that notes writes, and fails the one that a test
// picks.
type fakeAPI struct {
	client.WithWatch
	// writes are all writes, such as "create Run".
	writes []string
	// failAt is the write to fail, from 0; negative is none. failDone fails it after it
	// was done, as when the answer is lost.
	failAt   int
	failDone bool
	// stale, once set, is what it reads in place of the Preview; noRuns makes it know no
	// Run.
	stale  *v1alpha1.Preview
	noRuns bool
}

func newFakeAPI() *fakeAPI {
	f := &fakeAPI{failAt: -1}
	f.WithWatch = interceptor.NewClient(apiServer, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			switch obj := obj.(type) {
			case *v1alpha1.Preview:
				if f.stale != nil {
					f.stale.DeepCopyInto(obj)
					return nil
				}
			case *v1alpha1.Run:
				if f.noRuns {
					return apierrors.NewNotFound(v1alpha1.GroupVersion().WithResource("runs").GroupResource(), key.Name)
				}
			}
			return c.Get(ctx, key, obj, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			return f.write("create "+kindOf(obj), func() error { return c.Create(ctx, obj, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return f.write("delete "+kindOf(obj), func() error { return c.Delete(ctx, obj, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return f.write("patch "+kindOf(obj), func() error { return c.Patch(ctx, obj, patch, opts...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return f.write("apply", func() error { return c.Apply(ctx, obj, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			return f.write("patch "+kindOf(obj)+" "+sub, func() error { return c.SubResource(sub).Patch(ctx, obj, patch, opts...) })
		},
	})
	return f
}

func kindOf(obj client.Object) string {
	kind := fmt.Sprintf("%T", obj)
	return kind[strings.LastIndex(kind, ".")+1:]
}

func (f *fakeAPI) write(what string, do func() error) error {
	n := len(f.writes)
	f.writes = append(f.writes, what)
	switch {
	case n != f.failAt:
		return do()
	case f.failDone:
		return errors.Join(errInjected, do())
	}
	return errInjected
}

// env is one test's world: a namespace for an app, one for the system, and a Reconciler.
type env struct {
	*testing.T
	api       *fakeAPI
	clock     *clocktesting.FakePassiveClock
	namespace string
	system    string
	r         *Reconciler
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{T: t, api: newFakeAPI(), clock: clocktesting.NewFakePassiveClock(time.Now().Truncate(time.Second))}
	e.namespace, e.system = e.newNamespace("shop-"), e.newNamespace("groundwork-")
	catalogue, err := modules.Load(fstest.MapFS{
		"queue/module.yaml": {Data: []byte("version: 1.2.0\nsummary: For tests\n")},
		"queue/main.tf": {Data: []byte(`
			variable "name" { type = string }
			variable "size" {
			  type    = number
			  default = 1
			}
			resource "terraform_data" "this" { input = var.name }
			output "url" { value = "x" }
		`)},
		"topic/module.yaml": {Data: []byte("version: 1.0.0\nsummary: For tests\n")},
		"topic/main.tf":     {Data: []byte(`output "url" { value = "x" }`)},
	})
	e.must(err)
	planner := infrastructure.New(infrastructure.Options{
		Client: e.api, Live: apiServer, State: state.NewStore(apiServer, e.system), Catalogue: catalogue,
		Recorder: events.NewFakeRecorder(1000), Clock: e.clock, Metrics: metrics.NewCounters(), Namespace: e.system,
	})
	e.r = New(Options{Client: e.api, Live: apiServer, Planner: planner, Clock: e.clock, Namespace: e.system})
	return e
}

func (e *env) newNamespace(prefix string) string {
	e.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix}}
	e.must(apiServer.Create(e.Context(), ns))
	return ns.Name
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// queue is a spec without faults.
func queue() v1alpha1.InfrastructureSpec {
	return v1alpha1.InfrastructureSpec{Module: "queue", Variables: map[string]apiextensionsv1.JSON{"name": {Raw: []byte(`"orders"`)}}}
}

// create makes the Preview, of the Infrastructure orders.
func (e *env) create(modify ...func(*v1alpha1.InfrastructureSpec)) *v1alpha1.Preview {
	e.Helper()
	p := &v1alpha1.Preview{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "preview"},
		Spec:       v1alpha1.PreviewSpec{Infrastructure: v1alpha1.PreviewedInfrastructure{Name: "orders", Spec: queue()}},
	}
	for _, m := range modify {
		m(&p.Spec.Infrastructure.Spec)
	}
	e.must(apiServer.Create(e.Context(), p))
	return p
}

func (e *env) key() client.ObjectKey {
	return client.ObjectKey{Namespace: e.namespace, Name: "preview"}
}

// preview reads the Preview; nil when it is gone.
func (e *env) preview() *v1alpha1.Preview {
	e.Helper()
	p := &v1alpha1.Preview{}
	err := apiServer.Get(e.Context(), e.key(), p)
	if apierrors.IsNotFound(err) {
		return nil
	}
	e.must(err)
	return p
}

func (e *env) tryReconcile() (ctrl.Result, error) {
	return e.r.Reconcile(e.Context(), ctrl.Request{NamespacedName: e.key()})
}

func (e *env) reconcile() ctrl.Result {
	e.Helper()
	result, err := e.tryReconcile()
	e.must(err)
	return result
}

// want checks Ready, which kind of an end it is, and parts of the message.
func (e *env) want(ready metav1.ConditionStatus, reason string, parts ...string) {
	e.Helper()
	p := e.preview()
	c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady)
	if c == nil || c.Status != ready || c.Reason != reason || p.Status.ObservedGeneration != p.Generation {
		e.Fatalf("the status is %+v, want Ready %s, %s", p.Status, ready, reason)
	}
	for _, part := range parts {
		if !strings.Contains(c.Message, part) {
			e.Errorf("message is %q, want %q in it", c.Message, part)
		}
	}
	reconciling := meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionReconciling)
	stalled := meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionStalled)
	if ended := p.Status.FinishedAt != nil; ended == reconciling || stalled != (ended && ready == metav1.ConditionFalse) {
		e.Errorf("ended: %t, Reconciling: %t, Stalled: %t", ended, reconciling, stalled)
	}
}

// runs are all Runs in the system namespace.
func (e *env) runs() []v1alpha1.Run {
	e.Helper()
	var list v1alpha1.RunList
	e.must(apiServer.List(e.Context(), &list, client.InNamespace(e.system)))
	return list.Items
}

// run is the one Run.
func (e *env) run() *v1alpha1.Run {
	e.Helper()
	runs := e.runs()
	if len(runs) != 1 {
		e.Fatalf("there are %d Runs, want one", len(runs))
	}
	return &runs[0]
}

// finish ends the Run as the runner does.
func (e *env) finish(reason v1alpha1.RunReason, message, diff string) {
	e.Helper()
	run := e.run()
	if diff != "" {
		e.must(apiServer.Create(e.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: e.system, Name: runner.DiffSecret(run.Name)},
			Data:       map[string][]byte{v1alpha1.DiffKey: []byte(diff)},
		}))
		run.Status.Plan = &v1alpha1.PlanSummary{Create: 1, Changes: []v1alpha1.ResourceChange{{Address: "terraform_data.this", Action: v1alpha1.ChangeCreate}}}
	}
	run.Status.Finish(reason, message, metav1.NewTime(e.clock.Now()))
	e.must(apiServer.Status().Update(e.Context(), run))
}

// left lists what is in the system namespace.
func (e *env) left() []string {
	e.Helper()
	var left []string
	for _, run := range e.runs() {
		left = append(left, "Run "+run.Name)
	}
	var secrets corev1.SecretList
	e.must(apiServer.List(e.Context(), &secrets, client.InNamespace(e.system)))
	for _, secret := range secrets.Items {
		left = append(left, "Secret "+secret.Name)
	}
	return left
}

// diff reads the diff in the app's namespace; empty when there is none.
func (e *env) diff() string {
	e.Helper()
	p := e.preview()
	if p.Status.Diff == nil {
		return ""
	}
	secret := &corev1.Secret{}
	e.must(apiServer.Get(e.Context(), client.ObjectKey{Namespace: e.namespace, Name: p.Status.Diff.SecretName}, secret))
	if !metav1.IsControlledBy(secret, p) {
		e.Errorf("the diff is owned by %+v, want the Preview", secret.OwnerReferences)
	}
	return string(secret.Data[v1alpha1.DiffKey])
}
