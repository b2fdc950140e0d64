//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// keptStates asks the command line for the states of an object, newest first.
func keptStates(t *testing.T, infra *v1alpha1.Infrastructure) (states []struct {
	Serial  int64
	Run     string
	Current bool
}) {
	t.Helper()
	out := mustGroundwork(t, "state", "history", infra.Name, "-n", infra.Namespace, "-o", "json")
	if err := json.Unmarshal([]byte(out), &states); err != nil {
		t.Fatal(err)
	}
	return states
}

// TestState_restore loses the state of a bucket that has changed, and puts the newest copy
// back, then the older one.
func TestState_restore(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	bucket := "restored-" + ns
	with := func(days int) map[string]any {
		return map[string]any{"name": bucket, "noncurrent_version_expiration_days": days}
	}
	infra := create(t, ns, "bucket", "aws-s3-bucket", with(10))
	waitReady(t, infra, awsTimeout)
	update(t, infra, func(i *v1alpha1.Infrastructure) { i.Spec.Variables = values(t, with(20)) })
	waitReady(t, infra, awsTimeout)
	states := keptStates(t, infra)
	key := state.Key(ns, infra.Name)
	if len(states) != 2 || !states[0].Current || states[0].Run != key+"-2" || states[1].Run != key+"-1" {
		t.Fatalf("want copies of the two runs, the newest current, got %+v", states)
	}
	before := resourcesNamed(t, bucket)

	lost := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: state.SecretName(key)}}
	if err := stage.Client.Delete(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	mustGroundwork(t, "reconcile", infra.Name, "-n", ns)
	waitCondition(t, infra, time.Minute, v1alpha1.ConditionStalled, v1alpha1.ReasonStateMissing)
	if history := groundwork(t, "state", "history", infra.Name, "-n", ns); !strings.Contains(history.notes, "The state itself is gone") {
		t.Errorf("state history of a state that is gone: %+v", history)
	}

	restore := func(serial ...string) {
		t.Helper()
		args := append([]string{"state", "restore", infra.Name}, serial...)
		t.Log(mustGroundwork(t, append(args, "-n", ns, "--yes")...))
		mustGroundwork(t, "reconcile", infra.Name, "-n", ns, "--wait", "--timeout", "3m")
		get(t, infra)
		run := &v1alpha1.Run{ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: infra.Status.History[0].Run}}
		get(t, run)
		if run.Status.Reason != v1alpha1.RunReasonSucceeded || run.Status.Plan == nil || run.Status.Plan.Total() != 0 || run.Status.ApplyStartedAt != nil {
			t.Errorf("want a plan without changes after the restore, got %+v", run.Status)
		}
		if diff := cmp.Diff(before, resourcesNamed(t, bucket)); diff != "" {
			t.Errorf("the account has changed (-before +after):\n%s", diff)
		}
	}
	restore()
	// The bucket is as it was asked for since, which the plan sees, and not the state.
	restore(fmt.Sprint(states[1].Serial))
	waitReady(t, infra, awsTimeout)
	remove(t, infra, awsTimeout)
}

// TestLogs_kept reads the logs of a run that succeeded, of one that failed and of one
// whose runner was killed when their pods are gone. Values of sensitive variables that
// were planted are where they belong, and nowhere else.
func TestLogs_kept(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	canaries := map[string]string{}
	for _, name := range []string{"secret", "object", "error"} {
		canaries[name] = "canary-" + strings.ToLower(rand.Text())
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "canaries"},
		StringData: map[string]string{"secret": canaries["secret"], "object": `{"token":"` + canaries["object"] + `"}`, "error": canaries["error"]},
	}
	if err := stage.Client.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	from := func(key, variable string) v1alpha1.VariablesSource {
		return v1alpha1.VariablesSource{SecretKeyRef: &v1alpha1.KeyReference{Name: secret.Name, Key: key}, Variable: variable}
	}

	succeeds := create(t, ns, "succeeds", "outputs", nil, func(infra *v1alpha1.Infrastructure) {
		infra.Spec.VariablesFrom = []v1alpha1.VariablesSource{from("secret", "secret"), from("object", "secret_object")}
	})
	fails := create(t, ns, "fails", "failing", map[string]any{"mode": "apply"}, func(infra *v1alpha1.Infrastructure) {
		infra.Spec.VariablesFrom = []v1alpha1.VariablesSource{from("error", "secret")}
	})
	killed := create(t, ns, "killed", "slow", map[string]any{"seconds": 120})

	waitReady(t, succeeds, 2*time.Minute)
	wantLog(t, succeeds, 1, "terraform_data.secret: Creation complete", "Succeeded: Applied: ")

	waitFailed(t, fails, 1)
	suspend(t, fails)
	dropPod(t, fails, 1)
	wantLog(t, fails, 1, "The apply of step 2 fails because the variable mode says so. The secret is (sensitive).", "ApplyFailed: ")

	run := waitApplying(t, killed)
	suspend(t, killed)
	log := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: runner.LogName(run.Name)}}
	eventually(t, time.Minute, "the log is kept while the run lasts", func(ctx context.Context) (bool, string) {
		if err := stage.Client.Get(ctx, client.ObjectKeyFromObject(log), log); err != nil {
			return false, err.Error()
		}
		text, err := runner.ParseLog(log.Data)
		return err == nil && strings.Contains(string(text), "Creating..."), string(text)
	})
	killRunner(t, run.Name)
	waitFailed(t, killed, 1)
	dropPod(t, killed, 1)
	if notes := wantLog(t, killed, 1, "terraform_data.step_1[0]: Creating...").notes; !strings.Contains(notes, "The end of this log may be missing") {
		t.Errorf("the log of a runner that was killed says nothing of it: %q", notes)
	}

	wantSecret(t, canaries)
	// Where they belong.
	stateOf := unzipped(t, state.SecretName(state.Key(ns, succeeds.Name)), "tfstate")
	if !strings.Contains(stateOf, canaries["secret"]) || outputs(t, succeeds)["sensitive_string"] != canaries["secret"] {
		t.Error("the canaries did not reach the state and the output Secret, so the test proves nothing")
	}
	if copied := unzipped(t, state.CopyName(state.Key(ns, succeeds.Name), keptStates(t, succeeds)[0].Serial), "state"); !strings.Contains(copied, canaries["secret"]) {
		t.Error("the copy of the state has no canary, so it is not the state's")
	}
	all := []*v1alpha1.Infrastructure{succeeds, fails, killed}
	for _, infra := range all {
		if err := stage.Client.Delete(t.Context(), infra); err != nil {
			t.Fatal(err)
		}
		update(t, infra, func(i *v1alpha1.Infrastructure) { i.Spec.Suspend = false })
	}
	for _, infra := range all {
		waitGone(t, infra, 3*time.Minute)
	}
}

