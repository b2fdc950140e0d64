package infrastructure

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// This file does what runner pods do, as far as the controller can see.

// values returns variables from names and JSON.
func values(pairs ...string) map[string]apiextensionsv1.JSON {
	m := map[string]apiextensionsv1.JSON{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = apiextensionsv1.JSON{Raw: []byte(pairs[i+1])}
	}
	return m
}

// runs reads the Runs, newest first.
func (e *env) runs() []v1alpha1.Run {
	e.Helper()
	runs, err := listRuns(e.Context(), apiServer, e.system, e.key())
	e.must(err)
	return runs
}

// last is the newest Run; the test fails when there is none.
func (e *env) last() *v1alpha1.Run {
	e.Helper()
	runs := e.runs()
	if len(runs) == 0 {
		e.Fatal("there is no Run")
	}
	return &runs[0]
}

// wantRuns checks the number of Runs.
func (e *env) wantRuns(n int) {
	e.Helper()
	if got := e.runs(); len(got) != n {
		e.Fatalf("there are %d Runs, want %d", len(got), n)
	}
}

// request reads the request of a Run.
func (e *env) request(run *v1alpha1.Run) *runner.Request {
	e.Helper()
	secret := &corev1.Secret{}
	e.must(apiServer.Get(e.Context(), client.ObjectKeyFromObject(run), secret))
	req, err := runner.ParseRequest(secret.Data)
	e.must(err)
	return req
}

func (e *env) setStatus(run *v1alpha1.Run, change func(*v1alpha1.RunStatus)) {
	e.Helper()
	change(&run.Status)
	e.must(apiServer.Status().Update(e.Context(), run))
}

// newPod makes the pod of a Run.
func (e *env) newPod(run *v1alpha1.Run) {
	e.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: run.Namespace, Name: run.Name, Labels: run.Labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "runner", Image: "bundle"}}},
	}
	e.must(apiServer.Create(e.Context(), pod))
}

// removePod lets a pod be gone at once.
func (e *env) removePod(pod *corev1.Pod) {
	e.Helper()
	e.must(client.IgnoreNotFound(apiServer.Delete(e.Context(), pod, client.GracePeriodSeconds(0))))
}

// take lets a pod take a Run.
func (e *env) take(run *v1alpha1.Run) {
	e.Helper()
	e.setStatus(run, func(s *v1alpha1.RunStatus) {
		s.PodUID, s.Phase, s.Message = types.UID("pod of "+run.Name), v1alpha1.RunPlanning, "Planning"
	})
}

// begin lets a Run get as far as it can without having changed anything: the
// snapshot is written and the apply noted.
func (e *env) begin(run *v1alpha1.Run) {
	e.Helper()
	e.take(run)
	if run.Spec.Operation == v1alpha1.OperationApply {
		req := e.request(run)
		data, err := req.SecretData()
		e.must(err)
		e.put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.system, Name: req.Snapshot, Labels: req.Labels}, Data: data})
	}
	now := metav1.NewTime(e.clock.Now())
	e.setStatus(run, func(s *v1alpha1.RunStatus) { s.Phase, s.ApplyStartedAt = v1alpha1.RunApplying, &now })
}

// finish ends a Run, and tidies up as the run controller does.
func (e *env) finish(run *v1alpha1.Run, reason v1alpha1.RunReason, message string) {
	e.Helper()
	e.setStatus(run, func(s *v1alpha1.RunStatus) { s.Finish(reason, message, metav1.NewTime(e.clock.Now())) })
	e.remove(&corev1.Secret{}, run.Namespace, run.Name)
}

// succeed lets the newest Run succeed: it applies and has these outputs, or
// destroys.
func (e *env) succeed(outputs map[string]cty.Value) {
	e.Helper()
	run := e.last()
	e.begin(run)
	if run.Spec.Operation == v1alpha1.OperationDestroy {
		e.writeState(0, nil)
	} else {
		e.writeState(1, outputs)
	}
	e.finish(run, v1alpha1.RunReasonSucceeded, "done")
}

