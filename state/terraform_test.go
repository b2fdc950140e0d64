package state

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/zclconf/go-cty/cty"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// workspaceDir is a Terraform root module whose state is in the API server.
type workspaceDir struct {
	dir       string
	terraform string
	store     *Store
	client    client.Client
	key       string
}

// newWorkspace makes a root module with the backend of the key, as Backend
// configures it but for the way to the API server.
func newWorkspace(t *testing.T, cfg *rest.Config, kubeconfig, key, config string) *workspaceDir {
	t.Helper()
	c, err := client.New(cfg, client.Options{Scheme: testScheme()})
	if err != nil {
		t.Fatal(err)
	}
	w := &workspaceDir{
		dir: t.TempDir(), terraform: testenv.Terraform(t),
		store: NewStore(c, testNamespace), client: c, key: key,
	}
	var backend map[string]map[string]map[string]map[string]any
	if err := json.Unmarshal(Backend(testNamespace, key), &backend); err != nil {
		t.Fatal(err)
	}
	settings := backend["terraform"]["backend"]["kubernetes"]
	delete(settings, "in_cluster_config")
	settings["config_path"] = kubeconfig
	b, err := json.Marshal(backend)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "backend.tf.json", string(b))
	w.write(t, "main.tf", config)
	w.run(t, "init", "-input=false")
	return w
}

func (w *workspaceDir) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *workspaceDir) command(args ...string) *exec.Cmd {
	cmd := exec.Command(w.terraform, args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	return cmd
}

// run runs Terraform, which must succeed.
func (w *workspaceDir) run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := w.command(append(args, "-no-color")...).CombinedOutput(); err != nil {
		t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (w *workspaceDir) apply(t *testing.T)   { t.Helper(); w.run(t, "apply", "-auto-approve") }
func (w *workspaceDir) destroy(t *testing.T) { t.Helper(); w.run(t, "destroy", "-auto-approve") }

func (w *workspaceDir) lease(t *testing.T) *coordinationv1.Lease {
	t.Helper()
	l, err := w.store.lease(t.Context(), w.key)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestStore_terraform reads, unlocks and removes what Terraform itself writes to a
// real API server.
func TestStore_terraform(t *testing.T) {
	cfg, kubeconfig := testenv.Start(t)
	c, err := client.New(cfg, client.Options{Scheme: testScheme()})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: testNamespace}}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]func(t *testing.T, cfg *rest.Config, kubeconfig string){
		"Outputs of every type are read back, and a destroyed state is removed.": testOutputs,
		"Resources are read back, without what is sensitive.":                    testResources,
		"A lock is seen, and released lets the next run in.":                     testLock,
		"A state beyond 1 MiB is read, and a part of it missed.":                 testLarge,
		"A restored state gives a plan without changes.":                         testRestored,
		"Without rights everything is forbidden, and nothing absent.":            testForbidden,
	} {
		t.Run(name, func(t *testing.T) { test(t, cfg, kubeconfig) })
	}
	if left := names(t, c); left != nil {
		t.Errorf("left in the namespace: %v", left)
	}
}

