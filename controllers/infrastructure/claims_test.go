package infrastructure

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func TestCheckClaim(t *testing.T) {
	now := metav1.NewTime(time.Now().Truncate(time.Second))
	// object is one named name, made so many seconds after the first, which is to
	// have, and has, those Secrets.
	object := func(name string, age time.Duration, wants, has string) v1alpha1.Infrastructure {
		i := v1alpha1.Infrastructure{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(now.Add(age * time.Second))}}
		i.Spec.Outputs.SecretName = wants
		if has != "" {
			i.Status.Outputs = &v1alpha1.OutputsStatus{SecretName: has}
		}
		return i
	}
	yet := object("b", 0, "db", "")
	yet.CreationTimestamp = metav1.Time{}
	for _, tc := range []struct {
		name         string
		infra, other v1alpha1.Infrastructure
		refused      bool
	}{
		{"Nobody else claims it.", object("b", 1, "db", ""), object("a", 0, "web", ""), false},
		{"The object itself does.", object("b", 1, "db", ""), object("b", 0, "db", "db"), false},
		{"The older object claims it.", object("b", 1, "db", ""), object("a", 0, "db", ""), true},
		{"The older one does by its own name.", object("b", 1, "a", ""), object("a", 0, "", ""), true},
		{"A younger one does.", object("b", 0, "db", ""), object("a", 1, "db", ""), false},
		{"One as old does, and its name is before.", object("b", 0, "db", ""), object("a", 0, "db", ""), true},
		{"One as old does, and its name is after.", object("a", 0, "db", ""), object("b", 0, "db", ""), false},
		{"Whoever has it keeps it.", object("b", 1, "db", "db"), object("a", 0, "db", ""), false},
		{"A younger one has it.", object("b", 0, "db", ""), object("a", 1, "db", "db"), true},
		{"A younger one has it still, under a new name.", object("b", 0, "db", ""), object("a", 1, "web", "db"), true},
		{"The object is yet to be made.", yet, object("a", 1, "db", ""), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fault := checkClaim(&tc.infra, []v1alpha1.Infrastructure{tc.infra, tc.other})
			if (fault != nil) != tc.refused {
				t.Errorf("got %v, refused wanted: %t", fault, tc.refused)
			}
		})
	}
}

// Of two objects that got past the webhook, one waits until the other gives the Secret up.
func TestReconcile_outputSecretClaimed(t *testing.T) {
	e := newEnv(t)
	e.must(apiServer.Create(t.Context(), newInfra(func(i *v1alpha1.Infrastructure) {
		i.ObjectMeta = metav1.ObjectMeta{Namespace: e.namespace, Name: "a-first"}
		i.Spec.Variables, i.Spec.Outputs.SecretName = values("name", `"x"`), "orders"
	})))
	e.create()
	e.reconcile()
	e.want(v1alpha1.ReasonOutputSecretConflict, `spec.outputs.secretName: Secret "orders" is that of Infrastructure a-first; set another name`)
	first := &v1alpha1.Infrastructure{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "a-first"}}
	if requests := e.r.rivals(t.Context(), first); len(requests) != 1 || requests[0].Name != "orders" {
		t.Errorf("when a-first goes, %v are reconciled, want orders", requests)
	}
	e.must(apiServer.Delete(t.Context(), first))
	e.reconcile()
	e.want(v1alpha1.ReasonProgressing)
}
