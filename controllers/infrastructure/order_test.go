package infrastructure

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
)

// chain makes three objects, of which app takes the url of db as its name, and db that
// of sg.
func chain(e *env) (sg, db, app *env) {
	e.Helper()
	sg, db, app = e.of("sg"), e.of("db"), e.of("app")
	noName := func(i *v1alpha1.Infrastructure) { i.Spec.Variables = nil }
	app.create(noName, takes("name", "db", "url"))
	db.create(noName, takes("name", "sg", "url"))
	sg.create()
	return sg, db, app
}

// urlOf are outputs of a queue.
func urlOf(url string) map[string]cty.Value {
	return map[string]cty.Value{"url": cty.StringVal(url)}
}

// readyWith makes the object Ready, with an url, when nothing is in its way.
func (e *env) readyWith(url string) {
	e.Helper()
	e.reconcile()
	e.want(v1alpha1.ReasonProgressing)
	e.succeed(urlOf(url))
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
}

// wantName checks the variables of the object's newest Run.
func (e *env) wantName(name string) {
	e.Helper()
	if got, want := string(e.request(e.last()).Variables), fmt.Sprintf(`{"name":%q}`, name); got != want {
		e.Errorf("%s is applied with %s, want %s", e.infra, got, want)
	}
}

func TestReconciler_orderOfCreation(t *testing.T) {
	e := newEnv(t)
	sg, db, app := chain(e)
	app.reconcile()
	app.want(v1alpha1.ReasonDependencyNotReady, `spec.variablesFrom[0].outputRef.name: waiting for Infrastructure "db": it is new or has changed`)
	app.wantEvent(v1alpha1.ReasonDependencyNotReady)
	db.reconcile()
	db.want(v1alpha1.ReasonDependencyNotReady, `Infrastructure "sg"`)
	app.reconcile()
	app.want(v1alpha1.ReasonDependencyNotReady, `it is not Ready (DependencyNotReady): spec.variablesFrom[0].outputRef.name: waiting for Infrastructure "sg"`)

	sg.reconcile()
	db.reconcile()
	db.want(v1alpha1.ReasonDependencyNotReady, `Infrastructure "sg": it is not Ready yet (Progressing)`)
	sg.succeed(urlOf("url-of-sg"))
	db.reconcile()
	db.want(v1alpha1.ReasonDependencyNotReady)
	db.wantRuns(0)
	sg.reconcile()
	db.reconcile()
	db.wantName("url-of-sg")
	app.reconcile()
	app.want(v1alpha1.ReasonDependencyNotReady)
	db.succeed(urlOf("url-of-db"))
	db.reconcile()
	app.readyWithName("url-of-db")
}

// readyWithName makes the object Ready, and checks what it was applied with.
func (e *env) readyWithName(name string) {
	e.Helper()
	e.reconcile()
	e.wantName(name)
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
}

// readyChain is the chain when all is Ready.
func readyChain(e *env) (sg, db, app *env) {
	e.Helper()
	sg, db, app = chain(e)
	sg.readyWith("url-of-sg")
	db.readyWith("url-of-db")
	app.readyWith("url-of-app")
	return sg, db, app
}

