package infrastructure

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Whatever can be seen to be wrong is told before any Run, with the field, what it
// got and what it wanted.
func TestReconciler_faults(t *testing.T) {
	variables := func(pairs ...string) func(*v1alpha1.Infrastructure) {
		return func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values(pairs...) }
	}
	for _, tc := range []struct {
		name   string
		modify func(*v1alpha1.Infrastructure)
		reason string
		parts  []string
	}{
		{"An unknown module.", func(i *v1alpha1.Infrastructure) { i.Spec.Module = "queues" }, v1alpha1.ReasonModuleNotFound,
			[]string{"spec.module", `"queues"`, `did you mean "queue"?`, "bucket, grant, queue, topic"}},
		{"A version that there is not.", func(i *v1alpha1.Infrastructure) { i.Spec.ModuleVersion = "~> 2.0" }, v1alpha1.ReasonModuleNotFound,
			[]string{"spec.moduleVersion", `"~> 2.0"`, "1.2.0"}},
		{"A version constraint that is none.", func(i *v1alpha1.Infrastructure) { i.Spec.ModuleVersion = "latest" }, v1alpha1.ReasonModuleNotFound,
			[]string{"spec.moduleVersion", `"latest"`, `"~> 1.2"`}},
		{"A wrong type.", variables("name", `"x"`, "size", `"big"`), v1alpha1.ReasonInvalidVariables, []string{"spec.variables[size]", `"big"`, "number"}},
		{"A missing variable.", variables(), v1alpha1.ReasonInvalidVariables, []string{"spec.variables", `"name"`, "required", "string"}},
		{"An unknown variable.", variables("name", `"x"`, "sise", "1"), v1alpha1.ReasonInvalidVariables, []string{"spec.variables[sise]", `"sise"`, `did you mean "size"?`}},
		{"Several faults at once.", variables("size", `"big"`, "sise", "1"), v1alpha1.ReasonInvalidVariables, []string{"spec.variables[size]", "spec.variables[sise]", `"name"`}},
		{"An unknown output.", func(i *v1alpha1.Infrastructure) { i.Spec.Outputs.Keys = map[string]string{"uri": "URL"} }, v1alpha1.ReasonInvalidOutputs,
			[]string{"spec.outputs.keys[uri]", `"uri"`, `"url"`}},
		{"A template of an unknown output.", func(i *v1alpha1.Infrastructure) {
			i.Spec.Outputs.Templates = map[string]string{"X": "{{ .uri }}"}
		}, v1alpha1.ReasonInvalidOutputs, []string{"spec.outputs.templates[X]", `"uri"`, `"url"`}},
		{"A ProviderConfig for a module without a provider.", func(i *v1alpha1.Infrastructure) { i.Spec.ProviderConfig = "aws" }, v1alpha1.ReasonProviderConfigForbidden,
			[]string{"spec.providerConfig", "aws", "queue"}},
		{"A ProviderConfig that does not exist.", bucketOf("none"), v1alpha1.ReasonProviderConfigNotFound, []string{"spec.providerConfig", `"none"`}},
		{"No default ProviderConfig.", bucketOf(""), v1alpha1.ReasonProviderConfigNotFound, []string{"spec.providerConfig", "default"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.create(tc.modify)
			if result := e.reconcile(); !result.IsZero() {
				t.Errorf("result is %+v: nothing changes by itself", result)
			}
			e.want(tc.reason, tc.parts...)
			e.wantEvent(tc.reason)
			e.wantRuns(0)
			if _, err := e.webhook().ValidateCreate(t.Context(), e.object()); !apierrors.IsInvalid(err) {
				t.Errorf("the webhook says %v, want the same fault", err)
			}
			e.api.forgetWrites()
			e.reconcile()
			if len(e.api.writes) > 0 {
				t.Errorf("a second look has the writes %q, want none", e.api.writes)
			}
			e.update(func(i *v1alpha1.Infrastructure) {
				i.Spec = v1alpha1.InfrastructureSpec{Module: "queue", Variables: values("name", `"x"`)}
			})
			e.reconcile()
			e.wantRuns(1)
		})
	}
}