func testOutputs(t *testing.T, cfg *rest.Config, kubeconfig string) {
	w := newWorkspace(t, cfg, kubeconfig, Key("shop", "outputs-1"), `
		resource "terraform_data" "this" {
		  count = 3
		}
		output "string" { value = "<a & \"b\">\n" }
		output "secret" {
		  value     = "s3cret"
		  sensitive = true
		}
		output "integer" { value = 12345678901234567890 }
		output "large"   { value = 100000000000000000000 }
		output "decimal" { value = 0.1 }
		output "bool"    { value = true }
		output "null"    { value = null }
		output "list"    { value = tolist(["a", "b"]) }
		output "set"     { value = toset([2, 1]) }
		output "map"     { value = tomap({ a = 1 }) }
		output "tuple"   { value = ["a", 1, null] }
		output "object"  { value = { a = { b = [true] }, c = tostring(null) } }
	`)
	// init alone writes an empty state.
	fresh, err := w.store.Read(t.Context(), w.key)
	if err != nil {
		t.Fatal(err)
	}
	if fresh.Resources != 0 || len(fresh.Outputs) != 0 {
		t.Errorf("the state after init is %+v, want an empty one", fresh)
	}
	w.apply(t)
	got, err := w.store.Read(t.Context(), w.key)
	if err != nil {
		t.Fatal(err)
	}
	want := &State{
		Lineage: fresh.Lineage, TerraformVersion: fresh.TerraformVersion, Resources: 3,
		Outputs: map[string]Output{
			"string":  {Value: cty.StringVal("<a & \"b\">\n")},
			"secret":  {Value: cty.StringVal("s3cret"), Sensitive: true},
			"integer": {Value: cty.MustParseNumberVal("12345678901234567890")},
			"large":   {Value: cty.MustParseNumberVal("100000000000000000000")},
			"decimal": {Value: cty.MustParseNumberVal("0.1")},
			"bool":    {Value: cty.True},
			"list":    {Value: cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")})},
			"set":     {Value: cty.SetVal([]cty.Value{cty.NumberIntVal(1), cty.NumberIntVal(2)})},
			"map":     {Value: cty.MapVal(map[string]cty.Value{"a": cty.NumberIntVal(1)})},
			"tuple":   {Value: cty.TupleVal([]cty.Value{cty.StringVal("a"), cty.NumberIntVal(1), cty.NullVal(cty.DynamicPseudoType)})},
			"object": {Value: cty.ObjectVal(map[string]cty.Value{
				"a": cty.ObjectVal(map[string]cty.Value{"b": cty.TupleVal([]cty.Value{cty.True})}),
				"c": cty.NullVal(cty.String),
			})},
		},
	}
	if diff := cmp.Diff(want, got, values(t), cmpopts.IgnoreFields(State{}, "Serial")); diff != "" {
		t.Errorf("Read() (-want +got):\n%s", diff)
	}
	if got.Serial <= fresh.Serial || got.Lineage == "" || got.TerraformVersion == "" {
		t.Errorf("serial %d after %d, lineage %q, version %q", got.Serial, fresh.Serial, got.Lineage, got.TerraformVersion)
	}
	if err := w.store.Remove(t.Context(), w.key); !errors.Is(err, ErrHasResources) {
		t.Errorf("Remove() of a state with resources: %v, want ErrHasResources", err)
	}
	w.destroy(t)
	if err := w.store.Remove(t.Context(), w.key); err != nil {
		t.Error(err)
	}
	if _, err := w.store.Read(t.Context(), w.key); !errors.Is(err, ErrAbsent) {
		t.Errorf("Read() after Remove(): %v, want ErrAbsent", err)
	}
}

func testResources(t *testing.T, cfg *rest.Config, kubeconfig string) {
	w := newWorkspace(t, cfg, kubeconfig, Key("shop", "resources"), `
		resource "terraform_data" "this" {
		  for_each = toset(["a"])
		  input    = { name = "orders", password = sensitive("s3cret") }
		}
	`)
	w.apply(t)
	resources, err := w.store.Resources(t.Context(), w.key)
	if err != nil {
		t.Fatal(err)
	}
	// The provider copies the input to the output, and Terraform does not know of it.
	if len(resources) != 1 || resources[0].Address != `terraform_data.this["a"]` || resources[0].Attributes["input"] != Sensitive {
		t.Errorf("the resources are %+v", resources)
	}
	w.destroy(t)
	if err := w.store.Remove(t.Context(), w.key); err != nil {
		t.Error(err)
	}
}

func testLock(t *testing.T, cfg *rest.Config, kubeconfig string) {
	w := newWorkspace(t, cfg, kubeconfig, Key("shop", "lock"), `
		resource "terraform_data" "slow" {
		  provisioner "local-exec" {
		    command = "until [ -e proceed ]; do sleep 0.1; done"
		  }
		}
	`)
	free := w.lease(t)
	before := time.Now().Add(-time.Minute)
	apply := w.command("apply", "-auto-approve")
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	got := waitForLock(t, w)
	if err := apply.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = apply.Wait() // it was killed
	w.write(t, "proceed", "")

	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if got.Pod() != host || got.Operation != "OperationTypeApply" || got.ID == "" || got.Version == "" || got.Created.Before(before) {
		t.Errorf("Lock() = %+v, want an apply from host %s, just now", got, host)
	}
	if abandoned, err := w.store.Abandoned(t.Context(), w.key, got); abandoned || err != nil {
		t.Errorf("Abandoned() of a lock that no Run holds = %v, %v", abandoned, err)
	}
	out, err := w.command("apply", "-auto-approve", "-no-color").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Error acquiring the state lock") {
		t.Errorf("an apply while the lock is held: %v\n%s", err, out)
	}
	if err := w.store.Remove(t.Context(), w.key); !errors.Is(err, ErrLocked) {
		t.Errorf("Remove() of a locked state: %v, want ErrLocked", err)
	}
	if err := w.store.Unlock(t.Context(), w.key, got); err != nil {
		t.Fatal(err)
	}
	unlocked := w.lease(t)
	if diff := cmp.Diff(free.Spec, unlocked.Spec); diff != "" {
		t.Errorf("spec of the Lease after the backend's unlock and after ours (-backend +ours):\n%s", diff)
	}
	if diff := cmp.Diff(free.ObjectMeta, unlocked.ObjectMeta, cmpopts.IgnoreFields(metav1.ObjectMeta{}, "ResourceVersion", "ManagedFields")); diff != "" {
		t.Errorf("Lease after the backend's unlock and after ours (-backend +ours):\n%s", diff)
	}
	w.apply(t)
	w.destroy(t)
	if err := w.store.Remove(t.Context(), w.key); err != nil {
		t.Error(err)
	}
}

