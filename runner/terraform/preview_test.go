package terraform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// asPreview makes the Run one that only shows what would be changed.
func asPreview(r *v1alpha1.Run) { r.Spec.Trigger = v1alpha1.TriggerPreview }

// toPlan makes the request that of a plan.
func toPlan(r *runner.Request) { r.Operation = v1alpha1.OperationPlan }

// preview carries out the Run of a Preview and returns what it has left, and the diff.
func (f *fixture) preview(name string, req *runner.Request, modify ...func(*Config)) (outcome, string) {
	f.Helper()
	cfg := f.run(name, req, asPreview)
	for _, m := range modify {
		m(&cfg)
	}
	o := f.execute(f.Context(), cfg)
	secret := f.secret(runner.DiffSecret(name))
	if secret == nil {
		return o, ""
	}
	if len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].UID != o.run.UID {
		f.Errorf("the diff is owned by %+v, want its Run", secret.OwnerReferences)
	}
	return o, string(secret.Data[v1alpha1.DiffKey])
}

// versions are the versions of all Secrets and Leases of the namespace, by name, without
// those that go with a Run: its log, and the diff of a preview.
func (f *fixture) versions() map[string]string {
	f.Helper()
	found := map[string]string{}
	var secrets corev1.SecretList
	var leases coordinationv1.LeaseList
	for _, list := range []client.ObjectList{&secrets, &leases} {
		if err := f.client.List(f.Context(), list, client.InNamespace(f.namespace)); err != nil {
			f.Fatal(err)
		}
	}
	for i := range secrets.Items {
		if s := &secrets.Items[i]; len(s.OwnerReferences) == 0 {
			found["Secret "+s.Name] = s.ResourceVersion
		}
	}
	for i := range leases.Items {
		found["Lease "+leases.Items[i].Name] = leases.Items[i].ResourceVersion
	}
	return found
}

// wantDiff checks that a diff has the parts.
func (f *fixture) wantDiff(diff string, parts ...string) {
	f.Helper()
	for _, part := range parts {
		if !strings.Contains(diff, part) {
			f.Errorf("the diff does not say %q:\n%s", part, diff)
		}
	}
}

