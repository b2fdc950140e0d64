package infrastructure

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// output changes the output Secret orders as others would.
func (e *env) output(change func(*corev1.Secret)) {
	e.Helper()
	secret := e.secret("orders")
	change(secret)
	e.must(apiServer.Update(e.Context(), secret))
}

func TestReconciler_keepOutputs(t *testing.T) {
	data := map[string]string{"url": "https://queue", "port": "5432"}
	with := func(key, value string) map[string]string {
		m := maps.Clone(data)
		m[key] = value
		return m
	}
	for _, tc := range []struct {
		name   string
		change func(e *env)
		want   map[string]string
	}{
		{"A Secret that was deleted is written again.", func(e *env) { e.remove(&corev1.Secret{}, e.namespace, "orders") }, data},
		{"A value that was edited is put back.", func(e *env) {
			e.output(func(s *corev1.Secret) { s.Data["url"] = []byte("http://evil") })
		}, data},
		{"A key that was removed is put back.", func(e *env) {
			e.output(func(s *corev1.Secret) { delete(s.Data, "url") })
		}, data},
		{"A label that was removed is put back.", func(e *env) {
			e.output(func(s *corev1.Secret) { delete(s.Labels, v1alpha1.LabelWatch) })
		}, data},
		{"A key of someone else stays.", func(e *env) {
			e.output(func(s *corev1.Secret) { s.Data["ca.crt"] = []byte("theirs"); s.Data["port"] = nil })
		}, with("ca.crt", "theirs")},
		{"An output that is not selected any more goes.", func(e *env) {
			e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Outputs.Keys = map[string]string{"url": "url"} })
		}, map[string]string{"url": "https://queue"}},
		{"A key that was renamed moves.", func(e *env) {
			e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Outputs.Keys = map[string]string{"url": "URL"} })
		}, map[string]string{"URL": "https://queue"}},
		{"A template is added.", func(e *env) {
			e.update(func(i *v1alpha1.Infrastructure) {
				i.Spec.Outputs.Templates = map[string]string{"X": "{{ .url }}:{{ .port }}"}
			})
		}, with("X", "https://queue:5432")},
		{"A Secret is put back while a retry is waited for.", func(e *env) {
			e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"changed"`) })
			e.reconcile()
			e.fail(v1alpha1.RunReasonPlanFailed)
			e.remove(&corev1.Secret{}, e.namespace, "orders")
		}, data},
		{"The outputs of half an apply are not written.", func(e *env) {
			e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"changed"`) })
			e.reconcile()
			e.writeState(1, map[string]cty.Value{"url": cty.StringVal("https://half")})
			e.fail(v1alpha1.RunReasonApplyFailed)
		}, data},
		{"A Secret is put back while an input is missing.", func(e *env) {
			e.update(func(i *v1alpha1.Infrastructure) {
				i.Spec.VariablesFrom = []v1alpha1.VariablesSource{{SecretRef: &v1alpha1.NameReference{Name: "none"}}}
			})
			e.remove(&corev1.Secret{}, e.namespace, "orders")
		}, data},
		{"A Secret is put back while suspended.", func(e *env) {
			e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Suspend = true })
			e.remove(&corev1.Secret{}, e.namespace, "orders")
		}, data},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.ready()
			tc.change(e)
			runs := len(e.runs())
			e.reconcile()
			secret := e.secret("orders")
			if secret == nil {
				t.Fatal("there is no output Secret")
			}
			got := map[string]string{}
			for key, value := range secret.Data {
				got[key] = string(value)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("data, -want +got:\n%s", diff)
			}
			if got := secret.Labels["reconcile.fluxcd.io/watch"]; got != "Enabled" {
				t.Errorf("the label for Flux is %q", got)
			}
			e.wantRuns(runs)
			e.api.forgetWrites()
			e.reconcile()
			if len(e.api.writes) > 0 {
				t.Errorf("once repaired, writes are %q, want none", e.api.writes)
			}
		})
	}
}

