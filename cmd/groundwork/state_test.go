package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

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
