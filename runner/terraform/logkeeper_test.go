package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// fakeLogs is a client that takes logs, and fails the first writes.
type fakeLogs struct {
	client.Client
	fails []error
	wrote []string // "12 lines", with ", ended" behind
}

func (f *fakeLogs) Patch(_ context.Context, _ client.Object, patch client.Patch, _ ...client.PatchOption) error {
	b, err := patch.Data(nil)
	if err != nil {
		return err
	}
	secret := &corev1.Secret{}
	if err := json.Unmarshal(b, secret); err != nil {
		return err
	}
	text, err := runner.ParseLog(secret.Data)
	if err != nil {
		return err
	}
	wrote := fmt.Sprintf("%d lines", strings.Count(string(text), "\n"))
	if secret.Annotations[runner.AnnotationLogEnded] == "true" {
		wrote += ", ended"
	}
	f.wrote = append(f.wrote, wrote)
	if len(f.fails) == 0 {
		return nil
	}
	err, f.fails = f.fails[0], f.fails[1:]
	return err
}

func TestLogKeeper(t *testing.T) {
	away := errors.New("connection refused")
	refused := apierrors.NewInvalid(schema.GroupKind{}, "log", nil)
	cases := map[string]struct {
		takes time.Duration // of the run, with a line each second but for the last minute
		fails []error
		want  []string
	}{
		"A run of some seconds writes once.":              {5 * time.Second, nil, []string{"5 lines, ended"}},
		"One that lasts does so every now and then.":      {40*time.Second + 500*time.Millisecond, nil, []string{"15 lines", "30 lines", "40 lines, ended"}},
		"One that says nothing more does not go on.":      {4 * time.Minute, nil, []string{"15 lines", "30 lines", "45 lines", "60 lines", "60 lines, ended"}},
		"What could not be written is, with what follows": {40*time.Second + 500*time.Millisecond, []error{away}, []string{"15 lines", "30 lines", "40 lines, ended"}},
		"What is refused is not written again and again.": {4 * time.Minute, []error{refused}, []string{"15 lines", "60 lines, ended"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				logs, log := &fakeLogs{fails: c.fails}, newKeptLog(maxKeptLog)
				k := startLogKeeper(logs, log, &v1alpha1.Run{}, nil)
				ctx, cancel := context.WithTimeout(t.Context(), c.takes)
				defer cancel()
				for range 60 {
					select {
					case <-ctx.Done():
					case <-time.After(time.Second - time.Millisecond):
						fmt.Fprintln(log, "said")
						time.Sleep(time.Millisecond)
					}
				}
				<-ctx.Done()
				k.stop()
				if err := k.end(t.Context()); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(c.want, logs.wrote); diff != "" {
					t.Errorf("written (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// keptLog reads the log that is kept of a Run, empty when there is none, and whether it
// goes to the end.
func (f *fixture) keptLog(run string) (text string, ended bool) {
	f.Helper()
	secret := f.secret(runner.LogName(run))
	if secret == nil {
		return "", false
	}
	b, err := runner.ParseLog(secret.Data)
	if err != nil {
		f.Fatal(err)
	}
	return string(b), secret.Annotations[runner.AnnotationLogEnded] == "true"
}

// patches is a client that notes patches before it makes them, and fails those of the
// log a number of times.
type patches struct {
	client.Client
	mu    sync.Mutex
	made  []string
	fails int
}

func (p *patches) note(what string) (fail bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = append(p.made, what)
	if fail = strings.HasSuffix(what, "-log") && p.fails > 0; fail {
		p.fails--
	}
	return fail
}

func (p *patches) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	if p.note(obj.GetName()) {
		return errors.New("injected")
	}
	return p.Client.Patch(ctx, obj, patch, opts...)
}

func (p *patches) Status() client.SubResourceWriter { return &statusPatches{p.Client.Status(), p} }

type statusPatches struct {
	client.SubResourceWriter
	patches *patches
}

func (s *statusPatches) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	s.patches.note("status of " + obj.GetName())
	return s.SubResourceWriter.Patch(ctx, obj, patch, opts...)
}

// TestRunner_Run_log compares what is kept of a log with the pod's.
func TestRunner_Run_log(t *testing.T) {
	f := newFixture(t, server.Config, server.Kubeconfig)
	api := f.client
	execute := func(name string, fails int) (outcome, []string) {
		noted := &patches{Client: api, fails: fails}
		f.client = noted
		defer func() { f.client = api }()
		return f.execute(t.Context(), f.run(name, f.request(map[string]string{"main.tf": counted}, withVariables(`{"n": 1}`)))), noted.made
	}
	o, made := execute("kept", 0)
	f.wantReason(o, v1alpha1.RunReasonSucceeded)
	text, ended := f.keptLog("kept")
	if diff := cmp.Diff(o.log, text); diff != "" || !ended {
		t.Errorf("the kept log goes to the end: %t; it differs from the pod's (-pod +kept):\n%s", ended, diff)
	}
	if at := slices.Index(made, "kept-log"); at != len(made)-2 || made[at+1] != "status of kept" {
		t.Errorf("want the log written once, just before the result: %q", made)
	}
	secret := f.secret("kept-log")
	owners := []metav1.OwnerReference{{APIVersion: "infra.groundwork.dev/v1alpha1", Kind: "Run", Name: "kept", UID: o.run.UID}}
	if diff := cmp.Diff(owners, secret.OwnerReferences); diff != "" || secret.Type != corev1.SecretTypeOpaque || secret.Labels[v1alpha1.LabelKey] != "test" {
		t.Errorf("the Secret's owner, type or labels are wrong: %s\n%+v", diff, secret.ObjectMeta)
	}

	o, made = execute("late", 2)
	f.wantReason(o, v1alpha1.RunReasonSucceeded)
	if text, ended := f.keptLog("late"); text != o.log || !ended {
		t.Errorf("a log that could not be written at first: %t\n%s", ended, text)
	}
	if want := []string{"late-log", "status of late", "late-log", "late-log"}; !slices.Equal(made[len(made)-4:], want) {
		t.Errorf("want the result not to wait for the log, %q: %q", want, made)
	}
}
