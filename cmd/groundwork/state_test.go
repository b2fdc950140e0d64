package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/state"
)

// createState writes the state of an Infrastructure, as Terraform's backend does.
func (w *world) createState(name, content string) {
	w.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(content))
	w.must(err)
	w.must(z.Close())
	key := state.Key(w.namespace, name)
	w.must(apiServer.Create(w.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.system, Name: state.SecretName(key), Annotations: map[string]string{"encoding": "gzip"},
			Labels: map[string]string{"tfstate": "true", "tfstateSecretSuffix": key, "tfstateWorkspace": "default", "app.kubernetes.io/managed-by": "terraform"},
		},
		Data: map[string][]byte{"tfstate": packed.Bytes()},
	}))
}

// lock takes the lock of a state, as Terraform does.
func (w *world) lock(name, id, who string) {
	w.Helper()
	info, err := json.Marshal(state.Lock{ID: id, Who: who, Operation: "OperationTypeApply", Version: "1.11.4", Created: time.Now().Add(-time.Hour)})
	w.must(err)
	w.must(apiServer.Create(w.Context(), &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.system, Name: state.LeaseName(state.Key(w.namespace, name)),
			Annotations: map[string]string{"app.terraform.io/lock-info": string(info)},
		},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &id},
	}))
}

// locked tells whether the lock of a state is held.
func (w *world) locked(name string) bool {
	w.Helper()
	lease := &coordinationv1.Lease{}
	w.must(apiServer.Get(w.Context(), client.ObjectKey{Namespace: w.system, Name: state.LeaseName(state.Key(w.namespace, name))}, lease))
	return lease.Spec.HolderIdentity != nil
}

const ordersState = `{"version":4,"serial":3,"lineage":"l","outputs":{},"resources":[
	{"mode":"managed","type":"aws_db_instance","name":"this","provider":"p","instances":[
		{"deposed":"1a2b","attributes":{"id":"old"}},
		{"status":"tainted","attributes":{"id":"db-1","password":"s3cret"},"sensitive_attributes":[[{"type":"get_attr","value":"password"}]]}]},
	{"mode":"managed","type":"aws_sqs_queue","name":"q","provider":"p","instances":[{"index_key":"a","attributes":{"id":"q-1","delay":5}}]}]}`

