//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
	"github.com/groundwork-dev/groundwork/state"
)

// newNamespace makes a namespace for one test and deletes it afterwards.
func newNamespace(t *testing.T) string {
	t.Helper()
	return newNamespaceWith(t, nil)
}

func newNamespaceWith(t *testing.T, labels map[string]string) string {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-", Labels: labels}}
	if err := stage.Client.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		if t.Failed() {
			t.Log(describe(ctx, ns.Name))
		}
		if err := stage.Client.Delete(ctx, ns); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	})
	return ns.Name
}

// describe tells what is in a namespace, for a test that has failed.
func describe(ctx context.Context, namespace string) string {
	var b strings.Builder
	var infras v1alpha1.InfrastructureList
	_ = stage.Client.List(ctx, &infras, client.InNamespace(namespace)) // Best effort.
	for i := range infras.Items {
		infra := &infras.Items[i]
		status, _ := json.MarshalIndent(infra.Status, "", "  ")
		fmt.Fprintf(&b, "Infrastructure %s: %s\n", infra.Name, status)
		var runs v1alpha1.RunList
		_ = stage.Client.List(ctx, &runs, client.MatchingLabels{v1alpha1.LabelKey: state.Key(namespace, infra.Name)})
		for j := range runs.Items {
			status, _ := json.MarshalIndent(runs.Items[j].Status, "", "  ")
			fmt.Fprintf(&b, "Run %s: %s\n", runs.Items[j].Name, status)
		}
	}
	return b.String()
}

// change is a change to an Infrastructure before it is created.
type change func(*v1alpha1.Infrastructure)

// create creates an Infrastructure of a module; variables are name, value, and so
// on.
func create(t *testing.T, namespace, name, module string, variables map[string]any, changes ...change) *v1alpha1.Infrastructure {
	t.Helper()
	infra := newInfra(t, namespace, name, module, variables, changes...)
	if err := stage.Client.Create(t.Context(), infra); err != nil {
		t.Fatal(err)
	}
	return infra
}

// newInfra is what create creates.
func newInfra(t *testing.T, namespace, name, module string, variables map[string]any, changes ...change) *v1alpha1.Infrastructure {
	t.Helper()
	infra := &v1alpha1.Infrastructure{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.InfrastructureSpec{Module: module, Variables: values(t, variables)},
	}
	for _, change := range changes {
		change(infra)
	}
	return infra
}

func values(t *testing.T, variables map[string]any) map[string]apiextensionsv1.JSON {
	t.Helper()
	m := map[string]apiextensionsv1.JSON{}
	for name, value := range variables {
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		m[name] = apiextensionsv1.JSON{Raw: raw}
	}
	return m
}

// update changes the object as it is now, again when it has changed meanwhile.
func update(t *testing.T, infra *v1alpha1.Infrastructure, change func(*v1alpha1.Infrastructure)) {
	t.Helper()
	for {
		get(t, infra)
		change(infra)
		err := stage.Client.Update(t.Context(), infra)
		if err == nil {
			return
		}
		if !apierrors.IsConflict(err) {
			t.Fatal(err)
		}
	}
}

func get(t *testing.T, obj client.Object) {
	t.Helper()
	if err := stage.Client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
		t.Fatal(err)
	}
}

