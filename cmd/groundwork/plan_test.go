package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// planner answers the Previews of the world's namespace as the controller does, until the
// test ends: report says what comes of one. Its answers are written in the order of the
// Previews.
func (w *world) planner(report func(p *v1alpha1.Preview)) {
	w.Helper()
	ctx, stop := context.WithCancel(context.Background())
	previews, err := apiServer.Watch(ctx, &v1alpha1.PreviewList{}, client.InNamespace(w.namespace))
	w.must(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range previews.ResultChan() {
			p, ok := event.Object.(*v1alpha1.Preview)
			if event.Type != watch.Added || !ok {
				continue
			}
			p.Status.ObservedGeneration = p.Generation
			report(p)
			// The command may have deleted it.
			if err := client.IgnoreNotFound(apiServer.Status().Update(ctx, p)); err != nil && ctx.Err() == nil {
				w.Errorf("report: %v", err)
			}
		}
	}()
	w.Cleanup(func() { stop(); <-done })
}

// endPreview makes a Preview in memory one that has ended.
func endPreview(p *v1alpha1.Preview, ready metav1.ConditionStatus, reason, message string) {
	now := metav1.Now()
	p.Status.FinishedAt = &now
	meta.SetStatusCondition(&p.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Status: ready, Reason: reason, Message: message})
}

// plans ends a Preview with a plan, of which the diff is in a Secret.
func (w *world) plans(p *v1alpha1.Preview) {
	p.Status.Module = &v1alpha1.ModuleReference{Name: "aws-rds-postgres", Version: "1.2.0"}
	p.Status.Plan = &v1alpha1.PlanSummary{Replace: 1, Update: 1, Changes: []v1alpha1.ResourceChange{
		{Address: "aws_db_instance.this", Action: v1alpha1.ChangeReplace, Attributes: []string{"engine"}, Destructive: true},
		{Address: "aws_s3_bucket.this", Action: v1alpha1.ChangeUpdate, Attributes: []string{"tags"}},
	}}
	p.Status.Warnings = []string{"policy loud warns of aws_s3_bucket.this: no need to shout"}
	p.Status.Diagnostics = []v1alpha1.Diagnostic{
		{Severity: "warning", Summary: "policy loud warns of the plan", Detail: "no need to shout"},
		{Severity: "warning", Summary: "Argument is deprecated", Address: "aws_s3_bucket.this"},
	}
	p.Status.Diff = &v1alpha1.PreviewDiff{SecretName: "diff-of-" + p.Name}
	if err := apiServer.Create(context.Background(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Status.Diff.SecretName},
		Data:       map[string][]byte{v1alpha1.DiffKey: []byte("\n~ engine = \"15\" -> \"16\"\n")},
	}); err != nil {
		w.Error(err)
	}
	endPreview(p, metav1.ConditionTrue, v1alpha1.ReasonPlanned, "Plan: 1 to update, 1 to replace")
}

// previews are the Previews that are there.
func (w *world) previews() []v1alpha1.Preview {
	w.Helper()
	var list v1alpha1.PreviewList
	w.must(apiServer.List(w.Context(), &list, client.InNamespace(w.namespace)))
	return list.Items
}

// file writes a file and returns its path.
func (w *world) file(content string) string {
	w.Helper()
	path := filepath.Join(w.TempDir(), "file.yaml")
	w.must(os.WriteFile(path, []byte(content), 0o600))
	return path
}

const ordersDocument = `apiVersion: infra.groundwork.dev/v1alpha1
kind: Infrastructure
metadata: {name: orders}
spec: {module: aws-rds-postgres, variables: {storage_gb: 20}}
`

// The plan of an object, and of a file, is shown with what comes with it; the Preview is
// deleted. An app team may do that.
func TestPlan(t *testing.T) {
	w := newWorld(t)
	w.create("orders")
	w.asAppTeam()
	var asked []v1alpha1.PreviewSpec
	w.planner(func(p *v1alpha1.Preview) {
		asked = append(asked, p.Spec)
		w.plans(p)
	})
	for _, args := range [][]string{{"plan", "orders"}, {"plan", "-f", w.file(ordersDocument)}} {
		out := w.mustRun(args...)
		for _, want := range []string{
			w.namespace + "/orders, aws-rds-postgres 1.2.0: update 1, replace 1\n",
			"~ engine = \"15\" -> \"16\"\n",
			"Warning: Argument is deprecated (aws_s3_bucket.this)\n",
			"Warning: policy loud warns of aws_s3_bucket.this: no need to shout\n",
			"Once applied, this waits for approval, because it loses what is stored:\n  replace aws_db_instance.this\n",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%q does not print %q:\n%s", args, want, out)
			}
		}
		if strings.Contains(out, "policy loud warns of the plan") {
			t.Errorf("a policy's warning is there twice:\n%s", out)
		}
	}
	if len(asked) != 2 || string(asked[1].Infrastructure.Spec.Variables["storage_gb"].Raw) != "20" || asked[0].Infrastructure.Name != "orders" {
		t.Errorf("the Previews were %+v", asked)
	}
	if left := w.previews(); len(left) > 0 {
		t.Errorf("Previews are left: %+v", left)
	}
	if _, err := w.run("plan", "orders", "--exit-code"); exitCode(err) != exitChanges {
		t.Errorf("--exit-code: %v, want exit code %d", err, exitChanges)
	}
	w.mustRun("plan", "orders", "--keep")
	if left := w.previews(); len(left) != 1 || left[0].Spec.TTL.Hours() != 1 {
		t.Errorf("--keep: the Previews are %+v, want one for an hour", left)
	}
}

