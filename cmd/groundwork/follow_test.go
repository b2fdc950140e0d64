package main

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// TestFollow_expired follows an object whose watch ends early: what has happened
// meanwhile is seen all the same.
func TestFollow_expired(t *testing.T) {
	expired := apierrors.NewResourceExpired("too old").Status()
	for name, end := range map[string]func(*watch.FakeWatcher){
		"The API server no longer knows what has changed.": func(w *watch.FakeWatcher) { w.Error(&expired) },
		"The watch is closed.":                             func(w *watch.FakeWatcher) { w.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.create("orders", runs)
			watches := 0
			api := interceptor.NewClient(apiServer, interceptor.Funcs{
				Watch: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
					if watches++; watches > 1 {
						return c.Watch(ctx, list, opts...)
					}
					ended := watch.NewFakeWithChanSize(1, false)
					w.report(func(infra *v1alpha1.Infrastructure) {
						setReady(infra, metav1.ConditionTrue, v1alpha1.ReasonInSync, "Applied")
					})
					end(ended)
					return ended, nil
				},
			})
			s := &session{client: api, namespace: w.namespace}
			var seen []string
			err := s.follow(t.Context(), "orders", func(infra *v1alpha1.Infrastructure) bool {
				seen = append(seen, readiness(infra).Reason)
				return judge(infra, goalReady) == reached
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{v1alpha1.ReasonProgressing, v1alpha1.ReasonInSync}, seen); diff != "" {
				t.Errorf("seen (-want +got):\n%s", diff)
			}
		})
	}
}