// A preview of what is not there yet makes nothing: no state, no lock, no snapshot.
func TestRunner_previewOfNew(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	o, diff := f.preview("new", f.asking(`{"engine": "a"}`, toPlan))
	f.wantReason(o, v1alpha1.RunReasonPlanned)
	want := &v1alpha1.PlanSummary{Create: 1, Changes: []v1alpha1.ResourceChange{{Address: "terraform_data.db", Action: v1alpha1.ChangeCreate}}}
	if diff := cmp.Diff(want, o.run.Status.Plan); diff != "" {
		t.Errorf("plan, -want +got:\n%s", diff)
	}
	if want := "Plan: 1 to create"; o.run.Status.Message != want || o.run.Status.ApplyStartedAt != nil {
		t.Errorf("the status is %+v, want the message %q and no apply", o.run.Status, want)
	}
	f.wantDiff(diff, "# terraform_data.db will be created", `+ triggers_replace = "a"`, "Plan: 1 to add")
	if left := f.versions(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A preview of what is applied shows old and new values, hides secrets, and leaves state,
// lock and snapshot as they are, while someone holds the lock too.
func TestRunner_previewOfChange(t *testing.T) {
	const canary, earlier = "canary-in-a-coal-mine", "canary-of-yesterday"
	f := newFixture(t, server.Config, server.Kubeconfig)
	secret := func(r *runner.Request) { r.Sensitive = []string{"password"} }
	f.wantReason(f.execute(t.Context(), f.run("create", f.asking(`{"engine": "a", "password": "`+earlier+`"}`, secret))), v1alpha1.RunReasonSucceeded)
	lease := &coordinationv1.Lease{}
	key := types.NamespacedName{Namespace: f.namespace, Name: "lock-tfstate-default-test"}
	if err := f.client.Get(t.Context(), key, lease); err != nil {
		t.Fatal(err)
	}
	holder := "someone-else"
	lease.Spec.HolderIdentity = &holder
	lease.Annotations = map[string]string{lockInfoAnnotation: `{"ID":"someone-else","Who":"ben@laptop"}`}
	if err := f.client.Update(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	before := f.versions()

	o, diff := f.preview("change", f.asking(`{"engine": "b", "size": 2, "password": "`+canary+`"}`, toPlan, secret))
	f.wantReason(o, v1alpha1.RunReasonPlanned)
	want := &v1alpha1.PlanSummary{Replace: 1, Changes: []v1alpha1.ResourceChange{{
		Address: "terraform_data.db", Action: v1alpha1.ChangeReplace, Attributes: []string{"triggers_replace"}, Destructive: true,
	}}}
	if diff := cmp.Diff(want, o.run.Status.Plan); diff != "" {
		t.Errorf("plan, -want +got:\n%s", diff)
	}
	f.wantDiff(diff, "terraform_data.db must be replaced", `"a" -> "b"`, "size     = 1 -> 2", "(sensitive value)")
	status, err := json.Marshal(o.run.Status)
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"diff": diff, "status": string(status), "log": o.log} {
		// terraform_data shows what it was made with as its output.
		if strings.Contains(text, canary) || strings.Contains(text, earlier) {
			t.Errorf("a password is in the %s:\n%s", where, text)
		}
	}

	none, diff := f.preview("same", f.asking(`{"engine": "a", "password": "`+earlier+`"}`, toPlan, secret))
	f.wantReason(none, v1alpha1.RunReasonSucceeded)
	if none.run.Status.Message != "No changes" || none.run.Status.Plan.Total() != 0 {
		t.Errorf("the status is %+v, want no changes", none.run.Status)
	}
	f.wantDiff(diff, "No changes.")
	if diff := cmp.Diff(before, f.versions()); diff != "" {
		t.Errorf("Secrets and Leases, -before +after:\n%s", diff)
	}
}

// A sensitive value that a module shows all the same is masked in the diff.
func TestRunner_previewMasks(t *testing.T) {
	const canary = "canary-in-a-coal-mine"
	f := newFixture(t, server.Config, server.Kubeconfig)
	req := f.request(map[string]string{"main.tf": `
		variable "password" { type = string }
		resource "terraform_data" "open" { input = "user:${var.password}@host" }
	`}, withVariables(`{"password": "`+canary+`"}`), toPlan, func(r *runner.Request) { r.Sensitive = []string{"password"} })
	o, diff := f.preview("open", req)
	f.wantReason(o, v1alpha1.RunReasonPlanned)
	f.wantDiff(diff, "user:"+masked+"@host")
	if strings.Contains(diff, canary) {
		t.Errorf("the password is in the diff:\n%s", diff)
	}
}

// A module with child modules needs an init, which must not make a state either.
func TestRunner_previewWithInit(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	req := f.request(map[string]string{
		"main.tf": `module "child" { source = "./child" }`, "child/main.tf": `resource "terraform_data" "this" {}`,
	}, toPlan)
	o, diff := f.preview("child", req)
	f.wantReason(o, v1alpha1.RunReasonPlanned)
	f.wantDiff(diff, "module.child.terraform_data.this will be created")
	if left := f.versions(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What a policy denies is shown, and so is what it has against it.
func TestRunner_previewDenied(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	o, diff := f.preview("denied", f.asking(`{"engine": "a"}`, toPlan), func(cfg *Config) {
		cfg.PolicyDirs = policyDirs(t, nil, map[string]string{"team.rego": `package main

deny contains {"msg": "engine a is old", "address": "terraform_data.db"} if input.variables.engine.value == "a"
warn contains {"msg": "small", "address": "terraform_data.db"} if true
`})
	})
	f.wantReason(o, v1alpha1.RunReasonPolicyDenied)
	f.wantDiff(diff, "terraform_data.db will be created")
	if !strings.Contains(o.run.Status.Message, "engine a is old") || o.run.Status.Plan == nil || len(o.run.Status.Warnings) != 1 {
		t.Errorf("the status is %+v, want the denial, the warning and the plan", o.run.Status)
	}
}

// Only a state that is proven to be absent is taken for an empty one.
func TestRunner_previewState(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(f *fixture)
		want  string
	}{
		{"A state that is gone.", func(f *fixture) { f.delete("tfstate-default-test") }, "gone or empty although resources were applied"},
		{"A state that was emptied.", func(f *fixture) { f.patchState(`{"data":{"tfstate":null}}`) }, "gone or empty although resources were applied"},
		{"A state that is not gzipped.", func(f *fixture) { f.patchState(`{"data":{"tfstate":"AAAA"}}`) }, "not gzipped"},
		{"A state that has lost its labels.", func(f *fixture) {
			f.patchState(`{"metadata":{"labels":{"tfstateSecretSuffix":null}}}`)
		}, "has lost the labels"},
		{"A state of which a part is missing.", func(f *fixture) {
			f.patchState(`{"data":{"tfstate":"H4sIAAAAAAAA/w=="}}`)
		}, "is not complete"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, server.Config, server.Kubeconfig)
			f.wantReason(f.execute(t.Context(), f.run("create", f.asking(`{"engine": "a"}`))), v1alpha1.RunReasonSucceeded)
			tc.spoil(f)
			before := f.versions()
			o, _ := f.preview("change", f.asking(`{"engine": "b"}`, toPlan))
			f.wantReason(o, v1alpha1.RunReasonInitFailed)
			if !strings.Contains(o.run.Status.Message, tc.want) {
				t.Errorf("message is %q, want %q in it", o.run.Status.Message, tc.want)
			}
			if diff := cmp.Diff(before, f.versions()); diff != "" {
				t.Errorf("Secrets and Leases, -before +after:\n%s", diff)
			}
		})
	}
}

// A state in parts is put together, and what is left of a larger one ignored.
func TestRunner_previewOfLargeState(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	withPassword := withVariables(`{"password": "canary-in-a-coal-mine"}`)
	secret := func(r *runner.Request) { r.Sensitive = []string{"password"} }
	f.wantReason(f.execute(t.Context(), f.run("create", f.request(map[string]string{"main.tf": noise}, withPassword, secret))), v1alpha1.RunReasonSucceeded)
	if f.secret("tfstate-default-test-part-1") == nil {
		t.Fatal("the state is not in parts")
	}
	o, diff := f.preview("same", f.request(map[string]string{"main.tf": noise}, withPassword, secret, toPlan))
	f.wantReason(o, v1alpha1.RunReasonSucceeded)
	f.wantDiff(diff, "No changes.")

	// A plan beyond what is kept is cut, and says so.
	changed := strings.Replace(noise, "${i} ${j}", "${j} ${i}", 1)
	o, diff = f.preview("changed", f.request(map[string]string{"main.tf": changed}, withPassword, secret, toPlan))
	f.wantReason(o, v1alpha1.RunReasonPlanned)
	f.wantDiff(diff, "The rest is left out")
	if len(diff) > maxDiff {
		t.Errorf("the diff is %d bytes long, want at most %d", len(diff), maxDiff)
	}
}

func TestBoundDiff(t *testing.T) {
	if got := boundDiff("short"); got != "short" {
		t.Errorf("a short text became %q", got)
	}
	got := boundDiff(strings.Repeat("ü", maxDiff))
	if len(got) > maxDiff || !strings.HasSuffix(got, "…\n\nThe rest is left out: the plan is 1024 KiB long, and 512 KiB are kept.\n") {
		t.Errorf("a long text became one of %d bytes with the end %q", len(got), got[len(got)-100:])
	}
}

func TestPreviewMessage(t *testing.T) {
	forget := v1alpha1.ResourceChange{Address: "a.b", Action: v1alpha1.ChangeForget}
	for want, plan := range map[string]*v1alpha1.PlanSummary{
		"Plan: 1 to create, 2 to update, 3 to replace, 4 to delete": {Create: 1, Update: 2, Replace: 3, Delete: 4},
		"Plan: 1 to forget":                         {Changes: []v1alpha1.ResourceChange{forget}},
		"Plan: no resource changes, but outputs do": {},
	} {
		if got := previewMessage(plan); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// An output alone that changes is a change.
func TestRunner_previewOfOutput(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	module := func(value string) map[string]string {
		return map[string]string{"main.tf": `output "url" { value = "` + value + `" }`}
	}
	f.wantReason(f.execute(t.Context(), f.run("create", f.request(module("a")))), v1alpha1.RunReasonSucceeded)
	o, diff := f.preview("output", f.request(module("b"), toPlan))
	f.wantReason(o, v1alpha1.RunReasonPlanned)
	f.wantDiff(diff, `"a" -> "b"`)
	if o.run.Status.Message != "Plan: no resource changes, but outputs do" {
		t.Errorf("message is %q", o.run.Status.Message)
	}
}

func (f *fixture) delete(secret string) {
	f.Helper()
	if err := f.client.Delete(f.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: secret}}); err != nil {
		f.Fatal(err)
	}
}

// patchState merges JSON into the Secret with the state.
func (f *fixture) patchState(patch string) {
	f.Helper()
	obj := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "tfstate-default-test"}}
	if err := f.client.Patch(f.Context(), obj, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		f.Fatal(err)
	}
}