func TestReconciler_changedOutput(t *testing.T) {
	e := newEnv(t)
	sg, db, app := readyChain(e)
	sg.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("name", `"other"`) })
	// Nobody has looked at sg yet.
	db.reconcile()
	db.want(v1alpha1.ReasonInSync, "for now no run is started", `Infrastructure "sg"`)
	sg.reconcile()
	sg.begin(sg.last())
	db.reconcile()
	db.want(v1alpha1.ReasonInSync, `Infrastructure "sg": it is not Ready yet (Progressing)`)
	app.reconcile()
	app.want(v1alpha1.ReasonInSync, "Applied queue 1.2.0")
	db.wantRuns(1)

	// A change of its own waits, and its output Secret is looked after all the same.
	app.update(func(i *v1alpha1.Infrastructure) { i.Spec.DependsOn = []v1alpha1.NameReference{{Name: "sg"}} })
	app.reconcile()
	app.want(v1alpha1.ReasonDependencyNotReady, `spec.dependsOn[0].name: waiting for Infrastructure "sg"`)
	app.remove(&corev1.Secret{}, app.namespace, "app")
	app.reconcile()
	if app.secret("app") == nil {
		t.Error("the output Secret is not put back")
	}

	sg.writeState(1, urlOf("other-url"))
	sg.finish(sg.last(), v1alpha1.RunReasonSucceeded, "done")
	sg.reconcile()
	db.reconcile()
	db.wantRuns(2)
	db.wantName("other-url")
	db.succeed(urlOf("url-of-db"))
	db.reconcile()
	// What it takes of db has not changed.
	app.reconcile()
	app.want(v1alpha1.ReasonInSync)
	app.wantRuns(1)
}

// An object that only waits is still told what is wrong with its output Secret.
func TestReconciler_dependencyBusyOutputs(t *testing.T) {
	e := newEnv(t)
	sg, db, _ := readyChain(e)
	sg.update(requested("1"))
	sg.reconcile()
	db.remove(&corev1.Secret{}, db.namespace, "db")
	db.reconcile()
	db.want(v1alpha1.ReasonInSync)
	if db.secret("db") == nil {
		t.Error("the output Secret is not put back")
	}
	db.remove(&corev1.Secret{}, e.system, state.SecretName(db.key()))
	db.reconcile()
	db.want(v1alpha1.ReasonStateMissing)
}

func TestReconciler_dependencyGone(t *testing.T) {
	e := newEnv(t)
	sg, db, _ := readyChain(e)
	sg.delete()
	db.reconcile()
	db.want(v1alpha1.ReasonInSync, `Infrastructure "sg": it is being deleted`)
	db.update(func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values("size", "2") })
	db.reconcile()
	db.want(v1alpha1.ReasonDependencyNotReady, "it is being deleted")
	db.wantRuns(1)
}

func TestReconciler_dependencyOutputs(t *testing.T) {
	t.Run("One that is null is null.", func(t *testing.T) {
		e := newEnv(t)
		sg, db := e.of("sg"), e.of("db")
		db.create(takes("size", "sg", "replica"))
		sg.create()
		sg.readyWith("x")
		db.reconcile()
		if got := string(db.request(db.last()).Variables); got != `{"name":"orders","size":null}` {
			t.Errorf("db is applied with %s", got)
		}
	})
	t.Run("One of a wrong type is told.", func(t *testing.T) {
		e := newEnv(t)
		sg, db := e.of("sg"), e.of("db")
		db.create(takes("size", "sg", "url"))
		sg.create()
		sg.readyWith("big")
		db.reconcile()
		db.want(v1alpha1.ReasonInvalidVariables, `spec.variablesFrom[0] (output "url" of Infrastructure "sg"): for variable size: want number, got the string "big"`)
	})
	t.Run("One of a module that nobody knows any more is told.", func(t *testing.T) {
		e := newEnv(t)
		sg, db := e.of("sg"), e.of("db")
		db.create(takes("size", "sg", "nothing"))
		sg.create(func(i *v1alpha1.Infrastructure) { i.Spec.ModuleVersion = "1.2.0" })
		sg.readyWith("x")
		e.r.catalogue = without{e.r.catalogue, "1.2.0"}
		db.reconcile()
		db.want(v1alpha1.ReasonOutputNotFound, `spec.variablesFrom[0].outputRef.output: Infrastructure sg has no output "nothing"; it has ["url"]`)
	})
	t.Run("A state that is gone is waited for.", func(t *testing.T) {
		e := newEnv(t)
		sg, db := e.of("sg"), e.of("db")
		db.create(takes("size", "sg", "port"))
		sg.create()
		sg.readyWith("x")
		e.remove(&corev1.Secret{}, e.system, state.SecretName(sg.key()))
		if result := db.reconcile(); result.RequeueAfter <= 0 {
			t.Error("nobody would look again")
		}
		db.want(v1alpha1.ReasonDependencyNotReady, state.SecretName(sg.key()), "restore it")
	})
}

