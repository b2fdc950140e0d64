package terraform

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/runner"
)

// server is the API server of all tests but those that stop it.
var server *testenv.APIServer

func TestMain(m *testing.M) {
	ctrllog.SetLogger(logr.Discard())
	var err error
	if server, err = testenv.Open(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// fixture is one Infrastructure's worth of Runs in a namespace of its own.
type fixture struct {
	*testing.T
	client     client.Client
	namespace  string
	kubeconfig string
	terraform  string
}

func newFixture(t *testing.T, config *rest.Config, kubeconfig string) *fixture {
	t.Helper()
	c, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "runner-"}}
	// The runner's own client knows no namespaces.
	admin, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	return &fixture{T: t, client: c, namespace: ns.Name, kubeconfig: kubeconfig, terraform: testenv.Terraform(t)}
}

// request returns an apply of a module with the given files.
func (f *fixture) request(files map[string]string, modify ...func(*runner.Request)) *runner.Request {
	backend, err := json.Marshal(map[string]any{"terraform": map[string]any{"backend": map[string]any{"kubernetes": map[string]any{
		"secret_suffix": "test", "namespace": f.namespace, "config_path": f.kubeconfig,
		"labels": map[string]string{v1alpha1.LabelKey: "test"},
	}}}})
	if err != nil {
		f.Fatal(err)
	}
	req := &runner.Request{
		Operation:    v1alpha1.OperationApply,
		Module:       v1alpha1.ModuleReference{Name: "test", Version: "1.0.0", Digest: "sha256:0"},
		Files:        archive(f.T, files),
		InputsDigest: "sha256:1",
		Variables:    json.RawMessage(`{}`),
		Backend:      backend,
		Snapshot:     "snapshot",
		Labels:       map[string]string{v1alpha1.LabelKey: "test"},
	}
	for _, m := range modify {
		m(req)
	}
	return req
}

// run makes a Run for a request and the Config of the pod that is to take it.
func (f *fixture) run(name string, req *runner.Request, modify ...func(*v1alpha1.Run)) Config {
	f.Helper()
	run := &v1alpha1.Run{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: f.namespace},
		Spec: v1alpha1.RunSpec{
			Infrastructure: v1alpha1.InfrastructureReference{Namespace: "shop", Name: "test", UID: "1"},
			Operation:      req.Operation,
			Module:         req.Module,
			InputsDigest:   req.InputsDigest,
			Timeout:        metav1.Duration{Duration: 10 * time.Minute},
		},
	}
	for _, m := range modify {
		m(run)
	}
	if err := f.client.Create(f.Context(), run); err != nil {
		f.Fatal(err)
	}
	return Config{
		Run:             types.NamespacedName{Namespace: f.namespace, Name: name},
		PodUID:          types.UID("pod-of-" + name),
		MemoryLimit:     1 << 30,
		GracePeriod:     time.Minute,
		RequestDir:      writeRequest(f.T, req),
		WorkDir:         f.TempDir(),
		TerraformBinary: f.terraform,
		ProvidersDir:    f.TempDir(),
		TerminationLog:  filepath.Join(f.TempDir(), "termination-log"),
		MemoryEvents:    filepath.Join(f.TempDir(), "memory.events"),
		Environ:         []string{"PATH=" + os.Getenv("PATH"), "USER=" + os.Getenv("USER")},
	}
}

// outcome is all that a run leaves behind.
type outcome struct {
	code   int
	log    string
	run    *v1alpha1.Run
	result runner.Result
}

// execute carries a Run out and reads what it has left. Each watch sees every
// line of the log as it is written.
func (f *fixture) execute(ctx context.Context, cfg Config, watches ...func(line string)) outcome {
	f.Helper()
	log := &watchedLog{watches: watches}
	o := outcome{code: New(cfg, f.client, log).Run(ctx)}
	o.log = log.buffer.String()
	f.Logf("%s: exit code %d\n%s", cfg.Run.Name, o.code, o.log)
	o.run = &v1alpha1.Run{}
	if err := f.client.Get(f.Context(), cfg.Run, o.run); err != nil {
		f.Fatal(err)
	}
	if message, err := os.ReadFile(cfg.TerminationLog); err == nil {
		if o.result, err = runner.ParseResult(string(message)); err != nil {
			f.Error(err)
		}
	}
	return o
}

// watchedLog is a pod's log that tests act on.
type watchedLog struct {
	buffer  bytes.Buffer
	watches []func(line string)
}

func (w *watchedLog) Write(line []byte) (int, error) {
	w.buffer.Write(line)
	for _, watch := range w.watches {
		watch(string(line))
	}
	return len(line), nil
}

// when calls f once, at the first line with the text.
func when(text string, f func()) func(string) {
	var once sync.Once
	return func(line string) {
		if strings.Contains(line, text) {
			once.Do(f)
		}
	}
}

// wantReason fails the test unless log, status, termination message and exit code
// agree on how the run ended.
func (f *fixture) wantReason(o outcome, want v1alpha1.RunReason) {
	f.Helper()
	phase, code := want.Phase(), runner.ExitSucceeded
	if phase == v1alpha1.RunFailed {
		code = runner.ExitFailed
	}
	if strings.Contains(o.log, "problems with the CLI configuration") {
		f.Errorf("Terraform does not take its configuration:\n%s", o.log)
	}
	status := o.run.Status
	if status.Reason != want || o.result.Reason != want || status.Phase != phase || o.code != code {
		f.Fatalf("want %s, %s, exit code %d; got status %s %s %q, termination message %s, exit code %d",
			want, phase, code, status.Phase, status.Reason, status.Message, o.result.Reason, o.code)
	}
	if status.FinishedAt == nil || len(status.Conditions) != 1 || status.Conditions[0].Reason != string(want) {
		f.Errorf("the status is not that of a finished run: %+v", status)
	}
}

// addresses returns the managed resources in the state, sorted.
func (f *fixture) addresses() []string {
	f.Helper()
	state := f.state()
	var all []string
	for _, r := range state.Resources {
		for range r.Instances {
			all = append(all, r.Type+"."+r.Name)
		}
	}
	slices.Sort(all)
	return all
}

type stateFile struct {
	Resources []struct {
		Type, Name string
		Instances  []struct{ Status string }
	}
}

func (f *fixture) state() stateFile {
	f.Helper()
	secret := f.secret("tfstate-default-test")
	zr, err := gzip.NewReader(bytes.NewReader(secret.Data["tfstate"]))
	if err != nil {
		f.Fatal(err)
	}
	var state stateFile
	if err := json.NewDecoder(zr).Decode(&state); err != nil {
		f.Fatal(err)
	}
	return state
}

// secret returns a Secret, nil when there is none.
func (f *fixture) secret(name string) *corev1.Secret {
	f.Helper()
	secret := &corev1.Secret{}
	err := f.client.Get(f.Context(), types.NamespacedName{Namespace: f.namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		f.Fatal(err)
	}
	return secret
}

// lockHolder returns the ID of the lock that is held; empty when none is.
func (f *fixture) lockHolder() string {
	f.Helper()
	lease := &coordinationv1.Lease{}
	name := types.NamespacedName{Namespace: f.namespace, Name: "lock-tfstate-default-test"}
	if err := f.client.Get(f.Context(), name, lease); err != nil {
		f.Fatal(err)
	}
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// archive packs files like modules.Module.Archive does.
func archive(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	tw := tar.NewWriter(zw)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}
		if err := tw.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeRequest(t testing.TB, req *runner.Request) string {
	t.Helper()
	data, err := req.SecretData()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range data {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