// Plans as data: one, or a list of those that could be made.
func TestPlan_data(t *testing.T) {
	w := newWorld(t)
	w.planner(func(p *v1alpha1.Preview) {
		if p.Spec.Infrastructure.Name == "bad" {
			p.Status.Faults = []v1alpha1.Fault{{Field: "spec.module", Message: "there is none"}}
			endPreview(p, metav1.ConditionFalse, v1alpha1.ReasonModuleNotFound, "spec.module: there is none")
			return
		}
		w.plans(p)
	})
	type plan struct {
		Namespace, Name string
		Update, Replace int
		Warnings        []string
	}
	want := plan{w.namespace, "orders", 1, 1, []string{"policy loud warns of aws_s3_bucket.this: no need to shout"}}
	var one plan
	out := w.mustRun("plan", "-f", w.file(ordersDocument), "-o", "json")
	_, fields, _ := strings.Cut(out, "{")
	w.must(json.Unmarshal([]byte("{"+fields), &one))
	if diff := cmp.Diff(want, one); diff != "" {
		t.Errorf("one, -want +got:\n%s\n%s", diff, out)
	}
	var several []plan
	out, err := w.run("plan", "-f", w.file(ordersDocument+"---\n"+strings.Replace(ordersDocument, "orders", "bad", 1)), "-o", "json")
	if exitCode(err) != exitStalled || !strings.Contains(err.Error(), w.namespace+"/bad: the spec of bad has faults:\n  spec.module: there is none") {
		t.Errorf("the error is %v", err)
	}
	w.must(json.Unmarshal([]byte(out[strings.Index(out, "["):strings.LastIndex(out, "]")+1]), &several))
	if diff := cmp.Diff([]plan{want}, several); diff != "" {
		t.Errorf("several, -want +got:\n%s\n%s", diff, out)
	}
}

// Each end of a Preview has its exit code and says why.
func TestPlan_ends(t *testing.T) {
	w := newWorld(t)
	w.create("orders")
	for name, c := range map[string]struct {
		report func(p *v1alpha1.Preview)
		args   []string
		code   int
		want   string
	}{
		"No changes.": {func(p *v1alpha1.Preview) {
			w.plans(p)
			p.Status.Plan = &v1alpha1.PlanSummary{}
			endPreview(p, metav1.ConditionTrue, v1alpha1.ReasonNoChanges, "No changes")
		}, []string{"--exit-code"}, 0, ""},
		"A plan that failed.": {func(p *v1alpha1.Preview) {
			endPreview(p, metav1.ConditionFalse, v1alpha1.ReasonPlanFailed, "InitFailed: no")
		}, nil, exitFailed, "InitFailed: no"},
		"A plan that is denied.": {func(p *v1alpha1.Preview) {
			w.plans(p)
			endPreview(p, metav1.ConditionFalse, v1alpha1.ReasonPolicyDenied, "policy x denies it")
		}, nil, exitStalled, "policy x denies it"},
		"No end.": {func(p *v1alpha1.Preview) {
			setProgress(p, "Planning")
		}, []string{"--timeout", "1s"}, exitTimedOut, "the time was up after 1s: Planning"},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{T: t, namespace: w.namespace, system: w.system}
			w.planner(c.report)
			out, err := w.run(append([]string{"plan", "orders"}, c.args...)...)
			if exitCode(err) != c.code || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("exit code %d, want %d with %q: %v\n%s", exitCode(err), c.code, c.want, err, out)
			}
			if left := w.previews(); len(left) > 0 {
				t.Errorf("Previews are left: %+v", left)
			}
		})
	}
}

func setProgress(p *v1alpha1.Preview, message string) {
	meta.SetStatusCondition(&p.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonProgressing, Message: message,
	})
}

