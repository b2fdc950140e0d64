package main

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// follow calls look with an Infrastructure as it is, and again whenever it changes,
// with nil when it is not there, until look says that it has seen enough.
func (s *session) follow(ctx context.Context, name string, look func(*v1alpha1.Infrastructure) bool) error {
	only := []client.ListOption{client.InNamespace(s.namespace), client.MatchingFields{"metadata.name": name}}
	watcher := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		return s.client.Watch(ctx, &v1alpha1.InfrastructureList{}, append(only, &client.ListOptions{Raw: &o})...)
	}}
	for {
		list := &v1alpha1.InfrastructureList{}
		if err := s.client.List(ctx, list, only...); err != nil {
			return err
		}
		var infra *v1alpha1.Infrastructure
		if len(list.Items) > 0 {
			infra = &list.Items[0]
		}
		if look(infra) {
			return nil
		}
		_, err := watchtools.Until(ctx, list.ResourceVersion, watcher, func(event watch.Event) (bool, error) {
			return lookAt(event, look)
		})
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case apierrors.IsGone(err), apierrors.IsResourceExpired(err), errors.Is(err, watchtools.ErrWatchClosed):
			// What has changed since is too much to be told; look at what is.
		default:
			return err
		}
	}
}

// lookAt calls look with what an event tells.
func lookAt(event watch.Event, look func(*v1alpha1.Infrastructure) bool) (bool, error) {
	switch event.Type {
	case watch.Added, watch.Modified:
		return look(event.Object.(*v1alpha1.Infrastructure)), nil
	case watch.Deleted:
		return look(nil), nil
	case watch.Error:
		return false, apierrors.FromObject(event.Object)
	}
	return false, nil
}
