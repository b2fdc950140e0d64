//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// The tests of deploy/examples: the charts, by Flux and by Helm itself.

const exampleVersion = "1.0.0"

// example creates the objects of a file in deploy/examples/flux in a namespace, with the
// charts in the stage's registry, and returns the HelmReleases by their names. change
// may be nil.
func example(t *testing.T, namespace, file string, change func(*unstructured.Unstructured)) map[string]*unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(stage.Root, "deploy", "examples", "flux", file))
	if err != nil {
		t.Fatal(err)
	}
	releases := map[string]*unstructured.Unstructured{}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			t.Fatal(err)
		}
		o.SetNamespace(namespace)
		switch o.GetKind() {
		case "OCIRepository":
			url, err := stage.PushChart(t.Context(), filepath.Join("deploy", "examples", o.GetName()), exampleVersion)
			if err != nil {
				t.Fatal(err)
			}
			set(t, o, url, "spec", "url")
			set(t, o, true, "spec", "insecure")
		case "HelmRelease":
			releases[o.GetName()] = o
			if o.GetName() == "orders" {
				set(t, o, "orders-"+namespace, "spec", "values", "database", "name")
				set(t, o, false, "spec", "values", "database", "finalSnapshot")
			}
			if change != nil {
				change(o)
			}
		}
		if err := stage.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return releases
}

func set(t *testing.T, o *unstructured.Unstructured, value any, path ...string) {
	t.Helper()
	if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
		t.Fatal(err)
	}
}

