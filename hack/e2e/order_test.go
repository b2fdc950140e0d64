//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// takes makes a variable of the object another's output.
func takes(variable, name, output string) change {
	return func(infra *v1alpha1.Infrastructure) {
		infra.Spec.VariablesFrom = append(infra.Spec.VariablesFrom, v1alpha1.VariablesSource{
			Variable: variable, OutputRef: &v1alpha1.OutputReference{Name: name, Output: output},
		})
	}
}

func dependsOn(name string) change {
	return func(infra *v1alpha1.Infrastructure) {
		infra.Spec.DependsOn = append(infra.Spec.DependsOn, v1alpha1.NameReference{Name: name})
	}
}

// TestOrder_chain: app needs db, and db needs sg. They are created in the wrong order, an
// output changes, and their namespace is deleted.
func TestOrder_chain(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	// A single text for a list, and a sensitive output.
	app := create(t, ns, "app", "outputs", nil, takes("list_value", "db", "message"), takes("secret", "db", "sensitive_string"))
	db := create(t, ns, "db", "outputs", map[string]any{"secret": "a canary"}, takes("message", "sg", "message"))
	waitCondition(t, db, time.Minute, v1alpha1.ConditionReconciling, v1alpha1.ReasonDependencyNotReady)
	sg := create(t, ns, "sg", "outputs", map[string]any{"message": "first"})
	for _, infra := range []*v1alpha1.Infrastructure{sg, db, app} {
		waitReady(t, infra, 3*time.Minute)
	}
	if got := outputs(t, app); !strings.Contains(got["echo"], `"list_value":["first"]`) || got["sensitive_string"] != "a canary" {
		t.Errorf("app has the outputs %q", got)
	}
	for _, pair := range [][2]*v1alpha1.Infrastructure{{sg, db}, {db, app}} {
		first, then := runs(t, pair[0])[0], runs(t, pair[1])[0]
		if then.CreationTimestamp.Before(first.Status.FinishedAt) {
			t.Errorf("the run of %s was made at %s, that of %s ended at %s", pair[1].Name, then.CreationTimestamp, pair[0].Name, first.Status.FinishedAt)
		}
	}

	update(t, sg, func(infra *v1alpha1.Infrastructure) {
		infra.Spec.Variables = values(t, map[string]any{"message": "second"})
	})
	eventually(t, 3*time.Minute, "the changed output has come to app", func(context.Context) (bool, string) {
		get(t, app)
		echo := outputs(t, app)["echo"]
		return strings.Contains(echo, `"list_value":["second"]`), echo
	})
	waitReady(t, app, time.Minute)

	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
	if err := stage.Client.Delete(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	for _, infra := range []*v1alpha1.Infrastructure{app, db, sg} {
		waitGone(t, infra, 3*time.Minute)
	}
	eventually(t, time.Minute, "the namespace is gone", func(ctx context.Context) (bool, string) {
		err := stage.Client.Get(ctx, client.ObjectKeyFromObject(namespace), namespace)
		return apierrors.IsNotFound(err), fmt.Sprintf("%v %+v", err, namespace.Status.Conditions)
	})
}

// TestOrder_deletionWaits: what another one needs is not destroyed, and says for whom.
func TestOrder_deletionWaits(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	sg := create(t, ns, "sg", "outputs", nil)
	db := create(t, ns, "db", "outputs", nil, dependsOn("sg"))
	waitReady(t, db, 3*time.Minute)
	if err := stage.Client.Delete(t.Context(), sg); err != nil {
		t.Fatal(err)
	}
	waitCondition(t, sg, 30*time.Second, v1alpha1.ConditionReconciling, v1alpha1.ReasonDependants)
	if message := meta.FindStatusCondition(sg.Status.Conditions, v1alpha1.ConditionReady).Message; !strings.Contains(message, "Still needed by Infrastructure db") {
		t.Errorf("sg says %q", message)
	}
	if all := runs(t, sg); len(all) != 1 {
		t.Errorf("want no destroy of sg, got %d runs", len(all))
	}
	waitReady(t, db, 30*time.Second)
	remove(t, db, 2*time.Minute)
	waitGone(t, sg, 2*time.Minute)
}

// TestOrder_cycle: an object that would close a cycle is refused, and the cycle named.
func TestOrder_cycle(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	create(t, ns, "sg", "outputs", nil, dependsOn("db"))
	db := newInfra(t, ns, "db", "outputs", nil, dependsOn("sg"))
	eventually(t, 10*time.Second, "the webhook, which has to hear of sg first, refuses db", func(ctx context.Context) (bool, string) {
		err := stage.Client.Create(ctx, db.DeepCopy(), client.DryRunAll)
		return apierrors.IsInvalid(err) && strings.Contains(err.Error(), "db → sg → db is a cycle"), fmt.Sprint(err)
	})
}