// bucketOf makes the object a bucket, which needs AWS.
func bucketOf(config string) func(*v1alpha1.Infrastructure) {
	return func(i *v1alpha1.Infrastructure) {
		i.Spec = v1alpha1.InfrastructureSpec{Module: "bucket", ProviderConfig: config}
	}
}

// A fault of what is applied already touches nothing, and is over when it is mended.
func TestReconciler_faultOfReady(t *testing.T) {
	e := newEnv(t)
	e.ready()
	good := e.object().Spec
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `[]`) })
	e.reconcile()
	e.want(v1alpha1.ReasonInvalidVariables, "spec.variables[name]")
	e.update(func(i *v1alpha1.Infrastructure) { i.Spec = good })
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
	e.wantRuns(1)
}

// The API server refuses another module once the status names one; until then the
// Runs do, and without those the snapshot.
func TestReconciler_moduleChanged(t *testing.T) {
	other := func(i *v1alpha1.Infrastructure) { i.Spec = v1alpha1.InfrastructureSpec{Module: "topic"} }
	for _, tc := range []struct {
		name  string
		spoil func(e *env)
	}{
		{"The status does not name it yet.", func(*env) {}},
		{"The Runs are gone too.", func(e *env) {
			for _, run := range e.runs() {
				e.remove(&v1alpha1.Run{}, e.system, run.Name)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			e.create()
			e.reconcile()
			e.succeed(queueOutputs())
			e.update(other)
			tc.spoil(e)
			e.reconcile()
			e.want(v1alpha1.ReasonModuleChanged, "spec.module", "topic", "queue")
			for _, run := range e.runs() {
				if run.Spec.Module.Name == "topic" {
					t.Error("a run for the other module was started")
				}
			}
		})
	}
}

func TestReconciler_inputMissing(t *testing.T) {
	secret := func(e *env, data map[string][]byte) {
		e.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "in"}, Data: data})
	}
	config := func(e *env, data map[string]string) {
		e.put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "in"}, Data: data})
	}
	key := &v1alpha1.KeyReference{Name: "in", Key: "name"}
	all := &v1alpha1.NameReference{Name: "in"}
	for _, tc := range []struct {
		name  string
		from  v1alpha1.VariablesSource
		first func(e *env)
		parts []string
		then  func(e *env)
	}{
		{"A Secret.", v1alpha1.VariablesSource{SecretRef: all}, func(*env) {},
			[]string{"spec.variablesFrom[0]", `Secret "in"`}, func(e *env) { secret(e, map[string][]byte{"name": []byte("x")}) }},
		{"A ConfigMap.", v1alpha1.VariablesSource{ConfigMapRef: all}, func(*env) {},
			[]string{"spec.variablesFrom[0]", `ConfigMap "in"`}, func(e *env) { config(e, map[string]string{"name": "x"}) }},
		{"A key of a Secret.", v1alpha1.VariablesSource{Variable: "name", SecretKeyRef: key}, func(e *env) { secret(e, nil) },
			[]string{"spec.variablesFrom[0]", `key "name" of Secret "in"`}, func(e *env) { secret(e, map[string][]byte{"name": []byte("x")}) }},
		{"A key of a ConfigMap.", v1alpha1.VariablesSource{Variable: "name", ConfigMapKeyRef: key}, func(e *env) { config(e, nil) },
			[]string{"spec.variablesFrom[0]", `key "name" of ConfigMap "in"`}, func(e *env) { config(e, map[string]string{"name": "x"}) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			tc.first(e)
			e.create(func(i *v1alpha1.Infrastructure) {
				i.Spec.Variables, i.Spec.VariablesFrom = nil, []v1alpha1.VariablesSource{tc.from}
			})
			e.reconcile()
			e.want(v1alpha1.ReasonInputMissing, tc.parts...)
			e.wantRuns(0)
			tc.then(e)
			e.reconcile()
			e.wantRuns(1)
			if got := string(e.request(e.last()).Variables); got != `{"name":"x"}` {
				t.Errorf("variables are %s", got)
			}
		})
	}
}