func TestState(t *testing.T) {
	w := newWorld(t)
	w.createState("orders", ordersState)
	cases := map[string]struct {
		args []string
		want string // all that is printed, or of the error
		code int
	}{
		"The addresses.": {[]string{"state", "list", "orders"},
			"aws_db_instance.this (deposed 1a2b: the next apply destroys it)\naws_db_instance.this (tainted: the next apply replaces it)\naws_sqs_queue.q[\"a\"]\n", 0},
		"A resource.":              {[]string{"state", "show", "orders", `aws_sqs_queue.q["a"]`}, "delay: 5\nid: q-1\n", 0},
		"As JSON.":                 {[]string{"state", "show", "orders", `aws_sqs_queue.q["a"]`, "-o", "json"}, "{\n  \"delay\": 5,\n  \"id\": \"q-1\"\n}\n", 0},
		"The current object.":      {[]string{"state", "show", "orders", "aws_db_instance.this"}, "aws_db_instance.this (tainted: the next apply replaces it)\nid: db-1\npassword: (sensitive)\n", 0},
		"No such resource.":        {[]string{"state", "show", "orders", "aws_db_instance.that"}, "the state has no resource aws_db_instance.that; to list them: groundwork state list orders", 1},
		"No state.":                {[]string{"state", "list", "other"}, `there is no state of an Infrastructure "other"`, 1},
		"No state to show.":        {[]string{"state", "show", "other", "a.b"}, `there is no state of an Infrastructure "other"`, 1},
		"A command that is not so": {[]string{"state", "rm"}, `unknown command "rm"`, 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			out, err := w.run(c.args...)
			if exitCode(err) != c.code {
				t.Errorf("exit code %d, want %d", exitCode(err), c.code)
			}
			if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && out != c.want {
				t.Errorf("want %q: %v\n%s", c.want, err, out)
			}
		})
	}
	complete := append(w.flags([]string{"__complete"}), "state", "show", "orders", "")
	if out := mustRun(t, complete...); !strings.Contains(out, `aws_sqs_queue.q["a"]`) {
		t.Errorf("completion of an address:\n%s", out)
	}
	w.asAppTeam()
	want := "state list: you (anna) may not list secrets in namespace " + w.system + ": that is for those who look after " + w.system
	if _, err := w.run("state", "list", "orders"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestStateUnlock(t *testing.T) {
	w := newWorld(t)
	w.lock("byhand", "lock-1", "ben@laptop")
	w.lock("running", "lock-2", "nonroot@runner-1")
	w.lock("unknown", "lock-3", "")
	w.createPod("runner-1", "")
	if out := w.mustRun("state", "unlock", "free"); out != "The state of free in namespace "+w.namespace+" is not locked.\n" {
		t.Errorf("unlock of a state that is not locked: %s", out)
	}
	out, err := w.run("state", "unlock", "running", "--yes")
	if err == nil || !strings.Contains(err.Error(), "the runner pod runner-1 is there, and its lock is not released") || !w.locked("running") {
		t.Errorf("unlock of a state that a pod works on: %v\n%s", err, out)
	}
	out = w.mustRun("state", "unlock", "byhand", "--yes")
	if !strings.HasPrefix(out, "The state of byhand is locked by ben@laptop since ") || !strings.Contains(out, "(60m ago), for OperationTypeApply with Terraform 1.11.4 (lock lock-1)") ||
		!strings.HasSuffix(out, "Lock lock-1 is released.\n") || w.locked("byhand") {
		t.Errorf("unlock: %s", out)
	}
	if out := w.mustRun("state", "unlock", "unknown", "--yes"); !strings.Contains(out, "locked by someone who does not say who they are (lock lock-3)") || w.locked("unknown") {
		t.Errorf("unlock of a lock without a name: %s", out)
	}
	w.asAppTeam()
	want := "state unlock: you (anna) may not get leases in namespace " + w.system
	if _, err := w.run("state", "unlock", "running", "--yes"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// stateWith is a state with a serial and a number of resources.
func stateWith(serial, resources int) string {
	instances := strings.TrimSuffix(strings.Repeat(`{},`, resources), ",")
	return fmt.Sprintf(`{"version":4,"terraform_version":"1.11.4","serial":%d,"lineage":"l","outputs":{},"resources":[
		{"mode":"managed","type":"a","name":"b","provider":"p","instances":[%s]}]}`, serial, instances)
}

// keepStates makes a state as it was after each of some runs, with as many resources as
// its serial, and has it copied; the last is left.
func (w *world) keepStates(name string, serials ...int) {
	w.Helper()
	store, key := state.NewStore(apiServer, w.system), state.Key(w.namespace, name)
	for i, serial := range serials {
		w.deleteState(name)
		w.createState(name, stateWith(serial, serial))
		w.must(store.Keep(w.Context(), key, fmt.Sprintf("run-%d", serial), time.Now().Add(time.Duration(i-len(serials))*time.Hour)))
	}
}

func (w *world) deleteState(name string) {
	w.Helper()
	w.must(client.IgnoreNotFound(apiServer.Delete(w.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.system, Name: state.SecretName(state.Key(w.namespace, name))},
	})))
}

func TestStateHistory(t *testing.T) {
	w := newWorld(t)
	w.keepStates("orders", 2, 3, 5, 8)
	want := "SERIAL   RUN     KEPT      RESOURCES   TERRAFORM   SIZE   CURRENT\n" +
		"8        run-8   60m ago   8           1.11.4      1Ki    yes\n" +
		"5        run-5   120m ago   5           1.11.4      1Ki    \n" +
		"3        run-3   3h ago    3           1.11.4      1Ki    \n"
	if diff := cmp.Diff(fields(want), fields(w.mustRun("state", "history", "orders"))); diff != "" {
		t.Errorf("state history (-want +got):\n%s", diff)
	}
	w.deleteState("orders")
	w.createState("orders", stateWith(9, 1))
	out := w.mustRun("state", "history", "orders", "-o", "json")
	var got []pastState
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got) != 4 || got[0].Serial != 9 || !got[0].Current || got[0].KeptAt != nil || got[1].Current || got[1].Run != "run-8" {
		t.Errorf("state history -o json of a state that is not copied: %v\n%s", err, out)
	}
	w.deleteState("orders")
	if out := w.mustRun("state", "history", "orders"); !strings.Contains(out, "The state itself is gone; to put one of these back: groundwork state restore orders -n "+w.namespace) || !strings.Contains(out, "run-5") {
		t.Errorf("state history of a state that is gone:\n%s", out)
	}
	w.createState("orders", "?")
	if out := w.mustRun("state", "history", "orders"); !strings.Contains(out, "The state itself cannot be read: ") || !strings.Contains(out, "run-5") {
		t.Errorf("state history of a state that is damaged:\n%s", out)
	}
	if _, err := w.run("state", "history", "nothing"); err == nil || !strings.Contains(err.Error(), `there is no state of an Infrastructure "nothing"`) {
		t.Errorf("state history of nothing: %v", err)
	}
}