func TestReconciler_outputSecretConflict(t *testing.T) {
	theirs := func(e *env, owner ...metav1.OwnerReference) {
		e.put(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "orders", OwnerReferences: owner},
			Data:       map[string][]byte{"url": []byte("theirs")},
		})
	}
	for _, tc := range []struct {
		name   string
		owner  []metav1.OwnerReference
		reason string
		parts  []string
	}{
		{"A Secret without an owner is not taken.", nil, v1alpha1.ReasonOutputSecretConflict,
			[]string{"spec.outputs.secretName", `"orders"`, "choose another name"}},
		{"A Secret of another object is not taken.",
			[]metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "web", UID: "1", Controller: ptr.To(true)}},
			v1alpha1.ReasonOutputSecretConflict, []string{"belongs to Deployment web"}},
		{"A Secret of an earlier object of the name is waited for.",
			[]metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion().String(), Kind: "Infrastructure", Name: "orders", UID: "1", Controller: ptr.To(true)}},
			v1alpha1.ReasonProgressing, []string{"earlier object"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			theirs(e, tc.owner...)
			e.create()
			e.reconcile()
			e.want(tc.reason, tc.parts...)
			e.wantRuns(0)
			if got := string(e.secret("orders").Data["url"]); got != "theirs" {
				t.Errorf("their Secret has %q by now", got)
			}
			e.remove(&corev1.Secret{}, e.namespace, "orders")
			e.reconcile()
			e.wantRuns(1)
		})
	}
}

// Someone takes the name between the check and the end of the run.
func TestReconciler_outputSecretTakenMeanwhile(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	e.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "orders"}})
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonOutputSecretConflict)
	if len(e.secret("orders").Data) > 0 {
		t.Error("their Secret was overwritten")
	}
	e.remove(&corev1.Secret{}, e.namespace, "orders")
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
	e.wantRuns(1)
}

// A key was written, the status did not come to say so, and it is not wanted any
// more.
func TestReconciler_keyWithoutStatus(t *testing.T) {
	e := newEnv(t)
	e.ready()
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Outputs.ValuesKey = "values.yaml" })
	e.api.forgetWrites()
	e.api.fail = func(i int, _ string) (bool, bool) { return i == 1, false }
	if _, err := e.tryReconcile(); err == nil {
		t.Fatalf("the status was written: %q", e.api.writes)
	}
	e.api.fail = nil
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Outputs.ValuesKey = "" })
	e.reconcile()
	if _, there := e.secret("orders").Data["values.yaml"]; there {
		t.Error("the key is left behind")
	}
}

func TestReconciler_outputsAfterApply(t *testing.T) {
	for _, tc := range []struct {
		name   string
		modify func(*v1alpha1.Infrastructure)
		spoil  func(e *env)
		reason string
	}{
		{"A template that fails on a null output needs a person.", func(i *v1alpha1.Infrastructure) {
			i.Spec.Outputs.Templates = map[string]string{"X": "{{ .replica }}"}
		}, func(*env) {}, v1alpha1.ReasonInvalidOutputs},
		{"A state that is gone needs a person.", func(*v1alpha1.Infrastructure) {}, func(e *env) {
			e.remove(&corev1.Secret{}, e.system, "tfstate-default-"+e.key())
		}, v1alpha1.ReasonStateMissing},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.create(tc.modify)
			e.reconcile()
			e.succeed(queueOutputs())
			tc.spoil(e)
			e.reconcile()
			e.want(tc.reason)
		})
	}
}

// A namespace that is being deleted takes no Secret; its objects are deleted next.
func TestReconciler_namespaceTerminating(t *testing.T) {
	e := newEnv(t)
	e.create()
	e.reconcile()
	e.succeed(queueOutputs())
	e.must(apiServer.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.namespace}}))
	e.reconcile()
	e.want(v1alpha1.ReasonNamespaceTerminating, e.namespace)
	e.delete()
	e.reconcile()
	e.succeed(nil)
	e.reconcile()
	if !e.gone() {
		t.Error("the object is left in a namespace that is being deleted")
	}
}

// Anything but a proven absence is an error.
func TestReconciler_unreadable(t *testing.T) {
	forbidden := func(e *env) {
		e.api.get = func(_ bool, key client.ObjectKey, obj client.Object) error {
			if _, secret := obj.(*corev1.Secret); secret && key.Namespace == e.system {
				return apierrors.NewForbidden(corev1.Resource("secrets"), key.Name, nil)
			}
			return nil
		}
	}
	for _, tc := range []struct {
		name  string
		spoil func(e *env)
	}{
		{"A state that cannot be read is not taken for absent.", func(e *env) { e.writeStateData([]byte("encrypted")) }},
		{"A state that is empty is not taken for absent.", func(e *env) { e.writeStateData(nil) }},
		{"A snapshot that cannot be read is not taken for absent.", func(e *env) {
			e.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.system, Name: "groundwork-snapshot-" + e.key()}, Data: map[string][]byte{"request.json": []byte("?")}})
		}},
		{"A snapshot that may not be read is not taken for absent.", forbidden},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.ready()
			tc.spoil(e)
			e.delete()
			if _, err := e.tryReconcile(); err == nil {
				t.Error("it was taken for absent")
			}
			e.want(v1alpha1.ReasonRetrying)
			e.wantRuns(1)
			if e.gone() {
				t.Error("the object is gone, its resources are not")
			}
		})
	}
}
