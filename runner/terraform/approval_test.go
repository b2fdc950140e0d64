package terraform

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// database has an engine, whose change replaces it, and a size, whose change does not.
const database = `
variable "engine" { type = string }
variable "size" {
  type    = number
  default = 1
}
variable "password" {
  type      = string
  default   = ""
  sensitive = true
}
resource "terraform_data" "db" {
  input            = { size = var.size, password = var.password }
  triggers_replace = var.engine
}
`

// asking makes the request one whose Run asks about lost databases.
func (f *fixture) asking(variables string, modify ...func(*runner.Request)) *runner.Request {
	stateful := func(r *runner.Request) { r.StatefulTypes = []string{"terraform_data"} }
	digest := func(r *runner.Request) { r.InputsDigest = "sha256:" + variables }
	return f.request(map[string]string{"main.tf": database},
		append([]func(*runner.Request){withVariables(variables), stateful, digest}, modify...)...)
}

func mode(m v1alpha1.ApprovalMode) func(*v1alpha1.Run) {
	return func(r *v1alpha1.Run) { r.Spec.Approval = m }
}

func approved(id, by string) func(*v1alpha1.Run) {
	return func(r *v1alpha1.Run) {
		r.Spec.Approved = &v1alpha1.ApprovedPlan{ID: id, Run: by}
	}
}

func asLook(r *v1alpha1.Run) { r.Spec.Trigger = v1alpha1.TriggerDrift }

// plans are the Secrets of a Run's saved plan.
func (f *fixture) plans(run string) []corev1.Secret {
	f.Helper()
	var list corev1.SecretList
	if err := f.client.List(f.Context(), &list, client.InNamespace(f.namespace), client.MatchingLabels{v1alpha1.LabelPlan: run}); err != nil {
		f.Fatal(err)
	}
	return list.Items
}

// kept checks that a Run has kept a plan and changed nothing, and returns its id.
func (f *fixture) kept(o outcome) string {
	f.Helper()
	f.wantReason(o, v1alpha1.RunReasonPlanned)
	if o.run.Status.Phase != v1alpha1.RunPlanned || o.run.Status.ApplyStartedAt != nil || o.code != runner.ExitSucceeded {
		f.Fatalf("the run is %+v with the exit code %d", o.run.Status, o.code)
	}
	if len(f.plans(o.run.Name)) == 0 {
		f.Fatal("no plan is saved")
	}
	return o.run.Status.Plan.ID
}

func TestRunner_approval(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	onDestructive := mode(v1alpha1.ApprovalOnDestructive)
	f.wantReason(f.execute(t.Context(), f.run("create", f.asking(`{"engine": "a"}`), onDestructive)), v1alpha1.RunReasonSucceeded)
	f.wantReason(f.execute(t.Context(), f.run("update", f.asking(`{"engine": "a", "size": 2}`), onDestructive)), v1alpha1.RunReasonSucceeded)
	before := f.addresses()

	toB := f.asking(`{"engine": "b", "size": 2}`)
	waits := f.execute(t.Context(), f.run("waits", toB, onDestructive))
	id := f.kept(waits)
	want := &v1alpha1.PlanSummary{ID: id, Replace: 1, Changes: []v1alpha1.ResourceChange{{
		Address: "terraform_data.db", Action: v1alpha1.ChangeReplace, Attributes: []string{"triggers_replace"}, Destructive: true,
	}}}
	if diff := cmp.Diff(want, waits.run.Status.Plan); diff != "" {
		t.Errorf("plan, -want +got:\n%s", diff)
	}
	if message := fmt.Sprintf("Plan %s waits for approval: replace terraform_data.db (triggers_replace)", id); waits.run.Status.Message != message {
		t.Errorf("message is %q, want %q", waits.run.Status.Message, message)
	}
	if diff := cmp.Diff(before, f.addresses()); diff != "" {
		t.Errorf("state, -before +after:\n%s", diff)
	}

	other := f.execute(t.Context(), f.run("other", f.asking(`{"engine": "c", "size": 2}`), onDestructive, approved(id, "waits")))
	if got := f.kept(other); got == id || !strings.Contains(other.log, "made from other inputs") {
		t.Errorf("an approval of plan %s was taken for one of %s; log:\n%s", id, got, other.log)
	}

	done := f.execute(t.Context(), f.run("done", toB, onDestructive, approved(id, "waits")))
	f.wantReason(done, v1alpha1.RunReasonSucceeded)
	if !strings.Contains(done.log, "Taking up plan "+id) || done.run.Status.Plan.Replace != 1 || done.run.Status.ApplyStartedAt == nil {
		t.Errorf("the saved plan was not applied: %+v\n%s", done.run.Status, done.log)
	}

	// The same again, on top of another run: the first approval is used up.
	back := f.execute(t.Context(), f.run("back", f.asking(`{"engine": "a", "size": 2}`), mode(v1alpha1.ApprovalAuto)))
	f.wantReason(back, v1alpha1.RunReasonSucceeded)
	again := f.asking(`{"engine": "b", "size": 2}`, func(r *runner.Request) { r.Base = "back" })
	if got := f.kept(f.execute(t.Context(), f.run("again", again, onDestructive, approved(id, "waits")))); got == id {
		t.Error("an approval that was used approves the same change again")
	}
}

