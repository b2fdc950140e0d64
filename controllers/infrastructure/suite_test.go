package infrastructure

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/retry"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/metrics"
	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
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

// library is the module library of the tests: queue and topic need no provider,
// bucket needs AWS.
func library(t testing.TB) *modules.Catalogue {
	t.Helper()
	catalogue, err := modules.Load(libraryFiles("1.2.0"))
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

// libraryFiles are those of the library in a version; queue has other files in each.
func libraryFiles(version string) fstest.MapFS {
	manifest := &fstest.MapFile{Data: []byte("version: " + version + "\nsummary: For tests\n")}
	return fstest.MapFS{
		"queue/module.yaml": manifest,
		"queue/version.tf":  {Data: []byte("# " + version)},
		"queue/main.tf": {Data: []byte(`
			variable "name" { type = string }
			variable "size" {
			  type    = number
			  default = 1
			}
			variable "password" {
			  type      = string
			  default   = ""
			  sensitive = true
			}
			resource "terraform_data" "this" { input = var.name }
			output "url" { value = terraform_data.this.output }
			output "port" { value = 5432 }
			output "replica" { value = null }
		`)},
		"grant/module.yaml":  manifest,
		"grant/main.tf":      {Data: []byte(`resource "terraform_data" "this" {}`)},
		"topic/module.yaml":  manifest,
		"topic/main.tf":      {Data: []byte(`output "url" { value = "x" }`)},
		"bucket/module.yaml": manifest,
		"bucket/main.tf": {Data: []byte(`
			terraform {
			  required_providers {
			    aws = { source = "hashicorp/aws" }
			  }
			}
			resource "aws_s3_bucket" "this" {}
			output "url" { value = aws_s3_bucket.this.bucket }
		`)},
		"bucket/.terraform.lock.hcl": {Data: []byte("provider \"registry.terraform.io/hashicorp/aws\" {\n  version = \"5.100.0\"\n}\n")},
	}
}

// env is one test's world: a namespace for an app, one for the system, and a
// Reconciler. Its object is shop's orders, or the one that it is of.
type env struct {
	*testing.T
	// infra is the object's name.
	infra string
	// api is what the Reconciler works with; apiServer is for the test itself.
	api       *fakeAPI
	clock     *clocktesting.FakePassiveClock
	metrics   *metrics.Counters
	recorder  *events.FakeRecorder
	namespace string
	system    string
	r         *Reconciler
	// serial is that of the next state, 1 when it is not set.
	serial int64
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{
		T: t, infra: "orders", api: newFakeAPI(apiServer), recorder: events.NewFakeRecorder(1000), metrics: metrics.NewCounters(),
		clock: clocktesting.NewFakePassiveClock(time.Now().Truncate(time.Second)),
	}
	e.namespace, e.system = e.newNamespace("shop-"), e.newNamespace("groundwork-")
	e.r = New(Options{
		Client: e.api, Secrets: e.api, Live: e.api.live(), State: state.NewStore(e.api.live(), e.system),
		Catalogue: library(t), Recorder: e.recorder, Clock: e.clock, Metrics: e.metrics, Namespace: e.system,
		Upgrades: Upgrades{MaxConcurrent: intstr.FromInt32(1), MaxFailed: 2},
	})
	return e
}

// of is the same world with another object.
func (e *env) of(name string) *env {
	other := *e
	other.infra = name
	return &other
}

func (e *env) newNamespace(prefix string) string {
	e.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix, Labels: map[string]string{"team": "shop"}}}
	e.must(apiServer.Create(e.Context(), ns))
	return ns.Name
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// create makes the object: a queue.
func (e *env) create(modify ...func(*v1alpha1.Infrastructure)) {
	e.Helper()
	infra := &v1alpha1.Infrastructure{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: e.infra},
		Spec:       v1alpha1.InfrastructureSpec{Module: "queue", Variables: values("name", `"orders"`)},
	}
	for _, m := range modify {
		m(infra)
	}
	e.must(apiServer.Create(e.Context(), infra))
}

// update changes the object as it is now, again when a controller has changed it meanwhile.
func (e *env) update(change func(*v1alpha1.Infrastructure)) {
	e.Helper()
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		infra := e.object()
		change(infra)
		return apiServer.Update(e.Context(), infra)
	})
	e.must(err)
}

// delete asks for the object's deletion.
func (e *env) delete() {
	e.Helper()
	e.must(apiServer.Delete(e.Context(), e.object()))
}

func (e *env) name() client.ObjectKey {
	return client.ObjectKey{Namespace: e.namespace, Name: e.infra}
}

func (e *env) key() string { return state.Key(e.namespace, e.infra) }