// infraOf is the Infrastructure of a name, to be read.
func infraOf(namespace, name string) *v1alpha1.Infrastructure {
	return &v1alpha1.Infrastructure{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

// ordersPod returns the one pod of the app, which is ready.
func ordersPod(t *testing.T, namespace string) *corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	if err := stage.Client.List(t.Context(), &pods, client.InNamespace(namespace), client.MatchingLabels{"app": "orders"}); err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 1 || len(pods.Items[0].Status.ContainerStatuses) != 1 || !pods.Items[0].Status.ContainerStatuses[0].Ready {
		t.Fatalf("want one pod of the app, ready, got %+v", pods.Items)
	}
	return &pods.Items[0]
}

// wantNothingLeft makes sure that an Infrastructure that was deleted goes, with all
// that it made.
func wantNothingLeft(t *testing.T, namespace string, names ...string) {
	t.Helper()
	for _, name := range names {
		waitGone(t, infraOf(namespace, name), databaseTimeout)
	}
	if found := resourcesNamed(t, namespace); len(found) != 0 {
		t.Errorf("left in the account: %+v", found)
	}
}

func TestFlux_orders(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	began := time.Now()
	release := example(t, ns, "orders.yaml", nil)["orders"]
	waitReleaseReady(t, release, databaseTimeout)
	took := time.Since(began)
	infra := infraOf(ns, "orders-db")
	get(t, infra)
	run := runs(t, infra)[0]
	// Figures for the log and not a condition: this machine runs other tests as well.
	t.Logf("from the HelmRelease to Ready: %s; of which to the Infrastructure %s, its Run %s, the pod's start %s, the end %s, the app's start %s",
		took, infra.CreationTimestamp.Sub(began), run.CreationTimestamp.Sub(began), run.Status.StartedAt.Sub(began), run.Status.FinishedAt.Sub(began),
		ordersPod(t, ns).Status.ContainerStatuses[0].State.Running.StartedAt.Sub(began))
	log, err := stage.Kubectl(t.Context(), "-n", ns, "logs", "deployment/orders")
	if err != nil || !strings.Contains(log, "SELECT answered") {
		t.Errorf("the app has not asked its database: %v\n%s", err, log)
	}

	before := ordersPod(t, ns)
	patchRelease(t, release, `{"spec":{"values":{"database":{"storageGB":30}}}}`)
	waitReleaseReady(t, release, databaseTimeout)
	all := runs(t, infra)
	if len(all) != 2 {
		t.Errorf("want one run for the upgrade, got %d in all", len(all))
	}
	for _, second := range all {
		if plan := second.Status.Plan; second.Name != run.Name && (plan.Update == 0 || plan.Create+plan.Replace+plan.Delete != 0) {
			t.Errorf("run %s: want an update in place and nothing else, got %+v", second.Name, plan)
		}
	}
	after := ordersPod(t, ns)
	if after.UID != before.UID || after.Status.ContainerStatuses[0].RestartCount != 0 {
		t.Errorf("the app's pod did not keep running: %s, then %s, %d restarts", before.UID, after.UID, after.Status.ContainerStatuses[0].RestartCount)
	}

	removeRelease(t, release, databaseTimeout)
	if err := stage.Client.Get(t.Context(), client.ObjectKeyFromObject(infra), infra); !apierrors.IsNotFound(err) {
		t.Errorf("the release is gone before the database is: %v", err)
	}
	wantNothingLeft(t, ns, "orders-db")
}

func patchRelease(t *testing.T, release *unstructured.Unstructured, patch string) {
	t.Helper()
	if err := stage.Client.Patch(t.Context(), release, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		t.Fatal(err)
	}
}

// Both releases are deleted at once, and the uninstall of the app's is over long before
// its database is destroyed.
func TestFlux_securityGroup(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	releases := example(t, ns, "orders-sg.yaml", func(release *unstructured.Unstructured) {
		if release.GetName() == "orders-sg" {
			set(t, release, "orders-"+ns, "spec", "values", "name")
		} else {
			set(t, release, "10s", "spec", "uninstall", "timeout")
		}
	})
	waitReleaseReady(t, releases["orders-sg"], awsTimeout)
	group := infraOf(ns, "orders-sg")
	get(t, group)
	id := outputs(t, group)["security_group_id"]
	waitReleaseReady(t, releases["orders"], databaseTimeout)
	if got := ordersPod(t, ns).Annotations["groundwork.dev/security-group-id"]; got != id || !strings.HasPrefix(id, "sg-") {
		t.Errorf("the pod's annotation: got %q, want the group's id %q", got, id)
	}

	for _, release := range releases {
		if err := stage.Client.Delete(t.Context(), release); err != nil {
			t.Fatal(err)
		}
	}
	database := infraOf(ns, "orders-db")
	waitReleaseGone(t, releases["orders"], time.Minute)
	if err := stage.Client.Get(t.Context(), client.ObjectKeyFromObject(database), database); err != nil {
		t.Errorf("want the database's destroy to outlive the release, got %v", err)
	}
	waitReleaseGone(t, releases["orders-sg"], databaseTimeout)
	wantNothingLeft(t, ns, "orders-db", "orders-sg")
	if found := resourcesNamed(t, id); len(found) != 0 {
		t.Errorf("left in the account: %+v", found)
	}
}

// Everything in one chart, by Helm itself.
func TestHelm_orders(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	helm := func(args ...string) string {
		t.Helper()
		out, err := stage.Helm(t.Context(), append(args, "--namespace", ns, "--wait", "--timeout", "15m")...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	chart := filepath.Join("deploy", "examples", "orders")
	values := []string{"--set", "database.name=orders-" + ns, "--set", "database.finalSnapshot=false", "--set", "securityGroup.create=true"}
	helm(append([]string{"install", "orders", chart}, values...)...)
	before := ordersPod(t, ns)
	helm(append([]string{"upgrade", "orders", chart, "--set", "database.storageGB=30"}, values...)...)
	storage := func() string {
		t.Helper()
		infra := infraOf(ns, "orders-db")
		get(t, infra)
		waitReady(t, infra, time.Second)
		return string(infra.Spec.Variables["storage_gb"].Raw)
	}
	if got := storage(); got != "30" {
		t.Errorf("storage_gb after the upgrade: got %s, want 30", got)
	}
	// What RDS cannot do, to shrink a disk, the rollback cannot either: only the number of
	// pods changes back.
	helm(append([]string{"upgrade", "orders", chart, "--set", "database.storageGB=30", "--set", "replicas=2"}, values...)...)
	helm("rollback", "orders", "2")
	if got := storage(); got != "30" {
		t.Errorf("storage_gb after the rollback: got %s, want 30", got)
	}
	eventually(t, time.Minute, "one pod is left", func(ctx context.Context) (bool, string) {
		var pods corev1.PodList
		err := stage.Client.List(ctx, &pods, client.InNamespace(ns), client.MatchingLabels{"app": "orders"})
		return err == nil && len(pods.Items) == 1, fmt.Sprintf("%d pods, %v", len(pods.Items), err)
	})
	if after := ordersPod(t, ns); after.UID != before.UID {
		t.Errorf("the first pod did not keep running: %s, then %s", before.UID, after.UID)
	}
	helm("uninstall", "orders")
	for _, name := range []string{"orders-db", "orders-sg"} {
		if err := stage.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &v1alpha1.Infrastructure{}); !apierrors.IsNotFound(err) {
			t.Errorf("after uninstall --wait: Infrastructure %s: %v", name, err)
		}
	}
	wantNothingLeft(t, ns, "orders-db", "orders-sg")
}