// without is a catalogue that finds no module for a constraint.
type without struct {
	Catalogue
	constraint string
}

func (w without) Get(name, constraint string) (*modules.Module, error) {
	if constraint == w.constraint {
		return new(modules.Catalogue).Get(name, constraint)
	}
	return w.Catalogue.Get(name, constraint)
}

func TestReconciler_orderOfDeletion(t *testing.T) {
	for _, tc := range []struct {
		name  string
		order []string
	}{
		{"What others need goes first.", []string{"sg", "db", "app"}},
		{"What others need goes last.", []string{"app", "db", "sg"}},
		{"What is between goes first.", []string{"db", "sg", "app"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEnv(t)
			sg, db, app := readyChain(e)
			for _, name := range tc.order {
				e.of(name).delete()
			}
			// An object that the cache does not know counts as well.
			e.api.others = &v1alpha1.InfrastructureList{}
			for range 2 {
				sg.reconcile()
				sg.want(v1alpha1.ReasonDependants, "Still needed by Infrastructure db (being deleted")
				db.reconcile()
				db.want(v1alpha1.ReasonDependants, "Still needed by Infrastructure app (being deleted")
			}
			for _, one := range []*env{app, db, sg} {
				one.wantRuns(1)
				one.reconcile()
				one.want(v1alpha1.ReasonDestroying)
				one.succeed(nil)
				one.reconcile()
				if !one.gone() {
					t.Fatalf("%s is there", one.infra)
				}
			}
			app.wantNothingLeft()
			db.wantRuns(0)
			sg.wantRuns(0)
		})
	}
}

func TestReconciler_deleteNeeded(t *testing.T) {
	e := newEnv(t)
	sg, db, _ := readyChain(e)
	sg.delete()
	sg.reconcile()
	sg.want(v1alpha1.ReasonDependants, "Still needed by Infrastructure db: ")
	sg.wantRuns(1)
	// It is no longer needed.
	db.update(func(i *v1alpha1.Infrastructure) { i.Spec.VariablesFrom, i.Spec.Variables = nil, values("name", `"x"`) })
	sg.reconcile()
	sg.want(v1alpha1.ReasonDestroying)
	sg.wantRuns(2)
}

func TestReconciler_cycle(t *testing.T) {
	e := newEnv(t)
	a, b := e.of("a"), e.of("b")
	a.create(dependsOn("b"))
	a.reconcile()
	b.create()
	b.readyWith("x")
	a.readyWith("x")
	b.update(dependsOn("a"))
	for name, one := range map[string]*env{"a → b → a": a, "b → a → b": b} {
		one.reconcile()
		one.want(v1alpha1.ReasonDependencyCycle, "spec.dependsOn[0].name: "+name+" is a cycle")
	}
	// Neither waits for the other to go.
	a.delete()
	b.delete()
	for _, one := range []*env{a, b} {
		one.reconcile()
		one.want(v1alpha1.ReasonDestroying)
		one.succeed(nil)
		one.reconcile()
		if !one.gone() {
			t.Errorf("%s is there", one.infra)
		}
	}
}