// waitForLock waits until Terraform has taken the lock for an apply.
func waitForLock(t *testing.T, w *workspaceDir) *Lock {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		l, err := w.store.Lock(ctx, w.key)
		if err != nil {
			t.Fatalf("wait for the lock: %v", err)
		}
		if l != nil {
			return l
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func testLarge(t *testing.T, cfg *rest.Config, kubeconfig string) {
	const size = 2 << 20
	w := newWorkspace(t, cfg, kubeconfig, Key("shop", "large"), `
		resource "terraform_data" "this" {
		  input = "x"
		}
		output "noise" {
		  value = file("${path.module}/noise")
		}
	`)
	noise := make([]byte, size)
	source := rand.NewChaCha8([32]byte{7})
	for i := range noise {
		noise[i] = '0' + byte(source.Uint64()%64)
	}
	w.write(t, "noise", string(noise))
	w.apply(t)
	got, err := w.store.Read(t.Context(), w.key)
	if err != nil {
		t.Fatal(err)
	}
	if text := got.Outputs["noise"].Value.AsString(); text != string(noise) {
		t.Errorf("the output has %d bytes, or others than the %d that were written", len(text), size)
	}
	part := &corev1.Secret{}
	name := client.ObjectKey{Namespace: testNamespace, Name: partName(w.key, 1)}
	if err := w.client.Get(t.Context(), name, part); err != nil {
		t.Fatalf("a state of %d bytes has no second part: %v", size, err)
	}
	if err := w.client.Delete(t.Context(), part); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Read(t.Context(), w.key); !errors.Is(err, ErrUnreadable) {
		t.Errorf("Read() without a part: %v, want ErrUnreadable", err)
	}
	if err := w.store.Remove(t.Context(), w.key); !errors.Is(err, ErrUnreadable) {
		t.Errorf("Remove() without a part: %v, want ErrUnreadable", err)
	}
	restored := part.DeepCopy()
	restored.ObjectMeta = metav1.ObjectMeta{Namespace: part.Namespace, Name: part.Name, Labels: part.Labels, Annotations: part.Annotations}
	if err := w.client.Create(t.Context(), restored); err != nil {
		t.Fatal(err)
	}
	w.destroy(t)
	if err := w.store.Remove(t.Context(), w.key); err != nil {
		t.Error(err)
	}
}

// testRestored loses a state and puts its copy back; Terraform then has nothing to do, and
// goes on from it. The second state is larger than what one Secret holds.
func testRestored(t *testing.T, cfg *rest.Config, kubeconfig string) {
	w := newWorkspace(t, cfg, kubeconfig, Key("shop", "restored"), `
		resource "terraform_data" "this" {
		  count = 3
		  input = count.index == 0 ? filebase64("${path.module}/noise") : "x"
		}
		output "secret" {
		  value     = "s3cret"
		  sensitive = true
		}
	`)
	noise := make([]byte, 2<<20)
	if _, err := rand.NewChaCha8([32]byte{7}).Read(noise); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{10, len(noise)} {
		w.write(t, "noise", string(noise[:size]))
		w.apply(t)
		if err := w.store.Keep(t.Context(), w.key, "run", time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	copies, err := w.store.History(t.Context(), w.key)
	if err != nil || len(copies) != 2 {
		t.Fatalf("History() = %+v, %v", copies, err)
	}
	for n := range 3 {
		lost := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: testNamespace, Name: partName(w.key, n)}}
		if err := client.IgnoreNotFound(w.client.Delete(t.Context(), lost)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err = w.store.Restore(t.Context(), w.key, copies[0].Serial, false, "me@host", time.Now()); err != nil {
		t.Fatal(err)
	}
	// -detailed-exitcode: 0 is a plan without changes. It takes the lock, which is free.
	w.run(t, "plan", "-detailed-exitcode")

	// The older one was made of other input, so there is something to do, and Terraform
	// goes on from the serial that it was given.
	r, err := w.store.Restore(t.Context(), w.key, copies[1].Serial, false, "me@host", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t)
	w.run(t, "plan", "-detailed-exitcode")
	state, err := w.store.Read(t.Context(), w.key)
	if err != nil || state.Serial <= r.Serial || state.Resources != 3 {
		t.Errorf("after an apply: %+v, %v, want a serial beyond %d", state, err, r.Serial)
	}

	w.destroy(t)
	if err := w.store.Remove(t.Context(), w.key); err != nil {
		t.Fatal(err)
	}
	if err := w.client.DeleteAllOf(t.Context(), &corev1.Secret{}, client.InNamespace(testNamespace), client.HasLabels{v1alpha1.LabelStateCopy}); err != nil {
		t.Fatal(err)
	}
}

func testForbidden(t *testing.T, cfg *rest.Config, kubeconfig string) {
	w := newWorkspace(t, cfg, kubeconfig, Key("shop", "forbidden"), ``)
	nobody := rest.CopyConfig(cfg)
	nobody.Impersonate.UserName = "nobody"
	c, err := client.New(nobody, client.Options{Scheme: testScheme()})
	if err != nil {
		t.Fatal(err)
	}
	store := NewStore(c, testNamespace)
	_, readErr := store.Read(t.Context(), w.key)
	_, lockErr := store.Lock(t.Context(), w.key)
	_, snapshotErr := store.Snapshot(t.Context(), w.key)
	_, abandonedErr := store.Abandoned(t.Context(), w.key, &Lock{Who: "me@pod"})
	for what, err := range map[string]error{
		"Read":      readErr,
		"Lock":      lockErr,
		"Snapshot":  snapshotErr,
		"Abandoned": abandonedErr,
		"Unlock":    store.Unlock(t.Context(), w.key, &Lock{ID: "1"}),
		"Remove":    store.Remove(t.Context(), w.key),
	} {
		if diff := cmp.Diff([]string{"forbidden"}, kinds(err)); diff != "" {
			t.Errorf("%s() (-want +got):\n%s%v", what, diff, err)
		}
	}
	// The administrator's access still finds everything.
	if err := w.store.Remove(t.Context(), w.key); err != nil {
		t.Error(err)
	}
}
