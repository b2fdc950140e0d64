//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// as returns a client with the name, and for a pod's token the pod, of a ServiceAccount of
// Groundwork.
func as(t *testing.T, name, pod string) client.Client {
	t.Helper()
	config := rest.CopyConfig(stage.Config)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: account(name),
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + devenv.Namespace, "system:authenticated"},
	}
	if pod != "" {
		config.Impersonate.Extra = map[string][]string{"authentication.kubernetes.io/pod-name": {pod}}
	}
	c, err := client.New(config, client.Options{Scheme: stage.Client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return client.NewDryRunClient(c)
}

// What RBAC allows, the admission policies refuse, when a token is in the wrong hands.
func TestPolicies_stolenToken(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	meta := func(namespace, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name}
	}
	secret := func(name string, kind corev1.SecretType) client.Object {
		return &corev1.Secret{ObjectMeta: meta(devenv.Namespace, name), Type: kind}
	}
	token := &corev1.Secret{ObjectMeta: meta(devenv.Namespace, "tfstate-default-shop-db-a"), Type: corev1.SecretTypeServiceAccountToken}
	token.Annotations = map[string]string{corev1.ServiceAccountNameKey: "groundwork-controller"}
	of := func(namespace string) client.Object {
		o := token.DeepCopy()
		o.Namespace = namespace
		o.Annotations[corev1.ServiceAccountNameKey] = "default"
		return o
	}
	foreign := &corev1.Secret{ObjectMeta: meta(ns, "foreign")}
	if err := stage.Client.Create(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	previewing := as(t, "groundwork-runner", "shop-db-a-preview-abcdef")
	runner, unbound, controller := as(t, "groundwork-runner", "shop-db-a-7"), as(t, "groundwork-runner", ""), as(t, "groundwork-controller", "")
	for _, tc := range []struct {
		what string
		do   error
		want string // part of the refusal; empty: it is taken
	}{
		{"its own state", runner.Create(t.Context(), secret("tfstate-default-shop-db-a", corev1.SecretTypeOpaque)), ""},
		{"a part of it", runner.Create(t.Context(), secret("tfstate-default-shop-db-a-part-12", corev1.SecretTypeOpaque)), ""},
		{"its own snapshot", runner.Create(t.Context(), secret("groundwork-snapshot-shop-db-a", corev1.SecretTypeOpaque)), ""},
		{"its own plan", runner.Create(t.Context(), secret("shop-db-a-7-plan", corev1.SecretTypeOpaque)), ""},
		{"its own log", runner.Create(t.Context(), secret("shop-db-a-7-log", corev1.SecretTypeOpaque)), ""},
		{"another run's log", runner.Create(t.Context(), secret("shop-db-a-6-log", corev1.SecretTypeOpaque)), "its own state, snapshot"},
		{"a copy of its state", runner.Create(t.Context(), secret("groundwork-state-shop-db-a-3", corev1.SecretTypeOpaque)), "its own state, snapshot"},
		{"the diff of a preview", previewing.Create(t.Context(), secret("shop-db-a-preview-abcdef-diff", corev1.SecretTypeOpaque)), ""},
		{"the diff of another", previewing.Create(t.Context(), secret("shop-db-a-preview-abcdeg-diff", corev1.SecretTypeOpaque)), "its own state, snapshot"},
		{"the state, by a preview", previewing.Create(t.Context(), secret("tfstate-default-shop-db-a", corev1.SecretTypeOpaque)), "its own state, snapshot"},
		{"the snapshot, by a preview", previewing.Create(t.Context(), secret("groundwork-snapshot-shop-db-a", corev1.SecretTypeOpaque)), "its own state, snapshot"},
		{"another run's plan", runner.Create(t.Context(), secret("shop-db-a-6-plan", corev1.SecretTypeOpaque)), "its own state, snapshot"},
		{"its own lock", runner.Create(t.Context(), &coordinationv1.Lease{ObjectMeta: meta(devenv.Namespace, "lock-tfstate-default-shop-db-a")}), ""},
		{"the state of another", runner.Create(t.Context(), secret("tfstate-default-shop-db-b", corev1.SecretTypeOpaque)), "its own state, snapshot"},
		{"a state that begins like its own", runner.Create(t.Context(), secret("tfstate-default-shop-db-a-part-x", corev1.SecretTypeOpaque)), "its own state, snapshot"},
		{"another run's request", runner.Create(t.Context(), secret("bank-db-b-3", corev1.SecretTypeOpaque)), "its own state, snapshot"},
		{"the controller's token", runner.Create(t.Context(), token.DeepCopy()), "type Opaque only"},
		{"the credentials' removal", runner.Delete(t.Context(), secret(devenv.Credentials, "")), "its own state, snapshot"},
		{"the lock of another", runner.Create(t.Context(), &coordinationv1.Lease{ObjectMeta: meta(devenv.Namespace, "lock-tfstate-default-shop-db-b")}), "its own state only"},
		{"a token that no pod has", unbound.Create(t.Context(), secret("tfstate-default-shop-db-a", corev1.SecretTypeOpaque)), "own state, snapshot"},
		{"a ServiceAccount's token for the controller", controller.Create(t.Context(), of(ns)), "no Secrets that ask for a token"},
		{"the change of an app's Secret", controller.Patch(t.Context(), foreign.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(`{"stringData":{"a":"b"}}`))), "Secrets that it has made"},
		{"the removal of an app's Secret", controller.Delete(t.Context(), foreign.DeepCopy()), "Secrets that it has made"},
	} {
		if tc.want == "" && tc.do != nil {
			t.Errorf("%s: refused: %v", tc.what, tc.do)
		}
		if tc.want != "" && (tc.do == nil || !strings.Contains(tc.do.Error(), tc.want)) {
			t.Errorf("%s: got %v, want a refusal: %s", tc.what, tc.do, tc.want)
		}
	}
}