// fields are the lines of a table without the spaces between its columns.
func fields(table string) (lines [][]string) {
	for line := range strings.Lines(table) {
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

func TestStateRestore(t *testing.T) {
	w := newWorld(t)
	w.keepStates("lost", 2, 3)
	w.deleteState("lost")
	out := w.mustRun("state", "restore", "lost", "--yes")
	want := "To be put back: serial 3, 3 resources, kept 60m ago after run run-3.\nThe state now:  gone.\n" +
		"The state of lost is that of serial 3 again, with the serial 4.\nTo go on from it: groundwork reconcile lost -n " + w.namespace + "\n"
	if out != want || w.locked("lost") {
		t.Errorf("restore of the newest copy:\n%s\nlocked: %t", out, w.locked("lost"))
	}
	if out := w.mustRun("state", "list", "lost"); strings.Count(out, "a.b") != 3 {
		t.Errorf("the restored state has\n%s", out)
	}
	out = w.mustRun("state", "restore", "lost", "2", "--yes")
	if !strings.Contains(out, "The state now:  serial 4, 3 resources.\n") || !strings.Contains(out, "is that of serial 2 again, with the serial 5.") {
		t.Errorf("restore of an older copy:\n%s", out)
	}
	// What it replaced was kept, and is to be had again.
	if out := w.mustRun("state", "restore", "lost", "4", "--yes"); !strings.Contains(out, "with the serial 6.") {
		t.Errorf("restore of what was replaced:\n%s", out)
	}

	w.keepStates("held", 2, 3)
	w.deleteState("held")
	w.lock("held", "lock-1", "ben@laptop")
	w.keepStates("same", 2, 3)
	w.keepStates("runs", 2, 3)
	w.createPending("runs")
	w.keepStates("other", 2, 3)
	w.deleteState("other")
	w.createState("other", strings.ReplaceAll(stateWith(7, 1), `"lineage":"l"`, `"lineage":"m"`))
	w.createState("never", stateWith(1, 1))
	cases := map[string]struct {
		args []string
		want string
		code int
	}{
		"Locked by somebody.":        {[]string{"held", "--yes"}, "the state of held is locked by ben@laptop since ", 1},
		"A run under way.":           {[]string{"runs", "2", "--yes"}, "a run is under way: " + state.Key(w.namespace, "runs") + "-1 (Apply)", 1},
		"Of another lineage.":        {[]string{"other", "--yes"}, "pass --force", 1},
		"A serial that is not kept.": {[]string{"lost", "6", "--yes"}, "no copy of the state with the serial 6 is kept", 1},
		"What is there already.":     {[]string{"same", "--yes"}, "the state is that of the copy already; to list what is kept: groundwork state history same", 1},
		"No copy.":                   {[]string{"never", "--yes"}, "no copy of a state of never in namespace " + w.namespace + " is kept", 1},
		"A serial that is no such.":  {[]string{"lost", "latest", "--yes"}, `got the serial "latest"`, 2},
		"Nobody to ask.":             {[]string{"lost", "3"}, "there is no terminal to ask on", 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			out, err := w.run(append([]string{"state", "restore"}, c.args...)...)
			if exitCode(err) != c.code || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("exit code %d, want %d with %q: %v\n%s", exitCode(err), c.code, c.want, err, out)
			}
		})
	}
	if out := w.mustRun("state", "restore", "other", "--yes", "--force"); !strings.Contains(out, "with the serial 8.") {
		t.Errorf("restore by force:\n%s", out)
	}
	complete := append(w.flags([]string{"__complete"}), "state", "restore", "held", "")
	if out := mustRun(t, complete...); !strings.Contains(out, "3\t3 resources, kept 60m ago after run run-3\n2\t") {
		t.Errorf("completion of a serial:\n%s", out)
	}
}

