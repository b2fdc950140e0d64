package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
)

var (
	// kubeconfig is that of the API server of this package's tests.
	kubeconfig string
	// apiServer is a client of it.
	apiServer client.WithWatch
)

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	server, err := testenv.Open()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer server.Close()
	server.Config.QPS = -1
	kubeconfig = server.Kubeconfig
	if apiServer, err = client.NewWithWatch(server.Config, client.Options{Scheme: newScheme()}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// world is what a test works in: an app's namespace and the system's.
type world struct {
	*testing.T
	namespace, system string
	// as are the flags by which commands are somebody else's.
	as []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t}
	for prefix, name := range map[string]*string{"shop-": &w.namespace, "groundwork-": &w.system} {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix}}
		w.must(apiServer.Create(t.Context(), ns))
		*name = ns.Name
	}
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// run runs a command in the app's namespace and returns what it printed.
func (w *world) run(args ...string) (string, error) {
	w.Helper()
	return run(w.T, w.flags(args)...)
}

// flags are the arguments with the flags that name the cluster.
func (w *world) flags(args []string) []string {
	flags := []string{"--kubeconfig", kubeconfig, "--namespace", w.namespace, "--system-namespace", w.system}
	return append(append(args[:len(args):len(args)], flags...), w.as...)
}

// mustRun is run for what has to succeed.
func (w *world) mustRun(args ...string) string {
	w.Helper()
	return mustRun(w.T, w.flags(args)...)
}

// create makes an Infrastructure that a controller would have applied: it is Ready.
func (w *world) create(name string, modify ...func(*v1alpha1.Infrastructure)) *v1alpha1.Infrastructure {
	w.Helper()
	infra := &v1alpha1.Infrastructure{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec:       v1alpha1.InfrastructureSpec{Module: "aws-rds-postgres"},
	}
	setReady(infra, metav1.ConditionTrue, v1alpha1.ReasonInSync, "Applied aws-rds-postgres 1.2.0")
	for _, m := range modify {
		m(infra)
	}
	status := infra.Status
	w.must(apiServer.Create(w.Context(), infra))
	infra.Status = status
	if infra.Status.ObservedGeneration == 0 {
		infra.Status.ObservedGeneration = infra.Generation
	}
	w.must(apiServer.Status().Update(w.Context(), infra))
	return infra
}

// object reads an Infrastructure.
func (w *world) object(name string) *v1alpha1.Infrastructure {
	w.Helper()
	infra := &v1alpha1.Infrastructure{}
	w.must(apiServer.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: name}, infra))
	return infra
}

// report writes the status of the Infrastructure orders, as the controller does.
func (w *world) report(change func(*v1alpha1.Infrastructure)) {
	w.Helper()
	infra := w.object("orders")
	change(infra)
	w.must(apiServer.Status().Update(w.Context(), infra))
}

// meanwhile does something when the command that comes next has most likely begun to
// watch; the command has to come to the same end otherwise. The caller calls what it
// returns, to wait until it is done.
func (w *world) meanwhile(do func()) (wait func()) {
	done := make(chan struct{})
	time.AfterFunc(300*time.Millisecond, func() {
		defer close(done)
		do()
	})
	return func() { <-done }
}

// asAppTeam makes the commands those of a user with an app team's rights: what the
// chart adds to the ClusterRole edit, and of edit what commands need.
func (w *world) asAppTeam() {
	w.Helper()
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "app-team"},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{v1alpha1.Group}, Resources: []string{"infrastructures", "infrastructures/status", "previews"}, Verbs: []string{"get", "list", "watch"}},
			{APIGroups: []string{v1alpha1.Group}, Resources: []string{"previews"}, Verbs: []string{"create", "delete", "deletecollection"}},
			{APIGroups: []string{v1alpha1.Group}, Resources: []string{"infrastructures"}, Verbs: []string{"create", "update", "patch", "delete", "deletecollection"}},
			{APIGroups: []string{""}, Resources: []string{"secrets", "events"}, Verbs: []string{"get", "list", "watch"}},
		},
	}
	w.must(apiServer.Create(w.Context(), role))
	w.must(apiServer.Create(w.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "app-team"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "app-team"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "anna"}},
	}))
	w.as = []string{"--as", "anna"}
}

// setReady sets the conditions of an object in memory.
func setReady(infra *v1alpha1.Infrastructure, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&infra.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: status, Reason: reason, Message: message,
	})
}

// setStalled makes an object in memory stalled.
func setStalled(infra *v1alpha1.Infrastructure, reason, message string) {
	setReady(infra, metav1.ConditionFalse, reason, message)
	meta.SetStatusCondition(&infra.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: reason, Message: message,
	})
}

// waiting is an object with a plan that waits for approval.
func waiting(infra *v1alpha1.Infrastructure) {
	setReady(infra, metav1.ConditionFalse, v1alpha1.ReasonApprovalRequired, "1 to replace")
	infra.Status.Plan = &v1alpha1.PlanSummary{ID: "plan-1", Replace: 1, Update: 1, Changes: []v1alpha1.ResourceChange{
		{Address: "aws_db_instance.this", Action: v1alpha1.ChangeReplace, Attributes: []string{"engine"}, Destructive: true},
	}}
}
