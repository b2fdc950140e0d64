package infrastructure

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// newConfig makes a ProviderConfig that admits all, and its credentials.
func (e *env) newConfig(name string, modify ...func(*v1alpha1.ProviderConfig)) {
	e.Helper()
	config := &v1alpha1.ProviderConfig{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.ProviderConfigSpec{
			Credentials: v1alpha1.Credentials{SecretName: name},
			AWS:         v1alpha1.AWSProvider{Region: "eu-central-1"},
		},
	}
	for _, m := range modify {
		m(config)
	}
	e.must(apiServer.Create(e.Context(), config))
	if secret := config.Spec.Credentials.SecretName; secret != "" {
		e.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.system, Name: secret}})
	}
	e.Cleanup(func() { e.removeConfig(name) })
}

// removeConfig deletes a ProviderConfig. It works in a clean-up too.
func (e *env) removeConfig(name string) {
	e.Helper()
	config := &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: name}}
	e.must(client.IgnoreNotFound(apiServer.Delete(context.WithoutCancel(e.Context()), config)))
}

func isDefault(c *v1alpha1.ProviderConfig) { c.Spec.Default = true }

func TestReconciler_providerConfig(t *testing.T) {
	admits := func(team string) func(*v1alpha1.ProviderConfig) {
		return func(c *v1alpha1.ProviderConfig) {
			c.Spec.NamespaceSelector.MatchLabels = map[string]string{"team": team}
		}
	}
	for _, tc := range []struct {
		name    string
		configs func(e *env)
		named   string
		// config is the Run's; reason is why there is none.
		config string
		reason string
		parts  []string
	}{
		{"The one that is named.", func(e *env) { e.newConfig("a"); e.newConfig("b", isDefault) }, "a", "a", "", nil},
		{"The default.", func(e *env) { e.newConfig("a"); e.newConfig("b", isDefault) }, "", "b", "", nil},
		{"One that admits the namespace.", func(e *env) { e.newConfig("a", admits("shop")) }, "a", "a", "", nil},
		{"One that does not admit the namespace.", func(e *env) { e.newConfig("a", admits("bank")) }, "a", "",
			v1alpha1.ReasonProviderConfigForbidden, []string{"spec.providerConfig", "a", "team=bank", "shop-"}},
		{"A default that does not admit the namespace.", func(e *env) { e.newConfig("a", isDefault, admits("bank")) }, "", "",
			v1alpha1.ReasonProviderConfigForbidden, []string{"team=bank"}},
		{"Two defaults.", func(e *env) { e.newConfig("a", isDefault); e.newConfig("b", isDefault) }, "", "",
			v1alpha1.ReasonProviderConfigNotFound, []string{"spec.providerConfig", `["a" "b"]`}},
		{"One whose credentials are missing is waited for.", func(e *env) {
			e.newConfig("a")
			e.remove(&corev1.Secret{}, e.system, "a")
		}, "a", "", v1alpha1.ReasonInputMissing, []string{"ProviderConfig a", `Secret "a"`, "groundwork-"}},
		{"One whose ServiceAccount is missing is waited for.", func(e *env) {
			e.newConfig("a", func(c *v1alpha1.ProviderConfig) {
				c.Spec.Credentials.ServiceAccountName = "workload"
				c.Spec.Credentials.SecretName = ""
			})
		}, "a", "", v1alpha1.ReasonInputMissing, []string{`ServiceAccount "workload"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			tc.configs(e)
			e.create(bucketOf(tc.named))
			e.reconcile()
			if tc.reason != "" {
				e.want(tc.reason, tc.parts...)
				e.wantRuns(0)
				return
			}
			run := e.last()
			if run.Spec.ProviderConfig != tc.config || run.Spec.Credentials.SecretName != tc.config {
				t.Errorf("the run has %s and the credentials %+v, want those of %s", run.Spec.ProviderConfig, run.Spec.Credentials, tc.config)
			}
			if file := string(e.request(run).Provider); !strings.Contains(file, "eu-central-1") {
				t.Errorf("the provider file is %s", file)
			}
		})
	}
}

// Helm gives up at once on Stalled: what the cache does not know yet must not be
// refused.
func TestReconciler_staleProviderConfig(t *testing.T) {
	for _, tc := range []struct {
		name   string
		behind func(api *fakeAPI)
	}{
		{"A ProviderConfig that the cache does not know yet is found.", func(api *fakeAPI) { api.noConfigs = true }},
		{"A namespace that the cache does not know yet is found.", func(api *fakeAPI) {
			api.get = func(cached bool, key client.ObjectKey, obj client.Object) error {
				if _, metadata := obj.(*metav1.PartialObjectMetadata); metadata && cached {
					return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
				}
				return nil
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.newConfig("aws")
			e.create(bucketOf("aws"))
			tc.behind(e.api)
			e.reconcile()
			if got := e.last().Spec.ProviderConfig; got != "aws" {
				t.Errorf("the run is for %q, want aws", got)
			}
		})
	}
}

// What exists does not move to another account because a default changes.
func TestReconciler_stickyProviderConfig(t *testing.T) {
	newDefault := func(e *env) {
		e.must(apiServer.Delete(e.Context(), &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "old"}}))
		e.newConfig("old")
		e.newConfig("new", isDefault)
	}
	setUp := func(t *testing.T) *env {
		e := newEnv(t)
		e.newConfig("old", isDefault)
		e.create(bucketOf(""))
		e.reconcile()
		e.succeed(queueOutputs())
		e.reconcile()
		e.want(v1alpha1.ReasonInSync)
		newDefault(e)
		return e
	}
	t.Run("Another default changes nothing.", func(t *testing.T) {
		e := setUp(t)
		e.reconcile()
		e.want(v1alpha1.ReasonInSync)
		e.wantRuns(1)
		if got := e.object().Status.ProviderConfig; got != "old" {
			t.Errorf("status names %s", got)
		}
	})
	t.Run("Without the Runs, the snapshot tells.", func(t *testing.T) {
		e := setUp(t)
		e.remove(&v1alpha1.Run{}, e.system, e.last().Name)
		e.reconcile()
		e.want(v1alpha1.ReasonModuleChanged, "spec.providerConfig", "old", "new")
		e.wantRuns(0)
		e.update(func(i *v1alpha1.Infrastructure) { i.Spec.ProviderConfig = "old" })
		e.reconcile()
		e.wantRuns(1)
	})
	t.Run("One that is named before the status names another is refused.", func(t *testing.T) {
		e := newEnv(t)
		e.newConfig("old", isDefault)
		e.newConfig("new")
		e.create(bucketOf(""))
		e.reconcile()
		e.begin(e.last())
		e.update(func(i *v1alpha1.Infrastructure) { i.Spec.ProviderConfig = "new" })
		e.reconcile()
		e.succeed(queueOutputs())
		e.reconcile()
		e.want(v1alpha1.ReasonModuleChanged, "spec.providerConfig", "old", "new")
		e.delete()
		e.reconcile()
		e.succeed(nil)
		e.reconcile()
		if !e.gone() {
			t.Error("the object cannot be deleted any more")
		}
	})
}