// createPending makes the first Run of an Infrastructure, which no pod has taken.
func (w *world) createPending(name string) {
	w.Helper()
	key := state.Key(w.namespace, name)
	w.must(apiServer.Create(w.Context(), &v1alpha1.Run{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.system, Name: key + "-1", Labels: map[string]string{v1alpha1.LabelKey: key}},
		Spec: v1alpha1.RunSpec{
			Infrastructure: v1alpha1.InfrastructureReference{Namespace: w.namespace, Name: name, UID: "u", Generation: 1},
			Operation:      v1alpha1.OperationApply, Trigger: v1alpha1.TriggerChange,
		},
	}))
}

// TestStateRestore_rights works with just what the chart's Role for operators has, and
// names what an app team lacks.
func TestStateRestore_rights(t *testing.T) {
	w := newWorld(t)
	w.keepStates("orders", 2, 3)
	w.keepLog(state.Key(w.namespace, "orders")+"-1", "said\n", "true")
	w.asOperator()
	for _, args := range [][]string{
		{"logs", "orders", state.Key(w.namespace, "orders") + "-1"}, {"state", "list", "orders"}, {"state", "history", "orders"},
		{"state", "restore", "orders", "2", "--yes"},
	} {
		w.mustRun(args...)
	}
	w.lock("locked", "lock-1", "ben@laptop")
	w.mustRun("state", "unlock", "locked", "--yes")
	w.asAppTeam()
	want := "state restore: you (anna) may not list secrets in namespace " + w.system + ": that is for those who look after " + w.system
	if _, err := w.run("state", "restore", "orders", "--yes"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// asOperator makes the commands those of a user with the chart's Role for operators in
// the system namespace, and the right to look in the app's.
func (w *world) asOperator() {
	w.Helper()
	template, err := os.ReadFile("../../deploy/chart/templates/operator-rbac.yaml")
	w.must(err)
	// Nothing of its rules depends on values.
	_, rules, found := strings.Cut(string(template), "\nrules:\n")
	if !found {
		w.Fatal("the Role has no rules")
	}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: w.system, Name: "operator"}}
	w.must(yaml.UnmarshalStrict([]byte("rules:\n"+rules), role))
	w.must(apiServer.Create(w.Context(), role))
	look := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "operator"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.Group}, Resources: []string{"infrastructures"}, Verbs: []string{"get", "list", "watch"}}},
	}
	w.must(apiServer.Create(w.Context(), look))
	for _, namespace := range []string{w.namespace, w.system} {
		w.must(apiServer.Create(w.Context(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "operator"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "operator"},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "olga"}},
		}))
	}
	w.as = []string{"--as", "olga"}
}