func TestWebhook_dependencies(t *testing.T) {
	e := newEnv(t)
	e.of("sg").create(dependsOn("db"))
	db := newInfra(dependsOn("sg"), func(i *v1alpha1.Infrastructure) {
		i.Namespace, i.Name, i.Spec.Variables = e.namespace, "db", values("name", `"x"`)
	})
	_, err := e.webhook().ValidateCreate(t.Context(), db)
	if want := "spec.dependsOn[0].name: Invalid value: db → sg → db is a cycle"; !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), want) {
		t.Errorf("a cycle: got %v, want a refusal with %q", err, want)
	}
	before := db.DeepCopy()
	before.Spec.DependsOn = nil
	if _, err := e.webhook().ValidateUpdate(t.Context(), before, db); !apierrors.IsInvalid(err) {
		t.Errorf("a change that makes a cycle: got %v, want a refusal", err)
	}
	if _, err := e.webhook().ValidateUpdate(t.Context(), db, before); err != nil {
		t.Errorf("a change that ends it is refused: %v", err)
	}
	unknown := before.DeepCopy()
	unknown.Name = "web"
	takes("name", "sg", "arn")(unknown)
	_, err = e.webhook().ValidateCreate(t.Context(), unknown)
	if want := `spec.variablesFrom[0].outputRef.output: Invalid value: Infrastructure sg: module queue has no output "arn"; did you mean "url"? its outputs are port, replica, url`; !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), want) {
		t.Errorf("an output that there is not: got %v, want a refusal with %q", err, want)
	}
	// The cache still has the object that made the cycle.
	e.api.others = list(t.Context(), t, &v1alpha1.InfrastructureList{}, e.namespace)
	e.remove(&v1alpha1.Infrastructure{}, e.namespace, "sg")
	if _, err := e.webhook().ValidateCreate(t.Context(), db); err != nil {
		t.Errorf("refused by a cache that is behind: %v", err)
	}
}

// On a real cache, each event brings those back that it moves, and no others.
func TestReconciler_orderWatched(t *testing.T) {
	e := newEnv(t)
	e.startManager()
	sg, db, app := chain(e)
	run := func(one *env, n int, outputs map[string]cty.Value) {
		t.Helper()
		one.eventually(fmt.Sprintf("run %d of %s", n, one.infra), func() bool { return len(one.runs()) == n })
		one.succeed(outputs)
	}
	app.eventually("app waits for db, and db for sg", func() bool {
		ready := meta.FindStatusCondition(app.object().Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && strings.Contains(ready.Message, `"sg": it is not Ready yet`)
	})
	run(sg, 1, urlOf("a"))
	run(db, 1, urlOf("b"))
	run(app, 1, urlOf("c"))
	app.eventually("all are Ready", app.isReady)

	sg.update(requested("1"))
	run(sg, 2, urlOf("other"))
	run(db, 2, urlOf("b"))
	db.eventually("db is Ready again", db.isReady)
	app.wantRuns(1)

	// As when the namespace is deleted.
	e.must(apiServer.DeleteAllOf(t.Context(), &v1alpha1.Infrastructure{}, client.InNamespace(e.namespace)))
	run(app, 2, nil)
	run(db, 3, nil)
	run(sg, 3, nil)
	sg.within(30*time.Second, "the end", func() bool { return sg.gone() && db.gone() && app.gone() })
	sg.wantNothingLeft()
}

// Cycles that came about while no webhook was asked are ended by a change of one of the objects.
func TestReconciler_cycleWatched(t *testing.T) {
	e := newEnv(t)
	e.startManager()
	a, b := e.of("a"), e.of("b")
	a.create(dependsOn("b"))
	b.create(dependsOn("a"))
	stalled := func(one *env) func() bool {
		return func() bool {
			c := meta.FindStatusCondition(one.object().Status.Conditions, v1alpha1.ConditionStalled)
			return c != nil && c.Status == metav1.ConditionTrue && c.Reason == v1alpha1.ReasonDependencyCycle
		}
	}
	a.eventually("a is Stalled", stalled(a))
	b.eventually("b is Stalled", stalled(b))
	b.update(func(i *v1alpha1.Infrastructure) { i.Spec.DependsOn = nil })
	b.eventually("a run of b", func() bool { return len(b.runs()) == 1 })
	b.succeed(queueOutputs())
	a.eventually("a run of a", func() bool { return len(a.runs()) == 1 })
}