// The API server refuses to delete what is protected, and says how to lift that.
func TestPolicies_protect(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	infra := &v1alpha1.Infrastructure{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "kept"},
		Spec:       v1alpha1.InfrastructureSpec{Module: "outputs", DeletionPolicy: v1alpha1.DeletionPolicyProtect},
	}
	if err := stage.Client.Create(t.Context(), infra); err != nil {
		t.Fatal(err)
	}
	refusals := map[string]error{
		"the object":          stage.Client.Delete(t.Context(), infra),
		"all objects":         stage.Client.DeleteAllOf(t.Context(), &v1alpha1.Infrastructure{}, client.InNamespace(ns)),
		"as the orphan of it": stage.Client.Delete(t.Context(), infra, client.PropagationPolicy(metav1.DeletePropagationOrphan)),
	}
	want := `kubectl -n ` + ns + ` patch infra kept --type merge -p '{"spec":{"deletionPolicy":"Delete"}}'`
	for what, err := range refusals {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("deleting %s: got %v, want a refusal with %s", what, err, want)
		}
	}
	if err := stage.Client.Patch(t.Context(), infra, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"deletionPolicy":"Delete"}}`))); err != nil {
		t.Fatal(err)
	}
	if err := stage.Client.Delete(t.Context(), infra); err != nil {
		t.Errorf("deleting what is no longer protected: %v", err)
	}
}

// Who writes an Infrastructure needs the verb use on its module, which a Role of the
// namespace can give. By default every authenticated user has it, so that the one here
// is none.
func TestPolicies_use(t *testing.T) {
	t.Parallel()
	ns, other := newNamespace(t), newNamespace(t)
	subjects := []rbacv1.Subject{{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: ns}}
	write := rbacv1.PolicyRule{APIGroups: []string{v1alpha1.Group}, Resources: []string{"infrastructures"}, Verbs: []string{"get", "create", "update", "patch"}}
	use := rbacv1.PolicyRule{APIGroups: []string{v1alpha1.Group}, Resources: []string{"modules"}, Verbs: []string{"use"}, ResourceNames: []string{"outputs"}}
	for namespace, rules := range map[string][]rbacv1.PolicyRule{ns: {write, use}, other: {write}} {
		meta := metav1.ObjectMeta{Namespace: namespace, Name: "team"}
		role := &rbacv1.Role{ObjectMeta: meta, Rules: rules}
		binding := &rbacv1.RoleBinding{ObjectMeta: meta, Subjects: subjects, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "team"}}
		for _, obj := range []client.Object{role, binding} {
			if err := stage.Client.Create(t.Context(), obj); err != nil {
				t.Fatal(err)
			}
		}
	}
	config := rest.CopyConfig(stage.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "system:anonymous", Groups: []string{ns}}
	// The kinds are known already: nobody but the authenticated may ask for them.
	team, err := client.New(config, client.Options{Scheme: stage.Client.Scheme(), Mapper: stage.Client.RESTMapper()})
	if err != nil {
		t.Fatal(err)
	}
	object := func(namespace, module string) *v1alpha1.Infrastructure {
		return &v1alpha1.Infrastructure{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "db"},
			Spec:       v1alpha1.InfrastructureSpec{Module: module, Suspend: true},
		}
	}
	refused := func(what string, err error, module, namespace string) {
		t.Helper()
		want := "spec.module: system:anonymous may not use module " + module + " in namespace " + namespace
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want a refusal with %q", what, err, want)
		}
	}
	mine := object(ns, "outputs")
	eventually(t, time.Minute, "a role that counts", func(ctx context.Context) (bool, string) {
		err := team.Create(ctx, mine)
		return err == nil, fmt.Sprint(err)
	})
	refused("another module", team.Create(t.Context(), object(ns, "slow")), "slow", ns)
	refused("another namespace", team.Create(t.Context(), object(other, "outputs")), "outputs", other)
	// A patch, because the controller writes the object meanwhile.
	change := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"module":"slow"}}`))
	refused("a change to another module", team.Patch(t.Context(), mine, change), "slow", ns)
}
