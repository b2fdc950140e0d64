//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/state"
)

// runPlan runs groundwork plan as somebody, with what it reads from standard input.
func runPlan(t *testing.T, as []string, input string, args ...string) said {
	t.Helper()
	return groundworkReads(t, input, append(append([]string{"plan"}, args...), as...)...)
}

// appTeam gives a user the ClusterRole edit in a namespace, and returns the flags by which
// a command is theirs.
func appTeam(t *testing.T, namespace string) []string {
	t.Helper()
	user := "anna-" + namespace
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "app-team"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	if err := stage.Client.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	return []string{"--as", user, "--namespace", namespace}
}

// document is an Infrastructure as a file has it.
func document(t *testing.T, infra *v1alpha1.Infrastructure) string {
	t.Helper()
	infra = &v1alpha1.Infrastructure{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion().String(), Kind: "Infrastructure"},
		ObjectMeta: metav1.ObjectMeta{Name: infra.Name},
		Spec:       infra.Spec,
	}
	content, err := json.Marshal(infra)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(content, &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "status")
	b, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantNoPreviews checks that no Preview is left in the namespace, and waits until nothing
// of one is in the system namespace.
func wantNoPreviews(t *testing.T, namespace, name string) {
	t.Helper()
	eventually(t, 2*time.Minute, "nothing is left of the previews of "+name, func(ctx context.Context) (bool, string) {
		var previews v1alpha1.PreviewList
		if err := stage.Client.List(ctx, &previews, client.InNamespace(namespace)); err != nil {
			return false, err.Error()
		}
		var left []string
		for _, what := range leftovers(ctx, t, state.Key(namespace, name)) {
			if strings.Contains(what, "-preview-") {
				left = append(left, what)
			}
		}
		var diffs corev1.SecretList
		if err := stage.Client.List(ctx, &diffs, client.InNamespace(namespace)); err != nil {
			return false, err.Error()
		}
		for i := range diffs.Items {
			if strings.HasPrefix(diffs.Items[i].Name, "preview-") {
				left = append(left, "Secret "+diffs.Items[i].Name)
			}
		}
		return len(previews.Items) == 0 && len(left) == 0, strings.Join(left, ", ")
	})
}

// A file that is not applied yet is planned, with what else is in it passed over. Nothing
// is made, and nothing is left behind.
func TestPreview_new(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	team := appTeam(t, ns)
	bucket := newInfra(t, ns, "uploads", "aws-s3-bucket", map[string]any{"name": "uploads-" + ns})
	secret := newInfra(t, ns, "token", "aws-secret", map[string]any{"name": "token-" + ns})
	file := strings.Join([]string{"kind: Deployment\napiVersion: apps/v1\nmetadata: {name: app}\n", document(t, bucket), document(t, secret)}, "---\n")

	a := runPlan(t, team, file, "-f", "-", "--exit-code")
	a.want(t, 6, []string{
		ns + "/uploads, aws-s3-bucket ", "# aws_s3_bucket.this will be created", `"uploads-` + ns + `"`,
		ns + "/token, aws-secret ", "# aws_secretsmanager_secret.this will be created", "(sensitive value)",
	}, []string{"Passed over: Deployment app", ns + "/uploads: Planning", "there are changes"})
	if made := regexp.MustCompile(`\b[0-9a-f]{32}\b`).FindString(a.out); made != "" {
		t.Errorf("a generated value is shown: %s\n%s", made, a.out)
	}
	var infras v1alpha1.InfrastructureList
	if err := stage.Client.List(t.Context(), &infras, client.InNamespace(ns)); err != nil || len(infras.Items) > 0 {
		t.Errorf("the objects are there: %v %+v", err, infras.Items)
	}
	if found := resourcesNamed(t, ns); len(found) > 0 {
		t.Errorf("the plan has made %+v", found)
	}
	for _, infra := range []*v1alpha1.Infrastructure{bucket, secret} {
		wantNoPreviews(t, ns, infra.Name)
		if left := leftovers(t.Context(), t, state.Key(ns, infra.Name)); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// A changed file shows what would be updated, from what to what, and no secret. The object
// goes on as if nothing had happened.
func TestPreview_change(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	team := appTeam(t, ns)
	const canary, changed = "canary-in-a-coal-mine", "another-canary-bird"
	values := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "values"},
		StringData: map[string]string{"first": canary, "second": changed},
	}
	if err := stage.Client.Create(t.Context(), values); err != nil {
		t.Fatal(err)
	}
	valued := func(key string) change {
		return func(infra *v1alpha1.Infrastructure) {
			infra.Spec.VariablesFrom = []v1alpha1.VariablesSource{{Variable: "secret", SecretKeyRef: &v1alpha1.KeyReference{Name: "values", Key: key}}}
		}
	}
	says := func(message string) map[string]any { return map[string]any{"message": message} }
	infra := create(t, ns, "token", "outputs", says("hello"), valued("first"))
	waitReady(t, infra, 2*time.Minute)
	before := len(runs(t, infra))

	runPlan(t, team, "", "token", "--exit-code").want(t, 0, []string{ns + "/token, outputs ", "No changes."}, []string{"Planning"})
	a := runPlan(t, team, document(t, newInfra(t, ns, "token", "outputs", says("goodbye"), valued("second"))), "-f", "-")
	a.want(t, 0, []string{"terraform_data.message will be updated in-place", `"hello" -> "goodbye"`, "terraform_data.secret will be updated in-place", "(sensitive value)"}, nil)
	if strings.Contains(a.out+a.notes, canary) || strings.Contains(a.out+a.notes, changed) {
		t.Errorf("a secret is shown:\n%s\n%s", a.out, a.notes)
	}
	data := runPlan(t, team, document(t, newInfra(t, ns, "token", "outputs", says("goodbye"), valued("first"))), "-f", "-", "-o", "json")
	var plan struct {
		Name    string
		Update  int
		Changes []v1alpha1.ResourceChange
	}
	if err := json.Unmarshal([]byte(data.out), &plan); err != nil || plan.Name != "token" || plan.Update != 1 || len(plan.Changes) != 1 {
		t.Errorf("-o json: %v\n%s\n%s", err, data.out, data.notes)
	}
	wantNoPreviews(t, ns, "token")

	get(t, infra)
	if after := len(runs(t, infra)); after != before || infra.Status.ObservedGeneration != infra.Generation {
		t.Errorf("the object has %d runs, %d before; status %+v", after, before, infra.Status)
	}
	waitReady(t, infra, 0)
	remove(t, infra, 2*time.Minute)
}

