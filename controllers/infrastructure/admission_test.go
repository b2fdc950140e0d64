package infrastructure

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/modules"
)

// webhook is the webhook with what the Reconciler works with.
func (e *env) webhook() *webhook {
	return &webhook{validator{catalogue: e.r.catalogue, cached: e.r.client, live: e.r.live}}
}

// A spec that was good when it came must not hold up what has nothing to do with it.
func TestWebhook_update(t *testing.T) {
	for _, tc := range []struct {
		name    string
		change  func(*v1alpha1.Infrastructure)
		refused bool
	}{
		{"Nothing.", func(*v1alpha1.Infrastructure) {}, false},
		{"A finalizer is removed.", func(i *v1alpha1.Infrastructure) { i.Finalizers = nil }, false},
		{"An annotation.", requested("1"), false},
		{"The object is suspended.", suspended, false},
		{"A run is given more time.", func(i *v1alpha1.Infrastructure) { i.Spec.Timeout.Duration = time.Hour }, false},
		{"A protection is lifted.", func(i *v1alpha1.Infrastructure) { i.Spec.DeletionPolicy = v1alpha1.DeletionPolicyDelete }, false},
		{"A variable.", func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"x"`) }, true},
		{"A variable, in an object that is being deleted.", func(i *v1alpha1.Infrastructure) {
			i.Spec.Variables = values("name", `"x"`)
			deleting(i)
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			old := newInfra(func(i *v1alpha1.Infrastructure) {
				i.Namespace, i.Spec.Module, i.Finalizers = e.namespace, "gone", []string{v1alpha1.Finalizer}
			})
			infra := old.DeepCopy()
			tc.change(infra)
			_, err := e.webhook().ValidateUpdate(t.Context(), old, infra)
			if apierrors.IsInvalid(err) != tc.refused {
				t.Errorf("got %v, refused wanted: %t", err, tc.refused)
			}
		})
	}
}

// What is applied counts for an update, as it does for the controller.
func TestWebhook_applied(t *testing.T) {
	e := newEnv(t)
	e.newConfig("old")
	e.newConfig("new", isDefault)
	old := newInfra(func(i *v1alpha1.Infrastructure) {
		i.Namespace, i.Spec = e.namespace, v1alpha1.InfrastructureSpec{Module: "bucket"}
		i.Status.Module, i.Status.ProviderConfig = &v1alpha1.AppliedModule{ModuleReference: v1alpha1.ModuleReference{Name: "bucket"}}, "old"
	})
	infra := old.DeepCopy()
	infra.Spec.ProviderConfig = "new"
	infra.Status = v1alpha1.InfrastructureStatus{}
	if _, err := e.webhook().ValidateUpdate(t.Context(), old, infra); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "were made with old") {
		t.Errorf("got %v, want a refusal of the other ProviderConfig", err)
	}
	infra.Spec.ProviderConfig = "old"
	if _, err := e.webhook().ValidateUpdate(t.Context(), old, infra); err != nil {
		t.Errorf("the one that is applied is refused: %v", err)
	}
}

// The deployment of an app does not depend on what the webhook can read.
func TestWebhook_unreadable(t *testing.T) {
	e := newEnv(t)
	w := e.webhook()
	w.cached = interceptor.NewClient(apiServer, interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
			return errors.New("the cache has not started")
		},
	})
	infra := newInfra(func(i *v1alpha1.Infrastructure) { i.Namespace, i.Spec.Variables = e.namespace, values("name", `"x"`) })
	if warnings, err := w.ValidateCreate(t.Context(), infra); err != nil || len(warnings) > 0 {
		t.Errorf("without the cache: got %q, %v, want it to read live", warnings, err)
	}
	w.live = w.cached
	infra.Spec.Module = "none"
	warnings, err := w.ValidateCreate(t.Context(), infra)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "the cache has not started") {
		t.Errorf("got %q, %v, want it to pass with a warning", warnings, err)
	}
}

// fadingLibrary is the module library until it is gone.
type fadingLibrary struct {
	Catalogue
	gone atomic.Bool
}

func (l *fadingLibrary) Get(name, constraint string) (*modules.Module, error) {
	if l.gone.Load() {
		return new(modules.Catalogue).Get(name, constraint)
	}
	return l.Catalogue.Get(name, constraint)
}

// serveWebhook serves the webhook, of which the API server asks for objects of the
// namespace; stop ends it.
func (e *env) serveWebhook(catalogue Catalogue) (stop func()) {
	e.Helper()
	install := envtest.WebhookInstallOptions{ValidatingWebhooks: []*admissionregistrationv1.ValidatingWebhookConfiguration{
		testenv.Webhook(e, e.namespace, e.namespace),
	}}
	e.must(install.Install(apiConfig))
	mgr, err := ctrl.NewManager(apiConfig, ctrl.Options{
		Scheme: apiServer.Scheme(), Metrics: metricsserver.Options{BindAddress: "0"},
		WebhookServer: ctrlwebhook.NewServer(ctrlwebhook.Options{
			Host: install.LocalServingHost, Port: install.LocalServingPort, CertDir: install.LocalServingCertDir,
		}),
	})
	e.must(err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.Context()))
	e.must(SetupWebhookWithManager(ctx, mgr, catalogue, apiServer))
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-done; err != nil {
				e.Error(err)
			}
		}
	}
	e.Cleanup(func() {
		stop()
		e.must(client.IgnoreNotFound(apiServer.Delete(context.WithoutCancel(e.Context()), install.ValidatingWebhooks[0])))
		e.must(install.Cleanup())
	})
	for deadline := time.Now().Add(20 * time.Second); mgr.GetWebhookServer().StartedChecker()(nil) != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.Fatal("the webhook is not served")
		}
	}
	return stop
}

// refusal creates the object, until the API server has come to know the webhook, and
// returns its refusal.
func (e *env) refusal(infra *v1alpha1.Infrastructure) *apierrors.StatusError {
	e.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		err := apiServer.Create(e.Context(), infra.DeepCopy())
		if refused := (*apierrors.StatusError)(nil); errors.As(err, &refused) && refused.ErrStatus.Details != nil {
			return refused
		}
		e.must(err)
		e.must(apiServer.Delete(e.Context(), infra.DeepCopy()))
	}
	e.Fatal("the object is not refused")
	return nil
}

// All that a user sees, from an API server that asks the webhook as the chart says.
func TestWebhook_apiServer(t *testing.T) {
	e := newEnv(t)
	catalogue := &fadingLibrary{Catalogue: library(t)}
	stop := e.serveWebhook(catalogue)
	good := newInfra(func(i *v1alpha1.Infrastructure) {
		i.ObjectMeta = metav1.ObjectMeta{Namespace: e.namespace, Name: "orders"}
		i.Spec.Variables = values("name", `"orders"`)
	})

	bad := good.DeepCopy()
	bad.Spec.Variables = values("nam", `"orders"`)
	refused := e.refusal(bad)
	want := `admission webhook "infrastructures.infra.groundwork.dev" denied the request: Infrastructure.infra.groundwork.dev "orders" is invalid: [` +
		`spec.variables[nam]: Invalid value: module queue has no variable "nam"; did you mean "name"? its variables are name, password, size, ` +
		`spec.variables: Required value: variable "name" of module queue is required (string) and is not given]`
	if refused.Error() != want {
		t.Errorf("the refusal is\n%s, want\n%s", refused, want)
	}
	if causes := refused.ErrStatus.Details.Causes; len(causes) != 2 || causes[0].Field != "spec.variables[nam]" {
		t.Errorf("its causes are %+v", causes)
	}
	if err := apiServer.Create(t.Context(), bad.DeepCopy(), client.DryRunAll); !apierrors.IsInvalid(err) {
		t.Errorf("a dry run: got %v, want a refusal", err)
	}

	e.must(apiServer.Create(t.Context(), good))
	catalogue.gone.Store(true)
	e.update(requested("1"))
	e.update(func(i *v1alpha1.Infrastructure) { i.Finalizers = []string{v1alpha1.Finalizer} })
	e.update(suspended)
	reported := e.object()
	reported.Status.Resources = 3
	e.must(apiServer.Status().Update(t.Context(), reported))
	infra := e.object()
	infra.Spec.Variables = values("name", `"other"`)
	if err := apiServer.Update(t.Context(), infra); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), `there is no module "queue"`) {
		t.Errorf("another spec: got %v, want a refusal", err)
	}

	// failurePolicy is Fail here.
	stop()
	if err := apiServer.Update(t.Context(), infra); !apierrors.IsInternalError(err) {
		t.Errorf("another spec, without an answer: got %v, want an error", err)
	}
	e.update(func(i *v1alpha1.Infrastructure) { i.Labels = map[string]string{"team": "shop"} })
	e.delete()
	e.update(func(i *v1alpha1.Infrastructure) { i.Finalizers = nil })
	if !e.gone() {
		t.Error("the object cannot be deleted")
	}
}

// FuzzWebhook gives any bytes to the webhook for an object. It passes or is refused,
// the same way each time, and a refusal says what is wrong.
func FuzzWebhook(f *testing.F) {
	seed := func(modify func(*v1alpha1.Infrastructure)) {
		raw, err := json.Marshal(newInfra(modify))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	seed(everythingWrong)
	seed(bucketOf("aws"))
	seed(suspended)
	for _, raw := range []string{
		``, `null`, `[]`, `{}`, `{"spec":null}`, `{"spec":{"module":7}}`,
		`{"spec":{"module":"queue","variables":{"name":null,"size":1e400}}}`,
		`{"spec":{"module":"queue","variables":{"":"","size":"0x10"},"variablesFrom":[{},{"variable":""},{"secretKeyRef":{}},{"secretKeyRef":{"key":"k"}}]}}`,
		`{"spec":{"module":"queue","variablesFrom":[{"secretRef":{},"configMapKeyRef":{}}],"outputs":{"keys":{"":""},"valuesKey":".."}}}`,
		`{"metadata":{"name":"a"},"spec":{"module":"queue","dependsOn":[{},{"name":"a"},{"name":"b"}],"variablesFrom":[{"outputRef":{}},{"variable":"name","outputRef":{"name":"a"}}]}}`,
		`{"spec":{"module":"QUEUE","moduleVersion":">= 1, <","outputs":{"templates":{"a":"{{ range .x }}{{ $ }}{{ end }}","":"{{ define \"x\" }}"}}}}`,
		`{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{"module":"none"}}`,
		`{"metadata":{"deletionTimestamp":"yesterday"}}`,
	} {
		f.Add([]byte(raw))
	}
	world := interceptor.NewClient(apiServer, interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return nil
		},
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return nil },
	})
	handler := admission.WithValidator(apiServer.Scheme(), &webhook{validator{catalogue: library(f), cached: world, live: world}}).Handler
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, operation := range []admissionv1.Operation{admissionv1.Create, admissionv1.Update} {
			var req admission.Request
			req.Operation, req.Object = operation, runtime.RawExtension{Raw: raw}
			req.OldObject.Raw = []byte(`{"spec":{"module":"topic"}}`)
			first, second := handler.Handle(t.Context(), req), handler.Handle(t.Context(), req)
			if first.Result.Message != second.Result.Message || first.Allowed != second.Allowed {
				t.Errorf("%s: one time %+v, the other %+v", operation, first, second)
			}
			if !first.Allowed && first.Result.Message == "" {
				t.Errorf("%s: refused without a word", operation)
			}
		}
	})
}