// eventually asks until the answer is yes; what tells why it is not yet.
func eventually(t *testing.T, timeout time.Duration, what string, ask func(context.Context) (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		yes, why := ask(t.Context())
		if yes {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s: %s", timeout, what, why)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// waitReady waits until the object is Ready for its current generation.
func waitReady(t *testing.T, infra *v1alpha1.Infrastructure, timeout time.Duration) {
	t.Helper()
	waitCondition(t, infra, timeout, v1alpha1.ConditionReady, v1alpha1.ReasonInSync)
}

// waitCondition waits until a condition is True for the current generation, with
// the given reason.
func waitCondition(t *testing.T, infra *v1alpha1.Infrastructure, timeout time.Duration, condition, reason string) {
	t.Helper()
	eventually(t, timeout, fmt.Sprintf("%s of %s is True (%s)", condition, infra.Name, reason), func(ctx context.Context) (bool, string) {
		if err := stage.Client.Get(ctx, client.ObjectKeyFromObject(infra), infra); err != nil {
			return false, err.Error()
		}
		c := meta.FindStatusCondition(infra.Status.Conditions, condition)
		if c == nil {
			ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
			return false, fmt.Sprintf("it is absent; Ready is %+v", ready)
		}
		return c.Status == metav1.ConditionTrue && c.Reason == reason && c.ObservedGeneration == infra.Generation, fmt.Sprintf("%+v", *c)
	})
}

// remove deletes the object and waits until it and all that was kept for it is
// gone.
func remove(t *testing.T, infra *v1alpha1.Infrastructure, timeout time.Duration) {
	t.Helper()
	if err := stage.Client.Delete(t.Context(), infra); err != nil {
		t.Fatal(err)
	}
	waitGone(t, infra, timeout)
}

func waitGone(t *testing.T, infra *v1alpha1.Infrastructure, timeout time.Duration) {
	t.Helper()
	waitDeleted(t, infra, timeout)
	eventually(t, 30*time.Second, "nothing is left in the system namespace of "+infra.Name, func(ctx context.Context) (bool, string) {
		left := leftovers(ctx, t, state.Key(infra.Namespace, infra.Name))
		return len(left) == 0, strings.Join(left, ", ")
	})
}

// waitDeleted waits until the object itself is gone, whatever is left of it.
func waitDeleted(t *testing.T, infra *v1alpha1.Infrastructure, timeout time.Duration) {
	t.Helper()
	eventually(t, timeout, "Infrastructure "+infra.Name+" is gone", func(ctx context.Context) (bool, string) {
		err := stage.Client.Get(ctx, client.ObjectKeyFromObject(infra), infra)
		return apierrors.IsNotFound(err), fmt.Sprintf("%v %+v", err, infra.Status.Conditions)
	})
}

// leftovers names what is kept of a key.
func leftovers(ctx context.Context, t *testing.T, key string) []string {
	t.Helper()
	var left []string
	for _, obj := range kept(ctx, t, key) {
		left = append(left, obj.Kind+" "+obj.Name)
	}
	return left
}

// kept are the objects in the system namespace whose name has a part in it, of a key all of
// them: state, parts, Lease, snapshot, requests, logs, Runs and pods.
func kept(ctx context.Context, t *testing.T, part string) []*metav1.PartialObjectMetadata {
	t.Helper()
	var kept []*metav1.PartialObjectMetadata
	for _, kind := range []schema.GroupVersionKind{
		corev1.SchemeGroupVersion.WithKind("Secret"), corev1.SchemeGroupVersion.WithKind("Pod"), corev1.SchemeGroupVersion.WithKind("ConfigMap"),
		coordinationv1.SchemeGroupVersion.WithKind("Lease"), v1alpha1.GroupVersion().WithKind("Run"),
	} {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		if err := stage.Client.List(ctx, list, client.InNamespace(devenv.Namespace)); err != nil {
			t.Fatal(err)
		}
		for i := range list.Items {
			if obj := &list.Items[i]; strings.Contains(obj.Name, part) {
				obj.SetGroupVersionKind(kind)
				kept = append(kept, obj)
			}
		}
	}
	return kept
}

// outputs reads the output Secret.
func outputs(t *testing.T, infra *v1alpha1.Infrastructure) map[string]string {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: infra.Namespace, Name: infra.Status.Outputs.SecretName}}
	get(t, secret)
	data := map[string]string{}
	for key, value := range secret.Data {
		data[key] = string(value)
	}
	return data
}

// runs lists the object's Runs.
func runs(t *testing.T, infra *v1alpha1.Infrastructure) []v1alpha1.Run {
	t.Helper()
	var list v1alpha1.RunList
	err := stage.Client.List(t.Context(), &list, client.InNamespace(devenv.Namespace),
		client.MatchingLabels{v1alpha1.LabelKey: state.Key(infra.Namespace, infra.Name)})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// waitApplying waits until a run of the object changes resources, and returns it.
func waitApplying(t *testing.T, infra *v1alpha1.Infrastructure) *v1alpha1.Run {
	t.Helper()
	var applying *v1alpha1.Run
	eventually(t, awsTimeout, "a run of "+infra.Name+" is applying", func(context.Context) (bool, string) {
		for _, run := range runs(t, infra) {
			if run.Status.Phase == v1alpha1.RunApplying {
				applying = &run
				return true, ""
			}
		}
		return false, ""
	})
	return applying
}

// resourcesNamed lists what the AWS account has of which the id contains name.
func resourcesNamed(t *testing.T, name string) []devenv.Resource {
	t.Helper()
	all, err := stage.AWS.Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var found []devenv.Resource
	for _, r := range all {
		if strings.Contains(r.ID, name) {
			found = append(found, r)
		}
	}
	return found
}
