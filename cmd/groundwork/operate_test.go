package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// runs is an object with a run under way.
func runs(infra *v1alpha1.Infrastructure) {
	setReady(infra, metav1.ConditionUnknown, v1alpha1.ReasonProgressing, "Applying 1 of 3: aws_db_instance.this")
	infra.Status.Run = &v1alpha1.CurrentRun{
		Name: "shop-orders-1", Operation: v1alpha1.OperationApply, Phase: v1alpha1.RunApplying, Message: "Applying 1 of 3: aws_db_instance.this",
	}
}

// TestCommand_failures has, for each verb, what it refuses.
func TestCommand_failures(t *testing.T) {
	w := newWorld(t)
	w.create("ready")
	w.create("asks", waiting)
	w.create("approved", waiting, func(infra *v1alpha1.Infrastructure) { annotate(infra, v1alpha1.AnnotationApprove, "plan-1") })
	cases := map[string]struct {
		args []string
		code int
		want string
	}{
		"get: not there.":            {[]string{"get", "nothing"}, 1, `there is no Infrastructure "nothing" in namespace ` + w.namespace},
		"get: not there, as YAML.":   {[]string{"get", "nothing", "-o", "yaml"}, 1, `there is no Infrastructure "nothing"`},
		"get: a form unknown.":       {[]string{"get", "-o", "xml"}, 2, `--output: got "xml", wanted one of table, wide, json, yaml`},
		"get: all and one.":          {[]string{"get", "ready", "-A"}, 2, "wanted one of the two"},
		"get: some and one.":         {[]string{"get", "ready", "-l", "app=orders"}, 2, "wanted one of the two"},
		"get: a wrong selector.":     {[]string{"get", "-l", "a in b"}, 2, "--selector: "},
		"describe: not there.":       {[]string{"describe", "nothing"}, 1, `there is no Infrastructure "nothing"`},
		"plan: nothing.":             {[]string{"plan"}, 2, "got neither or both of NAME and --filename"},
		"plan: too much.":            {[]string{"plan", "ready", "-f", "-"}, 2, "got neither or both of NAME and --filename"},
		"plan: not there.":           {[]string{"plan", "nothing"}, 1, `there is no Infrastructure "nothing"`},
		"approve: no plan.":          {[]string{"approve", "ready", "--yes"}, 1, "ready has no plan that can be approved: Ready is True, InSync"},
		"approve: another plan.":     {[]string{"approve", "asks", "plan-0", "--yes"}, 1, "the plan of asks is plan-1 (update 1, replace 1), not plan-0"},
		"approve: already.":          {[]string{"approve", "approved", "--yes"}, 1, "plan plan-1 of approved is approved already"},
		"cancel: no run.":            {[]string{"cancel", "ready"}, 1, "ready has no run under way that could be cancelled: Ready is True"},
		"reconcile: not there.":      {[]string{"reconcile", "nothing"}, 1, `there is no Infrastructure "nothing"`},
		"suspend: not there.":        {[]string{"suspend", "nothing"}, 1, `there is no Infrastructure "nothing"`},
		"resume: not there.":         {[]string{"resume", "nothing"}, 1, `there is no Infrastructure "nothing"`},
		"A command that there isn't": {[]string{"aprove", "asks"}, 2, `unknown command "aprove"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			out, err := w.run(c.args...)
			if exitCode(err) != c.code || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("exit code %d, want %d with %q: %v\n%s", exitCode(err), c.code, c.want, err, out)
			}
		})
	}
}

func TestGet(t *testing.T) {
	w := newWorld(t)
	if out := w.mustRun("get"); out != "There is no Infrastructure in namespace "+w.namespace+".\n" {
		t.Errorf("get of nothing: %s", out)
	}
	w.create("orders", func(infra *v1alpha1.Infrastructure) {
		infra.Labels = map[string]string{"app": "orders"}
		infra.Status.Resources = 7
	})
	w.create("queue")
	fields := func(out string) (lines [][]string) {
		for line := range strings.Lines(out) {
			lines = append(lines, strings.Fields(line))
		}
		return lines
	}
	table := fields(w.mustRun("get"))
	if len(table) != 3 || !cmp.Equal(table[0], []string{"NAME", "MODULE", "READY", "STATUS", "AGE"}) || table[1][0] != "orders" || table[1][2] != "True" {
		t.Errorf("get: %q", table)
	}
	if table := fields(w.mustRun("get", "queue", "orders")); len(table) != 3 || table[1][0] != "queue" || table[2][0] != "orders" {
		t.Errorf("get queue orders: %q", table)
	}
	if table := fields(w.mustRun("get", "-l", "app=orders", "-o", "wide")); len(table) != 2 || table[0][6] != "RESOURCES" || table[1][len(table[1])-1] != "7" {
		t.Errorf("get -l -o wide: %q", table)
	}
	if out := w.mustRun("get", "-A"); !strings.HasPrefix(out, "NAMESPACE ") || !strings.Contains(out, w.namespace+" ") {
		t.Errorf("get -A: %s", out)
	}
	one := &v1alpha1.Infrastructure{}
	if err := yaml.UnmarshalStrict([]byte(w.mustRun("get", "orders", "-o", "yaml")), one); err != nil || one.Kind != "Infrastructure" || one.ManagedFields != nil {
		t.Errorf("get orders -o yaml: %v\n%+v", err, one)
	}
	all := &v1alpha1.InfrastructureList{}
	if err := yaml.UnmarshalStrict([]byte(w.mustRun("get", "-o", "json")), all); err != nil || all.Kind != "InfrastructureList" || len(all.Items) != 2 || all.Items[1].Kind != "Infrastructure" {
		t.Errorf("get -o json: %v\n%+v", err, all)
	}
}

func TestApprove(t *testing.T) {
	w := newWorld(t)
	w.create("orders", waiting)
	out := w.mustRun("approve", "orders", "plan-1", "--yes")
	if !strings.Contains(out, "replace  aws_db_instance.this  LOSES WHAT IT STORES; engine\n") || !strings.HasSuffix(out, "Plan plan-1 of orders is approved.\n") {
		t.Errorf("approve: %s", out)
	}
	if got := w.object("orders").Annotations[v1alpha1.AnnotationApprove]; got != "plan-1" {
		t.Errorf("the annotation is %q", got)
	}
}

// TestApprove_changed approves a plan that is replaced by another just then.
func TestApprove_changed(t *testing.T) {
	w := newWorld(t)
	w.create("orders", waiting)
	patches := 0
	api := interceptor.NewClient(apiServer, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if patches++; patches == 1 {
				w.report(func(infra *v1alpha1.Infrastructure) { infra.Status.Plan.ID = "plan-2" })
			}
			return c.Patch(ctx, o, p, opts...)
		},
	})
	err := (&session{client: api, namespace: w.namespace}).approve(t.Context(), "orders", "plan-1")
	if err == nil || !strings.Contains(err.Error(), "the plan of orders is plan-2") {
		t.Errorf("got %v, want it to name plan-2", err)
	}
	if got := w.object("orders").Annotations[v1alpha1.AnnotationApprove]; got != "" {
		t.Errorf("the annotation is %q, want none", got)
	}
}

// TestApprove_wait approves, and waits for what the controller makes of it.
func TestApprove_wait(t *testing.T) {
	w := newWorld(t)
	w.create("orders", waiting)
	done := w.meanwhile(func() {
		for w.object("orders").Annotations[v1alpha1.AnnotationApprove] == "" {
			time.Sleep(50 * time.Millisecond)
		}
		w.report(func(infra *v1alpha1.Infrastructure) {
			infra.Status.Plan = nil
			setReady(infra, metav1.ConditionTrue, v1alpha1.ReasonInSync, "Applied")
		})
	})
	if out := w.mustRun("approve", "orders", "--yes", "--wait", "--timeout", "1m"); !strings.HasSuffix(out, "orders is ready.\n") {
		t.Errorf("approve --wait: %s", out)
	}
	done()
}

func TestConfirm(t *testing.T) {
	for answer, want := range map[string]string{
		"y\n": "", "YES\n": "", "n\n": "nothing was changed", "": "nothing was changed", "perhaps\n": `got the answer "perhaps", wanted y or n`,
	} {
		c := newCommand("groundwork")
		c.SetIn(strings.NewReader(answer))
		c.SetErr(&strings.Builder{})
		err := confirm(c, false, "Really?")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("answer %q: got %v, want %q", answer, err, want)
		}
	}
	nobody, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	c := newCommand("groundwork")
	c.SetIn(nobody)
	if err := confirm(c, false, "Really?"); exitCode(err) != exitMisused || !strings.Contains(err.Error(), "pass --yes") {
		t.Errorf("without a terminal: %v", err)
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	w.create("orders", runs)
	if out := w.mustRun("cancel", "orders"); !strings.HasPrefix(out, "Run shop-orders-1 (Apply, Applying) is asked to end.") {
		t.Errorf("cancel: %s", out)
	}
	if got := w.object("orders").Annotations[v1alpha1.AnnotationCancel]; got != "shop-orders-1" {
		t.Errorf("the annotation is %q", got)
	}
}

func TestReconcile(t *testing.T) {
	w := newWorld(t)
	w.create("orders")
	w.mustRun("reconcile", "orders")
	first := w.object("orders").Annotations[v1alpha1.AnnotationReconcile]
	if _, err := time.Parse(time.RFC3339Nano, first); err != nil {
		t.Error(err)
	}
	done := w.meanwhile(func() {
		for w.object("orders").Annotations[v1alpha1.AnnotationReconcile] == first {
			time.Sleep(50 * time.Millisecond)
		}
		w.report(func(infra *v1alpha1.Infrastructure) {
			infra.Status.LastHandledReconcileAt = infra.Annotations[v1alpha1.AnnotationReconcile]
		})
	})
	if out := w.mustRun("reconcile", "orders", "--wait", "--timeout", "1m"); !strings.HasSuffix(out, "orders is ready.\n") {
		t.Errorf("reconcile --wait: %s", out)
	}
	done()
}

func TestSuspend(t *testing.T) {
	w := newWorld(t)
	w.create("orders", runs, func(infra *v1alpha1.Infrastructure) {
		infra.Labels = map[string]string{"app.kubernetes.io/managed-by": "Helm"}
	})
	out := w.mustRun("suspend", "orders")
	for _, want := range []string{"orders is suspended", "Run shop-orders-1 is under way and goes on", "Helm puts spec.suspend back"} {
		if !strings.Contains(out, want) {
			t.Errorf("suspend does not say %q:\n%s", want, out)
		}
	}
	if !w.object("orders").Spec.Suspend {
		t.Error("spec.suspend is not set")
	}
	if out := w.mustRun("reconcile", "orders", "--wait"); !strings.Contains(out, "starts when it is no longer suspended") {
		t.Errorf("reconcile of a suspended object: %s", out)
	}
	w.mustRun("resume", "orders")
	if w.object("orders").Spec.Suspend {
		t.Error("spec.suspend is still set")
	}
}

func TestDescribe(t *testing.T) {
	w := newWorld(t)
	w.create("network")
	infra := w.create("orders", waiting, func(infra *v1alpha1.Infrastructure) {
		infra.Spec.DependsOn = []v1alpha1.NameReference{{Name: "network"}, {Name: "keys"}}
	})
	w.must(apiServer.Create(t.Context(), &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: w.namespace, Name: "orders.1"},
		InvolvedObject: corev1.ObjectReference{Kind: "Infrastructure", Namespace: w.namespace, Name: "orders", UID: infra.UID},
		Reason:         "ApprovalRequired", Message: "a plan waits", LastTimestamp: metav1.Now(),
	}))
	out := w.mustRun("describe", "orders")
	for _, want := range []string{
		"Module:     aws-rds-postgres, not applied yet\n",
		"ApprovalRequired: 1 to replace\n",
		"Needs:      keys, which is not there\n",
		"Needs:      network, Ready is True, InSync: Applied aws-rds-postgres 1.2.0\n",
		"What to do: Look at the plan; then approve it: groundwork approve orders -n " + w.namespace + ".",
		"Plan plan-1: update 1, replace 1\n",
		"  and 1 more\n",
		"ApprovalRequired  a plan waits\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("describe does not say %q:\n%s", want, out)
		}
	}
}

func TestCommand_completion(t *testing.T) {
	w := newWorld(t)
	w.create("orders", waiting, func(infra *v1alpha1.Infrastructure) {
		infra.Status.Outputs = &v1alpha1.OutputsStatus{SecretName: "orders", Keys: []string{"host"}, Checksum: "sha256:1"}
	})
	run := w.createRun("orders", 1, v1alpha1.RunReasonSucceeded).Name
	// What is completed comes last.
	complete := func(args ...string) string {
		args = append(w.flags([]string{"__complete"}), args...)
		return mustRun(t, args...)
	}
	for want, args := range map[string][]string{
		"orders\taws-rds-postgres\n":    {"describe", ""},
		run + "\tApply, Succeeded\n":    {"logs", "orders", ""},
		"host\n":                        {"outputs", "orders", ""},
		"plan-1\tupdate 1, replace 1\n": {"approve", "orders", ""},
		w.namespace + "\n":              {"get", "-n", ""},
		"gone\n":                        {"wait", "orders", "--for", ""},
		"wide\n":                        {"get", "-o", ""},
	} {
		if out := complete(args...); !strings.Contains(out, want) {
			t.Errorf("completion of %q does not have %q:\n%s", args, want, out)
		}
	}
	if out := complete("describe", "orders", ""); strings.Contains(out, "aws-rds-postgres") {
		t.Errorf("a second name is completed:\n%s", out)
	}
}

// TestCommand_appTeam does what an app team may do with its own, and is told what it
// may not.
func TestCommand_appTeam(t *testing.T) {
	w := newWorld(t)
	w.create("orders", waiting)
	w.create("queue", runs)
	w.asAppTeam()
	for _, args := range [][]string{
		{"get"}, {"get", "-o", "json"}, {"describe", "orders"}, {"approve", "orders", "--yes"}, {"cancel", "queue"},
		{"reconcile", "queue"}, {"suspend", "queue"}, {"resume", "queue"}, {"wait", "nothing", "--for", "gone"},
	} {
		w.mustRun(args...)
	}
	other := newWorld(t)
	other.create("orders", waiting)
	other.as = w.as
	cases := map[string]struct {
		w    *world
		args []string
		want string
	}{
		"All namespaces.":    {w, []string{"get", "-A"}, "get: you (anna) may not list infrastructures in all namespaces: name one namespace with -n, or ask the cluster's administrators"},
		"Another's object.":  {other, []string{"describe", "orders"}, "describe: you (anna) may not get infrastructures in namespace " + other.namespace + ": it comes with the ClusterRole view; ask an administrator of the namespace"},
		"Another's approval": {other, []string{"approve", "orders", "--yes"}, "approve: you (anna) may not get infrastructures in namespace " + other.namespace},
		"Another's plan.":    {other, []string{"plan", "-f", w.file(ordersDocument)}, "plan: you (anna) may not create previews in namespace " + other.namespace + ": it comes with the ClusterRole edit; ask an administrator of the namespace"},
		"Another's wait.":    {other, []string{"wait", "orders"}, "wait: you (anna) may not list infrastructures in namespace " + other.namespace},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if out, err := c.w.run(c.args...); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %q\n%s", err, c.want, out)
			}
		})
	}
}

func TestProgramName(t *testing.T) {
	for path, want := range map[string]string{
		"groundwork": "groundwork", "/usr/local/bin/groundwork": "groundwork", "/usr/local/bin/kubectl-infra": "kubectl infra", "kubectl-infra.exe": "kubectl infra",
	} {
		if got := programName(path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	c := newCommand("kubectl infra")
	approve, _, err := c.Find([]string{"approve"})
	if err != nil || !strings.HasPrefix(approve.UseLine(), "kubectl infra approve ") || !strings.HasPrefix(approve.Example, "  kubectl infra approve ") {
		t.Errorf("%v: %s\n%s", err, approve.UseLine(), approve.Example)
	}
}