// Somebody who interrupts the command leaves no Preview behind.
func TestPlan_interrupted(t *testing.T) {
	w := newWorld(t)
	w.create("orders")
	ctx, interrupt := context.WithCancel(t.Context())
	w.planner(func(p *v1alpha1.Preview) {
		setProgress(p, "Planning")
		interrupt()
	})
	c := newCommand("groundwork")
	c.SetArgs(w.flags([]string{"plan", "orders"}))
	c.SetOut(&strings.Builder{})
	c.SetErr(&strings.Builder{})
	if err := c.ExecuteContext(ctx); exitCode(err) != exitInterrupted {
		t.Errorf("got %v, want exit code %d", err, exitInterrupted)
	}
	if left := w.previews(); len(left) > 0 {
		t.Errorf("Previews are left: %+v", left)
	}
}

func TestReadInfrastructures(t *testing.T) {
	const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n"
	of := func(namespace, name string) string {
		return strings.Replace(ordersDocument, "{name: orders}", "{name: "+name+", namespace: "+namespace+"}", 1)
	}
	list := "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(ordersDocument), "\n", "\n  ")
	for name, c := range map[string]struct {
		file     string
		explicit bool
		want     []string
		err      string
	}{
		"One.":                           {ordersDocument, false, []string{"shop/orders"}, ""},
		"Among others.":                  {"---\n" + deployment + "---\n# nothing\n---\n" + ordersDocument + "---\n" + of("shop", "queue"), false, []string{"shop/orders", "shop/queue"}, ""},
		"In a list.":                     {list, false, []string{"shop/orders"}, ""},
		"In JSON.":                       {`{"apiVersion": "infra.groundwork.dev/v1alpha1", "kind": "Infrastructure", "metadata": {"name": "orders"}, "spec": {"module": "m"}}`, false, []string{"shop/orders"}, ""},
		"Of a namespace of its own.":     {of("billing", "orders"), false, []string{"billing/orders"}, ""},
		"Of another than the flag's.":    {of("billing", "orders"), true, nil, "is of namespace billing, which does not match --namespace shop"},
		"Of that of the flag.":           {of("shop", "orders"), true, []string{"shop/orders"}, ""},
		"None.":                          {deployment, false, nil, "there is no Infrastructure in it"},
		"Without a name.":                {strings.Replace(ordersDocument, "name: orders", "", 1), false, nil, "document 1: metadata.name: it is missing"},
		"Of another version.":            {strings.Replace(ordersDocument, "v1alpha1", "v2", 1), false, nil, "apiVersion: got infra.groundwork.dev/v2, wanted infra.groundwork.dev/v1alpha1"},
		"With a field that there isn't.": {strings.Replace(ordersDocument, "storage_gb: 20}", "a: 1}, modul: x", 1), false, nil, `Infrastructure orders: `},
		"Not of Kubernetes.":             {"a: 1\n", false, nil, "document 1: it has no kind"},
		"Not YAML.":                      {"{", false, nil, "document 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			var notes strings.Builder
			found, err := readInfrastructures(strings.NewReader(c.file), &notes, "-", "shop", c.explicit)
			var got []string
			for _, infra := range found {
				got = append(got, infra.Namespace+"/"+infra.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if (err == nil) != (c.err == "") || err != nil && (!strings.Contains(err.Error(), c.err) || exitCode(err) != exitMisused) {
				t.Errorf("got %v, want %q", err, c.err)
			}
			if said := strings.Contains(notes.String(), "Passed over: Deployment app"); said != strings.Contains(c.file, "Deployment") {
				t.Errorf("the notes are %q", notes.String())
			}
		})
	}
	if _, err := readInfrastructures(nil, nil, filepath.Join(t.TempDir(), "nothing"), "shop", false); !errors.Is(err, os.ErrNotExist) || exitCode(err) != exitMisused {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestPrintWaits(t *testing.T) {
	changed := v1alpha1.ResourceChange{Address: "a.b", Action: v1alpha1.ChangeUpdate}
	lost := v1alpha1.ResourceChange{Address: "db.this", Action: v1alpha1.ChangeDelete, Destructive: true}
	for _, c := range []struct {
		approval v1alpha1.ApprovalMode
		changes  []v1alpha1.ResourceChange
		want     string
	}{
		{v1alpha1.ApprovalAuto, []v1alpha1.ResourceChange{lost}, ""},
		{v1alpha1.ApprovalManual, []v1alpha1.ResourceChange{changed}, "spec.approval is Manual"},
		{v1alpha1.ApprovalManual, nil, ""},
		{v1alpha1.ApprovalOnDestructive, []v1alpha1.ResourceChange{changed}, ""},
		{"", []v1alpha1.ResourceChange{lost, changed}, "because it loses what is stored:\n  delete db.this\n"},
	} {
		var b strings.Builder
		printWaits(&b, c.approval, &v1alpha1.PlanSummary{Changes: c.changes})
		if got := b.String(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s with %+v: got %q, want %q", c.approval, c.changes, got, c.want)
		}
	}
}