// fail lets the newest Run fail before it has touched anything.
func (e *env) fail(reason v1alpha1.RunReason) {
	e.Helper()
	run := e.last()
	e.take(run)
	e.finish(run, reason, "it did not work")
}

// queueOutputs are what a queue has.
func queueOutputs() map[string]cty.Value {
	return map[string]cty.Value{
		"url": cty.StringVal("https://queue"), "port": cty.NumberIntVal(5432), "replica": cty.NullVal(cty.String),
	}
}

// ready makes the object and everything that makes it Ready.
func (e *env) ready(modify ...func(*v1alpha1.Infrastructure)) {
	e.Helper()
	e.create(modify...)
	e.reconcile()
	e.succeed(queueOutputs())
	e.reconcile()
	e.want(v1alpha1.ReasonInSync)
}

// writeState writes a state of the kubernetes backend, and its Lease.
func (e *env) writeState(resources int, outputs map[string]cty.Value) {
	e.Helper()
	type object = map[string]any
	file := object{"version": 4, "terraform_version": "1.11.4", "serial": max(e.serial, 1), "lineage": "l", "outputs": object{}, "resources": []any{}}
	for name, value := range outputs {
		ty, err := ctyjson.MarshalType(value.Type())
		e.must(err)
		v, err := ctyjson.Marshal(value, value.Type())
		e.must(err)
		file["outputs"].(object)[name] = object{"type": json.RawMessage(ty), "value": json.RawMessage(v)}
	}
	for range resources {
		file["resources"] = append(file["resources"].([]any), object{"mode": "managed", "instances": []any{object{}}})
	}
	b, err := json.Marshal(file)
	e.must(err)
	e.writeStateData(gzipped(b))
	e.put(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: e.system, Name: state.LeaseName(e.key())}})
}

// writeStateData writes the Secret of a state.
func (e *env) writeStateData(data []byte) {
	e.Helper()
	e.put(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: e.system, Name: state.SecretName(e.key()),
			Labels: map[string]string{
				"tfstate": "true", "tfstateSecretSuffix": e.key(), "tfstateWorkspace": "default",
				"app.kubernetes.io/managed-by": "terraform",
			},
			Annotations: map[string]string{"encoding": "gzip"},
		},
		Data: map[string][]byte{"tfstate": data},
	})
}

func gzipped(b []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// lock lets user@host hold the state's lock, whose id is 1.
func (e *env) lock(who string) {
	e.Helper()
	id := "1"
	info, err := json.Marshal(map[string]any{
		"ID": id, "Who": who, "Operation": "OperationTypeApply", "Created": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	})
	e.must(err)
	e.put(&coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: e.system, Name: state.LeaseName(e.key()),
			Annotations: map[string]string{"app.terraform.io/lock-info": string(info)},
		},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &id},
	})
}

// put creates an object, or replaces the one of its name.
func (e *env) put(obj client.Object) {
	e.Helper()
	err := apiServer.Create(e.Context(), obj)
	if apierrors.IsAlreadyExists(err) {
		current := obj.DeepCopyObject().(client.Object)
		e.must(apiServer.Get(e.Context(), client.ObjectKeyFromObject(obj), current))
		obj.SetResourceVersion(current.GetResourceVersion())
		err = apiServer.Update(e.Context(), obj)
	}
	e.must(err)
}

// remove deletes an object, if it is there.
func (e *env) remove(obj client.Object, namespace, name string) {
	e.Helper()
	obj.SetNamespace(namespace)
	obj.SetName(name)
	e.must(client.IgnoreNotFound(apiServer.Delete(e.Context(), obj)))
}

// secret reads a Secret of the app; nil when it does not exist.
func (e *env) secret(name string) *corev1.Secret {
	e.Helper()
	secret := &corev1.Secret{}
	err := apiServer.Get(e.Context(), client.ObjectKey{Namespace: e.namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	e.must(err)
	return secret
}
