package metrics

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// newInfra is an object of namespace shop.
func newInfra(name string, modify ...func(*v1alpha1.Infrastructure)) *v1alpha1.Infrastructure {
	infra := &v1alpha1.Infrastructure{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	for _, m := range modify {
		m(infra)
	}
	return infra
}

func in(namespace string) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) { infra.Namespace = namespace }
}

func with(kind string, status metav1.ConditionStatus, reason string) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) {
		infra.Status.Conditions = append(infra.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason})
	}
}

// planned is an object whose newest plan was made at a time, and waits for approval.
func planned(at *metav1.Time) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) {
		with(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonApprovalRequired)(infra)
		infra.Status.History = []v1alpha1.RunSummary{{Run: "2", FinishedAt: *at}, {Run: "1"}}
	}
}

func deleted(at *metav1.Time) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) {
		infra.DeletionTimestamp, infra.Finalizers = at, []string{v1alpha1.Finalizer}
	}
}

func running(operation v1alpha1.Operation, phase v1alpha1.RunPhase) func(*v1alpha1.Infrastructure) {
	return func(infra *v1alpha1.Infrastructure) {
		infra.Status.Run = &v1alpha1.CurrentRun{Operation: operation, Phase: phase}
	}
}

func suspended(infra *v1alpha1.Infrastructure) { infra.Spec.Suspend = true }

func TestInfrastructures(t *testing.T) {
	elected := make(chan struct{})
	close(elected)
	ready := with(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonInSync)
	for _, tc := range []struct {
		name    string
		objects []client.Object
		elected <-chan struct{}
		fails   bool
		want    string
	}{
		{"Without objects there is nothing to tell.", nil, elected, false, ""},
		{"Objects are counted by namespace, condition, status and reason.", []client.Object{
			newInfra("a", ready), newInfra("b", ready), newInfra("c", ready, in("bank")),
			newInfra("d", with(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonModuleNotFound),
				with(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonModuleNotFound)),
		}, elected, false, `groundwork_infrastructures{condition="Ready",infrastructure_namespace="bank",reason="InSync",status="True"} 1
groundwork_infrastructures{condition="Ready",infrastructure_namespace="shop",reason="InSync",status="True"} 2
groundwork_infrastructures{condition="Ready",infrastructure_namespace="shop",reason="ModuleNotFound",status="False"} 1
groundwork_infrastructures{condition="Stalled",infrastructure_namespace="shop",reason="ModuleNotFound",status="True"} 1
`},
		{"One that nobody has looked at counts too.", []client.Object{newInfra("a")}, elected, false,
			`groundwork_infrastructures{condition="Ready",infrastructure_namespace="shop",reason="Unobserved",status="Unknown"} 1
`},
		{"The oldest plan that waits for approval, and the oldest deletion, are told.", []client.Object{
			newInfra("a", planned(at(20))), newInfra("b", planned(at(10))), newInfra("c", planned(at(30))),
			newInfra("d", ready, deleted(at(40))), newInfra("e", ready, deleted(at(35))),
		}, elected, false, `groundwork_approval_requested_timestamp_seconds{infrastructure_namespace="shop"} 1767323055
groundwork_deletion_requested_timestamp_seconds{infrastructure_namespace="shop"} 1767323080
groundwork_infrastructures{condition="Ready",infrastructure_namespace="shop",reason="ApprovalRequired",status="False"} 3
groundwork_infrastructures{condition="Ready",infrastructure_namespace="shop",reason="InSync",status="True"} 2
`},
		{"Suspended objects and runs under way are told.", []client.Object{
			newInfra("a", ready, suspended), newInfra("b", ready, running(v1alpha1.OperationApply, v1alpha1.RunPending)),
		}, elected, false, `groundwork_infrastructures{condition="Ready",infrastructure_namespace="shop",reason="InSync",status="True"} 2
groundwork_infrastructures_suspended{infrastructure_namespace="shop"} 1
groundwork_runs_under_way{operation="Apply",phase="Pending"} 1
`},
		{"A replica that does not work tells nothing.", []client.Object{newInfra("a", ready)}, make(chan struct{}), false, ""},
		{"A cache that fails leaves the other metrics alone.", []client.Object{newInfra("a", ready)}, elected, true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var options []client.ListOption
			cache := interceptor.NewClient(newCache(tc.objects...), interceptor.Funcs{
				List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
					if options = opts; tc.fails {
						return errors.New("injected")
					}
					return c.List(ctx, list)
				},
			})
			if diff := cmp.Diff(tc.want, exposed(t, NewInfrastructures(cache, tc.elected))); diff != "" {
				t.Errorf("metrics, -want +got:\n%s", diff)
			}
			if tc.want != "" && !cmp.Equal(options, []client.ListOption{client.UnsafeDisableDeepCopy}) {
				t.Errorf("listed with %v, want no copies of a thousand objects", options)
			}
		})
	}
}

func newCache(objects ...client.Object) client.WithWatch {
	return fake.NewClientBuilder().WithScheme(testenv.Scheme(v1alpha1.AddToScheme)).WithObjects(objects...).Build()
}