// wantLog asks the command line for the log of an object's nth run, whose pod is gone,
// and wants texts in it.
func wantLog(t *testing.T, infra *v1alpha1.Infrastructure, n int, texts ...string) said {
	t.Helper()
	run := fmt.Sprintf("%s-%d", state.Key(infra.Namespace, infra.Name), n)
	eventually(t, time.Minute, "the pod of "+run+" is gone", func(ctx context.Context) (bool, string) {
		err := stage.Client.Get(ctx, client.ObjectKey{Namespace: devenv.Namespace, Name: run}, &corev1.Pod{})
		return apierrors.IsNotFound(err), fmt.Sprint(err)
	})
	log := groundwork(t, "logs", infra.Name, run, "-n", infra.Namespace)
	for _, text := range texts {
		if log.code != 0 || !strings.Contains(log.out, text) {
			t.Errorf("the log of %s: exit code %d, want %q in it:\n%s%s", run, log.code, text, log.out, log.notes)
		}
	}
	return log
}

// waitFailed waits until the object's nth run has failed.
func waitFailed(t *testing.T, infra *v1alpha1.Infrastructure, n int) {
	t.Helper()
	run := &v1alpha1.Run{ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: fmt.Sprintf("%s-%d", state.Key(infra.Namespace, infra.Name), n)}}
	eventually(t, 2*time.Minute, run.Name+" has failed", func(ctx context.Context) (bool, string) {
		err := stage.Client.Get(ctx, client.ObjectKeyFromObject(run), run)
		return err == nil && run.Status.Phase == v1alpha1.RunFailed, fmt.Sprintf("%v %+v", err, run.Status)
	})
}

// suspend lets no other run begin.
func suspend(t *testing.T, infra *v1alpha1.Infrastructure) {
	t.Helper()
	update(t, infra, func(i *v1alpha1.Infrastructure) { i.Spec.Suspend = true })
}

// dropPod deletes the pod of an object's nth run, if it is there still.
func dropPod(t *testing.T, infra *v1alpha1.Infrastructure, n int) {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: fmt.Sprintf("%s-%d", state.Key(infra.Namespace, infra.Name), n)}}
	if err := client.IgnoreNotFound(stage.Client.Delete(t.Context(), pod)); err != nil {
		t.Fatal(err)
	}
}

// wantSecret looks for the canaries wherever people look, in the whole cluster.
func wantSecret(t *testing.T, canaries map[string]string) {
	t.Helper()
	looks := map[string]string{}
	for _, look := range [][]string{
		{"get", "infrastructures,runs,modules,providerconfigs,pods,events,configmaps,leases", "-A", "-o", "yaml"},
		{"get", "--raw", "/api/v1/namespaces/" + devenv.Namespace + "/services/groundwork-metrics:metrics/proxy/metrics"},
		{"-n", devenv.Namespace, "logs", "--tail=-1", "--selector=app.kubernetes.io/component=controller"},
	} {
		out, err := stage.Kubectl(t.Context(), look...)
		if err != nil {
			t.Fatal(err)
		}
		looks["kubectl "+strings.Join(look, " ")] = out
	}
	var secrets corev1.SecretList
	if err := stage.Client.List(t.Context(), &secrets, client.InNamespace(devenv.Namespace)); err != nil {
		t.Fatal(err)
	}
	logs := 0
	for i := range secrets.Items {
		if secret := &secrets.Items[i]; strings.HasSuffix(secret.Name, "-log") {
			text, err := runner.ParseLog(secret.Data)
			if err != nil {
				t.Errorf("Secret %s: %v", secret.Name, err)
			}
			logs++
			looks["Secret "+secret.Name] = string(text)
		}
	}
	if logs < 3 {
		t.Errorf("only %d logs are kept", logs)
	}
	for where, text := range looks {
		for name, canary := range canaries {
			if strings.Contains(text, canary) {
				t.Errorf("%s shows the canary %s", where, name)
			}
		}
	}
}

// unzipped reads a key of a Secret in the system namespace that is gzipped.
func unzipped(t *testing.T, name, key string) string {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: name}}
	get(t, secret)
	zip, err := gzip.NewReader(bytes.NewReader(secret.Data[key]))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