func TestReconciler_variablesFrom(t *testing.T) {
	text := func(name string) *v1alpha1.NameReference { return &v1alpha1.NameReference{Name: name} }
	from := func(sources ...v1alpha1.VariablesSource) []v1alpha1.VariablesSource { return sources }
	secret := v1alpha1.VariablesSource{SecretRef: text("in")}
	config := v1alpha1.VariablesSource{ConfigMapRef: text("in")}
	for _, tc := range []struct {
		name      string
		variables []string
		from      []v1alpha1.VariablesSource
		want      string
	}{
		{"Every key is a variable.", nil, from(secret), `{"name":"of the Secret","size":7}`},
		{"A later entry wins.", nil, from(secret, config), `{"name":"of the ConfigMap","size":7}`},
		{"An entry wins over a later one only where that says nothing.", nil, from(config, secret), `{"name":"of the Secret","size":7}`},
		{"One key wins over an earlier whole.", nil, from(config, v1alpha1.VariablesSource{Variable: "name",
			SecretKeyRef: &v1alpha1.KeyReference{Name: "in", Key: "size"}}), `{"name":"7"}`},
		{"The variables win over all.", []string{"name", `"of the spec"`}, from(secret, config), `{"name":"of the spec","size":7}`},
		{"A key that is binary is as it is.", nil, from(v1alpha1.VariablesSource{Variable: "name",
			ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "in", Key: "binary"}}), `{"name":"b"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			meta := metav1.ObjectMeta{Namespace: e.namespace, Name: "in"}
			e.put(&corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"name": []byte("of the Secret"), "size": []byte("7")}})
			config := &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"name": "of the ConfigMap"}}
			if tc.want == `{"name":"b"}` {
				config.BinaryData = map[string][]byte{"binary": []byte("b")}
			}
			e.put(config)
			e.create(func(i *v1alpha1.Infrastructure) {
				i.Spec.Variables, i.Spec.VariablesFrom = values(tc.variables...), tc.from
			})
			e.reconcile()
			if got := string(e.request(e.last()).Variables); got != tc.want {
				t.Errorf("variables are %s, want %s", got, tc.want)
			}
		})
	}
}

// What a Secret holds is never told.
func TestReconciler_secretInput(t *testing.T) {
	e := newEnv(t)
	e.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "in"}, Data: map[string][]byte{"size": []byte("hunter2")}})
	e.create(func(i *v1alpha1.Infrastructure) {
		i.Spec.VariablesFrom = []v1alpha1.VariablesSource{{SecretRef: &v1alpha1.NameReference{Name: "in"}}}
	})
	e.reconcile()
	e.want(v1alpha1.ReasonInvalidVariables, `spec.variablesFrom[0] (key "size" of Secret "in")`, "number")
	for _, c := range e.object().Status.Conditions {
		if strings.Contains(c.Message, "hunter2") {
			t.Errorf("condition %s tells the value", c.Type)
		}
	}
	for len(e.recorder.Events) > 0 {
		if event := <-e.recorder.Events; strings.Contains(event, "hunter2") {
			t.Errorf("an event tells the value: %s", event)
		}
	}
}

func TestReconciler_suspend(t *testing.T) {
	suspend := func(on bool) func(*v1alpha1.Infrastructure) {
		return func(i *v1alpha1.Infrastructure) { i.Spec.Suspend = on }
	}
	t.Run("A new object that is suspended is not Ready, and goes on later.", func(t *testing.T) {
		e := newEnv(t)
		e.create(suspend(true))
		e.reconcile()
		e.want(v1alpha1.ReasonSuspended)
		e.wantRuns(0)
		e.update(suspend(false))
		e.reconcile()
		e.wantRuns(1)
	})
	t.Run("A Ready object that is suspended stays Ready, and nothing is applied.", func(t *testing.T) {
		e := newEnv(t)
		e.ready()
		e.update(func(i *v1alpha1.Infrastructure) {
			i.Spec.Suspend, i.Spec.Variables = true, values("name", `"changed"`)
		})
		e.reconcile()
		e.want(v1alpha1.ReasonInSync)
		e.wantRuns(1)
	})
	t.Run("A run under way goes on.", func(t *testing.T) {
		e := newEnv(t)
		e.create()
		e.reconcile()
		e.update(suspend(true))
		e.reconcile()
		e.want(v1alpha1.ReasonProgressing)
		e.succeed(queueOutputs())
		e.reconcile()
		e.want(v1alpha1.ReasonSuspended)
		if e.secret("orders") == nil {
			t.Error("the outputs of the run that went on are not written")
		}
	})
	t.Run("An object that is deleted is not destroyed while suspended.", func(t *testing.T) {
		e := newEnv(t)
		e.ready(suspend(false))
		e.update(suspend(true))
		e.delete()
		e.reconcile()
		e.want(v1alpha1.ReasonSuspended, "not destroyed")
		e.wantRuns(1)
		e.update(suspend(false))
		e.reconcile()
		e.wantRuns(2)
	})
}

func TestReconciler_reconcileRequest(t *testing.T) {
	e := newEnv(t)
	e.ready()
	annotate := func(value string) {
		e.update(func(i *v1alpha1.Infrastructure) {
			i.Annotations = map[string]string{v1alpha1.AnnotationReconcile: value}
		})
	}
	annotate("1")
	e.reconcile()
	e.wantRuns(2)
	if got := e.last().Spec.ReconcileRequest; got != "1" {
		t.Errorf("the run answers %q", got)
	}
	annotate("2")
	e.succeed(queueOutputs())
	e.reconcile()
	if got := e.object().Status.LastHandledReconcileAt; got == "2" {
		t.Error("a request that came during a run is told to be handled by it")
	}
	e.wantRuns(3)
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
	e.wantRuns(3)
	if got := e.object().Status.LastHandledReconcileAt; got != "2" {
		t.Errorf("the last handled request is %q", got)
	}
}

func TestReconciler_retries(t *testing.T) {
	// exhaust lets five runs fail in a row.
	exhaust := func(t *testing.T) *env {
		e := newEnv(t)
		e.create()
		for n := 1; n <= maxFailures; n++ {
			e.reconcile()
			e.wantRuns(n)
			e.fail(v1alpha1.RunReasonPlanFailed)
			result := e.reconcile()
			if result.RequeueAfter <= 0 {
				t.Fatalf("after failure %d nobody would look again", n)
			}
			if n < maxFailures {
				e.want(v1alpha1.ReasonRunFailed, "PlanFailed", "it did not work", "Next try after")
				e.pass(result.RequeueAfter)
			}
		}
		e.want(v1alpha1.ReasonRetriesExhausted, "5 times", v1alpha1.AnnotationReconcile)
		return e
	}
	t.Run("After five failures a person is needed, and it is tried every hour.", func(t *testing.T) {
		e := exhaust(t)
		e.pass(time.Minute)
		e.reconcile()
		e.wantRuns(5)
		e.pass(slowRetry + slowRetry/5)
		e.reconcile()
		e.wantRuns(6)
		e.fail(v1alpha1.RunReasonPlanFailed)
		e.reconcile()
		e.want(v1alpha1.ReasonRetriesExhausted)
	})
	t.Run("A changed spec starts afresh.", func(t *testing.T) {
		e := exhaust(t)
		e.update(func(i *v1alpha1.Infrastructure) { i.Spec.Timeout.Duration = time.Hour })
		e.reconcile()
		e.wantRuns(6)
		e.fail(v1alpha1.RunReasonPlanFailed)
		e.reconcile()
		e.want(v1alpha1.ReasonRunFailed)
	})
	t.Run("A request starts afresh.", func(t *testing.T) {
		e := exhaust(t)
		e.update(func(i *v1alpha1.Infrastructure) { i.Annotations = map[string]string{v1alpha1.AnnotationReconcile: "1"} })
		e.reconcile()
		e.wantRuns(6)
		e.fail(v1alpha1.RunReasonPlanFailed)
		e.reconcile()
		e.want(v1alpha1.ReasonRunFailed)
	})
	t.Run("A success starts afresh.", func(t *testing.T) {
		e := newEnv(t)
		e.create()
		e.reconcile()
		e.fail(v1alpha1.RunReasonPlanFailed)
		e.pass(time.Minute)
		e.reconcile()
		e.succeed(queueOutputs())
		e.reconcile()
		e.want(v1alpha1.ReasonInSync)
	})
}
