//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// annotate sets an annotation as a user; empty is who the tests are.
func annotate(t *testing.T, infra *v1alpha1.Infrastructure, user, name, value string) {
	t.Helper()
	config := rest.CopyConfig(stage.Config)
	if user != "" {
		config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters", "system:authenticated"}}
	}
	c, err := client.New(config, client.Options{Scheme: stage.Client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, name, value))
	if err := c.Patch(t.Context(), infra, patch); err != nil {
		t.Fatal(err)
	}
}

// waitsForApproval waits until the object waits with a plan, and returns its id.
func waitsForApproval(t *testing.T, infra *v1alpha1.Infrastructure, not string) string {
	t.Helper()
	eventually(t, awsTimeout, infra.Name+" has another plan than "+not, func(context.Context) (bool, string) {
		get(t, infra)
		return infra.Status.Plan != nil && infra.Status.Plan.ID != not, fmt.Sprintf("%+v %+v", infra.Status.Plan, infra.Status.Conditions)
	})
	waitCondition(t, infra, awsTimeout, v1alpha1.ConditionReconciling, v1alpha1.ReasonApprovalRequired)
	return infra.Status.Plan.ID
}

// A variable that replaces the database waits, says which attribute does, and is
// applied as it was approved and not otherwise.
func TestApproval_replacement(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	set := func(database string) change {
		return func(infra *v1alpha1.Infrastructure) {
			infra.Spec.Variables = values(t, map[string]any{"name": "db-" + ns, "database": database, "final_snapshot": false, "deletion_protection": false})
		}
	}
	infra := create(t, ns, "db", "aws-rds-postgres", nil, set("first"))
	waitReady(t, infra, databaseTimeout)
	update(t, infra, set("second"))
	second := waitsForApproval(t, infra, "")
	want := v1alpha1.ResourceChange{Address: "aws_db_instance.this", Action: v1alpha1.ChangeReplace, Attributes: []string{"db_name"}, Destructive: true}
	if got := infra.Status.Plan.Changes; len(got) == 0 || fmt.Sprintf("%+v", got[0]) != fmt.Sprintf("%+v", want) {
		t.Errorf("changes: got %+v, want first %+v", got, want)
	}

	// What was approved is not what is wanted by now.
	update(t, infra, set("third"))
	annotate(t, infra, "ann", v1alpha1.AnnotationApprove, second)
	third := waitsForApproval(t, infra, second)
	if message := infra.Status.Conditions[0].Message; !strings.Contains(message, "the annotation approves "+second+", which is another plan") {
		t.Errorf("the message is %q", message)
	}
	if output := outputs(t, infra)["database"]; !strings.HasPrefix(output, "first") {
		t.Errorf("the database is %q", output)
	}

	annotate(t, infra, "bob", v1alpha1.AnnotationApprove, third)
	waitReady(t, infra, databaseTimeout)
	if output := outputs(t, infra)["database"]; !strings.HasPrefix(output, "third") {
		t.Errorf("the database is %q", output)
	}
	all := runs(t, infra)
	i := slices.IndexFunc(all, func(run v1alpha1.Run) bool { return run.Spec.Approved != nil && run.Spec.Approved.ID == third })
	if i < 0 || all[i].Spec.Approved.By != "bob" || all[i].Status.Plan.ID != third || all[i].Status.Plan.Replace == 0 {
		t.Errorf("the runs are %+v", all)
	}
	var plans corev1.SecretList
	if err := stage.Client.List(t.Context(), &plans, client.InNamespace(devenv.Namespace), client.HasLabels{v1alpha1.LabelPlan}, client.MatchingLabels{v1alpha1.LabelKey: all[0].Labels[v1alpha1.LabelKey]}); err != nil {
		t.Fatal(err)
	}
	if len(plans.Items) > 0 {
		t.Errorf("%d Secrets of plans are left", len(plans.Items))
	}
	remove(t, infra, databaseTimeout)
}

// Nobody approves in another's name.
func TestApproval_forged(t *testing.T) {
	t.Parallel()
	infra := create(t, newNamespace(t), "forged", "outputs", nil, func(i *v1alpha1.Infrastructure) { i.Spec.Suspend = true })
	annotate(t, infra, "ann", v1alpha1.AnnotationApprove, "0123456789ab")
	get(t, infra)
	if got := infra.Annotations[v1alpha1.AnnotationApprovedBy]; got != "0123456789ab ann" {
		t.Errorf("approved by %q", got)
	}
	forged := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"0123456789ab bob"}}}`, v1alpha1.AnnotationApprovedBy))
	if err := stage.Client.Patch(t.Context(), infra, forged); err == nil || !strings.Contains(err.Error(), "leave it out") {
		t.Errorf("another approver was taken: %v", err)
	}
}

// Every plan waits with Manual, the first too, and nothing is there before.
func TestApproval_manual(t *testing.T) {
	t.Parallel()
	infra := create(t, newNamespace(t), "manual", "outputs", nil, func(i *v1alpha1.Infrastructure) { i.Spec.Approval = v1alpha1.ApprovalManual })
	id := waitsForApproval(t, infra, "")
	if infra.Status.Module != nil || infra.Status.Plan.Create == 0 {
		t.Errorf("status is %+v", infra.Status)
	}
	annotate(t, infra, "", v1alpha1.AnnotationApprove, id)
	waitReady(t, infra, time.Minute)
	remove(t, infra, time.Minute)
}