// A preview needs no lock: it is planned while an apply of the same object is under way,
// and the apply goes on.
func TestPreview_underWay(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	team := appTeam(t, ns)
	variables := func(revision string) map[string]any {
		return map[string]any{"seconds": 120, "steps": 2, "revision": revision}
	}
	infra := create(t, ns, "slow", "slow", variables("1"))
	run := waitApplying(t, infra)
	runPlan(t, team, document(t, newInfra(t, ns, "slow", "slow", variables("2"))), "-f", "-").
		want(t, 0, []string{"terraform_data.step_1[0]"}, nil)
	get(t, run)
	if run.Status.Phase.Finished() {
		t.Errorf("the apply had ended before the plan: %+v", run.Status)
	}
	waitReady(t, infra, 5*time.Minute)
	if all := runs(t, infra); len(all) != 1 {
		t.Errorf("there are %d runs, want the one apply", len(all))
	}
	remove(t, infra, time.Minute)
}

// What is wrong with a spec is said at once, all of it; so is a module that somebody may
// not use.
func TestPreview_refused(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	team := appTeam(t, ns)
	bad := newInfra(t, ns, "uploads", "aws-s3-bucket", map[string]any{"nam": "x", "versioning": "perhaps"})
	runPlan(t, team, document(t, bad), "-f", "-").want(t, 4, nil, []string{
		"the spec of uploads has faults:", "\n  spec.variables[nam]: ", "\n  spec.variables[versioning]: ", "\n  spec.variables: ",
	})
	missing := newInfra(t, ns, "uploads", "aws-s3-bucket", nil, takes("name", "nothing", "bucket"))
	runPlan(t, team, document(t, missing), "-f", "-").want(t, 4, nil, []string{"it cannot be planned now: ", `Infrastructure "nothing"`})
	wantNoPreviews(t, ns, "uploads")

	// By default every authenticated user may use every module, so this one is none.
	group := "guests-" + ns
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: group}}
	discovery := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: group}, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:discovery"},
	}
	edit := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: group}, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
	}
	for _, obj := range []client.Object{discovery, edit} {
		if err := stage.Client.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := stage.Client.Delete(context.Background(), discovery); err != nil {
			t.Error(err)
		}
	})
	good := newInfra(t, ns, "uploads", "aws-s3-bucket", map[string]any{"name": "uploads-" + ns})
	runPlan(t, []string{"--as", "system:anonymous", "--as-group", group, "--namespace", ns}, document(t, good), "-f", "-").
		want(t, 1, nil, []string{"system:anonymous may not use module aws-s3-bucket in namespace " + ns})
}

// A Preview goes by itself when its time is over, with its diff.
func TestPreview_expires(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	preview := &v1alpha1.Preview{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "outputs"},
		Spec: v1alpha1.PreviewSpec{
			Infrastructure: v1alpha1.PreviewedInfrastructure{Name: "outputs", Spec: v1alpha1.InfrastructureSpec{Module: "outputs"}},
			TTL:            metav1.Duration{Duration: time.Minute},
		},
	}
	if err := stage.Client.Create(t.Context(), preview); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Minute, "the plan", func(context.Context) (bool, string) {
		get(t, preview)
		return preview.Status.FinishedAt != nil && preview.Status.Diff != nil, fmt.Sprintf("%+v", preview.Status)
	})
	wantNoPreviews(t, ns, "outputs")
}

// A Preview that is deleted takes its run along, with its namespace too.
func TestPreview_deleted(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	preview := &v1alpha1.Preview{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "uploads"},
		Spec: v1alpha1.PreviewSpec{Infrastructure: v1alpha1.PreviewedInfrastructure{
			Name: "uploads", Spec: newInfra(t, ns, "uploads", "aws-s3-bucket", map[string]any{"name": "uploads-" + ns}).Spec,
		}},
	}
	if err := stage.Client.Create(t.Context(), preview); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "its run", func(ctx context.Context) (bool, string) {
		left := leftovers(ctx, t, state.Key(ns, "uploads"))
		return len(left) > 2, strings.Join(left, ", ")
	})
	if err := stage.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Minute, "the namespace is gone, and all of the preview", func(ctx context.Context) (bool, string) {
		err := stage.Client.Get(ctx, client.ObjectKey{Name: ns}, &corev1.Namespace{})
		left := leftovers(ctx, t, state.Key(ns, "uploads"))
		return client.IgnoreNotFound(err) == nil && err != nil && len(left) == 0, strings.Join(left, ", ")
	})
}
