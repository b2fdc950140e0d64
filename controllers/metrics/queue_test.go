package metrics

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// byOperation stands in for the queue's own count.
func byOperation(runs []v1alpha1.Run) map[string]int {
	waiting := map[string]int{"Destroy": 0}
	for i := range runs {
		waiting[string(runs[i].Spec.Operation)]++
	}
	return waiting
}

func TestQueue(t *testing.T) {
	elected := make(chan struct{})
	close(elected)
	for _, tc := range []struct {
		name    string
		elected <-chan struct{}
		fails   bool
		want    string
	}{
		{"Each class is told, also one in which nobody waits.", elected, false, "groundwork_queue_length{class=\"Apply\"} 1\ngroundwork_queue_length{class=\"Destroy\"} 0\n"},
		{"A replica that does not work tells nothing.", make(chan struct{}), false, ""},
		{"A cache that fails leaves the other metrics alone.", elected, true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run := newRun(v1alpha1.OperationApply, "", nil, nil, nil)
			run.ObjectMeta = metav1.ObjectMeta{Namespace: "groundwork-system", Name: "a-1"}
			cache := interceptor.NewClient(newCache(run), interceptor.Funcs{
				List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, _ ...client.ListOption) error {
					if tc.fails {
						return errors.New("injected")
					}
					return c.List(ctx, list)
				},
			})
			if diff := cmp.Diff(tc.want, exposed(t, NewQueue(cache, tc.elected, byOperation))); diff != "" {
				t.Errorf("metrics, -want +got:\n%s", diff)
			}
		})
	}
}