// object reads the object.
func (e *env) object() *v1alpha1.Infrastructure {
	e.Helper()
	infra := &v1alpha1.Infrastructure{}
	e.must(apiServer.Get(e.Context(), e.name(), infra))
	return infra
}

// gone tells whether the object does not exist.
func (e *env) gone() bool {
	e.Helper()
	err := apiServer.Get(e.Context(), e.name(), &v1alpha1.Infrastructure{})
	if client.IgnoreNotFound(err) != nil {
		e.Fatal(err)
	}
	return apierrors.IsNotFound(err)
}

// reconcile reconciles once without an error, and checks what must hold of any
// status.
func (e *env) reconcile() ctrl.Result {
	e.Helper()
	result, err := e.tryReconcile()
	if err != nil {
		e.Fatalf("reconcile: %v", err)
	}
	return result
}

// tryReconcile reconciles once.
func (e *env) tryReconcile() (ctrl.Result, error) {
	e.Helper()
	result, err := e.r.Reconcile(e.Context(), ctrl.Request{NamespacedName: e.name()})
	if !e.gone() {
		e.checkInvariants(err != nil)
	}
	return result, err
}

// reconcileBehind reconciles once on a cache that is behind: the status stays as it is.
func (e *env) reconcileBehind() {
	e.Helper()
	before := e.object().Status
	result, err := e.r.Reconcile(e.Context(), ctrl.Request{NamespacedName: e.name()})
	if err != nil || result.RequeueAfter <= 0 {
		e.Errorf("result is %+v, %v, want another look", result, err)
	}
	if diff := cmp.Diff(before, e.object().Status); diff != "" {
		e.Errorf("the status was written: %s", diff)
	}
}

// pass lets time go by.
func (e *env) pass(d time.Duration) { e.clock.SetTime(e.clock.Now().Add(d)) }

// checkInvariants checks what holds of any status, and that kstatus, by which Helm
// and Flux wait, sees in it what DESIGN.md says.
func (e *env) checkInvariants(failed bool) {
	e.Helper()
	infra := e.object()
	conditions := infra.Status.Conditions
	for _, c := range conditions {
		if c.Type != v1alpha1.ConditionReady && c.Status != metav1.ConditionTrue {
			e.Errorf("condition %s is there and %s", c.Type, c.Status)
		}
		if c.Type == v1alpha1.ConditionReady && c.ObservedGeneration != infra.Status.ObservedGeneration {
			e.Errorf("condition %s is of generation %d, the status of %d", c.Type, c.ObservedGeneration, infra.Status.ObservedGeneration)
		}
	}
	reconciling := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling)
	stalled := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled)
	ready := meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady)
	want := status.InProgressStatus
	switch {
	case failed && len(conditions) == 0:
		return // the status could not be written
	case !infra.DeletionTimestamp.IsZero():
		want = status.TerminatingStatus
	case infra.Status.ObservedGeneration != infra.Generation:
		if !failed {
			e.Errorf("observedGeneration is %d after a reconcile of generation %d", infra.Status.ObservedGeneration, infra.Generation)
		}
	case stalled:
		want = status.FailedStatus
	case ready:
		want = status.CurrentStatus
	}
	if reconciling && stalled || ready && (reconciling || stalled) {
		e.Errorf("Ready: %t, Reconciling: %t, Stalled: %t", ready, reconciling, stalled)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(infra)
	e.must(err)
	content["apiVersion"], content["kind"] = v1alpha1.GroupVersion().String(), "Infrastructure"
	got, err := status.Compute(&unstructured.Unstructured{Object: content})
	e.must(err)
	if got.Status != want {
		e.Errorf("kstatus sees %s (%s), want %s", got.Status, got.Message, want)
	}
}

// want checks the object's Ready condition: its reason, and parts of its message.
func (e *env) want(reason string, parts ...string) {
	e.Helper()
	ready := meta.FindStatusCondition(e.object().Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Reason != reason {
		e.Fatalf("Ready is %+v, want the reason %s", ready, reason)
	}
	for _, part := range parts {
		if !strings.Contains(ready.Message, part) {
			e.Errorf("message is %q, want it to contain %q", ready.Message, part)
		}
	}
}

// wantEvent checks that an event of that reason was sent since the last check.
func (e *env) wantEvent(reason string) {
	e.Helper()
	var sent []string
	for len(e.recorder.Events) > 0 {
		sent = append(sent, <-e.recorder.Events)
	}
	for _, event := range sent {
		if strings.Contains(event, " "+reason+" ") {
			return
		}
	}
	e.Errorf("events are %q, want one of %s", sent, reason)
}

// list reads all objects of a kind in a namespace.
func list[L client.ObjectList](ctx context.Context, t *testing.T, l L, namespace string) L {
	t.Helper()
	if err := apiServer.List(ctx, l, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	return l
}