// When the state has moved, the plan is made anew, and applied when it does the same.
func TestRunner_approvalOfMovedState(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	onDestructive := mode(v1alpha1.ApprovalOnDestructive)
	f.wantReason(f.execute(t.Context(), f.run("create", f.asking(`{"engine": "a"}`), onDestructive)), v1alpha1.RunReasonSucceeded)
	req := f.asking(`{"engine": "b"}`)
	id := f.kept(f.execute(t.Context(), f.run("waits", req, onDestructive)))

	state := f.secret("tfstate-default-test")
	touch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"touched":"yes"}}}`))
	if err := f.client.Patch(t.Context(), state, touch); err != nil {
		t.Fatal(err)
	}
	same := f.execute(t.Context(), f.run("same", req, onDestructive, approved(id, "waits")))
	f.wantReason(same, v1alpha1.RunReasonSucceeded)
	if !strings.Contains(same.log, "Planning anew") || same.run.Status.Plan.ID != id {
		t.Errorf("the plan was not made anew with the same id: %+v\n%s", same.run.Status.Plan, same.log)
	}

	// The database is gone from the state: now there is one to make, none to replace.
	req = f.asking(`{"engine": "c"}`, func(r *runner.Request) { r.Base = "same" })
	id = f.kept(f.execute(t.Context(), f.run("waits-2", req, mode(v1alpha1.ApprovalManual))))
	f.wantReason(f.execute(t.Context(), f.run("gone", f.asking(`{"engine": "b"}`, destroy))), v1alpha1.RunReasonSucceeded)
	if got := f.kept(f.execute(t.Context(), f.run("differs", req, mode(v1alpha1.ApprovalManual), approved(id, "waits-2")))); got == id {
		t.Error("a plan to make the database has the id of one to replace it")
	}
	for _, secret := range f.plans("waits-2") {
		if err := f.client.Delete(t.Context(), &secret); err != nil {
			t.Fatal(err)
		}
	}
	lost := f.execute(t.Context(), f.run("lost", req, mode(v1alpha1.ApprovalManual), approved(id, "waits-2")))
	f.kept(lost)
	if !strings.Contains(lost.log, "waits-2-plan is gone") {
		t.Errorf("log:\n%s", lost.log)
	}
}

// noise is more than compresses into the one Secret that a plan would like to have. It is
// in few strings, as Terraform compares the elements of a list each with each.
const noise = `
variable "password" {
  type      = string
  sensitive = true
}
resource "terraform_data" "noise" {
  input = {
    noise    = [for i in range(30) : join("", [for j in range(1000) : sha512("${i} ${j}")])]
    password = var.password
  }
}
`

// A plan beyond what a Secret holds is kept in parts, and no value of it is shown.
func TestRunner_approvalOfLargePlan(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	const canary = "canary-in-a-coal-mine"
	req := f.request(map[string]string{"main.tf": noise}, withVariables(`{"password": "`+canary+`"}`),
		func(r *runner.Request) { r.Sensitive = []string{"password"} })
	waits := f.execute(t.Context(), f.run("waits", req, mode(v1alpha1.ApprovalManual)))
	id := f.kept(waits)
	if parts := f.plans("waits"); len(parts) < 2 {
		t.Errorf("the plan is in %d Secrets, want more than one", len(parts))
	}
	status, err := json.Marshal(waits.run.Status)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(status), canary) || strings.Contains(waits.log, canary) {
		t.Error("the password is in the status or in the log")
	}
	done := f.execute(t.Context(), f.run("done", req, mode(v1alpha1.ApprovalManual), approved(id, "waits")))
	f.wantReason(done, v1alpha1.RunReasonSucceeded)
	if !strings.Contains(done.log, "Taking up plan "+id) {
		t.Errorf("log:\n%s", done.log)
	}
}

// A look for drift changes nothing, and does not report what drifts without harm.
func TestRunner_drift(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	look := func(r *runner.Request) { r.Operation = v1alpha1.OperationPlan }
	harmless := func(r *runner.Request) { r.HarmlessDrift = []string{"terraform_data.input"} }
	f.wantReason(f.execute(t.Context(), f.run("create", f.asking(`{"engine": "a"}`))), v1alpha1.RunReasonSucceeded)

	same := f.execute(t.Context(), f.run("same", f.asking(`{"engine": "a"}`, look), asLook))
	f.wantReason(same, v1alpha1.RunReasonSucceeded)
	drifted := f.execute(t.Context(), f.run("drifted", f.asking(`{"engine": "a", "size": 2}`, look), asLook))
	id := f.kept(drifted)
	if message := fmt.Sprintf("Plan %s would put back what has drifted: update terraform_data.db (input, output)", id); drifted.run.Status.Message != message {
		t.Errorf("message is %q, want %q", drifted.run.Status.Message, message)
	}
	withOutput := func(r *runner.Request) {
		harmless(r)
		r.HarmlessDrift = append(r.HarmlessDrift, "terraform_data.output")
	}
	for name, req := range map[string]*runner.Request{
		"report": f.asking(`{"engine": "a", "size": 2}`, look, withOutput), "correct": f.asking(`{"engine": "a", "size": 2}`, withOutput),
	} {
		o := f.execute(t.Context(), f.run("harmless-"+name, req, asLook))
		f.wantReason(o, v1alpha1.RunReasonSucceeded)
		if o.run.Status.ApplyStartedAt != nil || o.run.Status.Message != "Nothing to change" {
			t.Errorf("%s: harmless drift is put back: %+v", name, o.run.Status)
		}
	}
	corrected := f.execute(t.Context(), f.run("corrected", f.asking(`{"engine": "a", "size": 2}`, harmless), asLook))
	f.wantReason(corrected, v1alpha1.RunReasonSucceeded)
	if corrected.run.Status.ApplyStartedAt == nil || !slices.Contains(corrected.run.Status.Plan.Changes[0].Attributes, "input") {
		t.Errorf("drift is not put back: %+v", corrected.run.Status)
	}
}
