package main

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
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
	key := client.ObjectKey{Namespace: s.namespace, Name: name}
	return s.followObject(ctx, key, &v1alpha1.InfrastructureList{}, func(obj client.Object) bool {
		infra, _ := obj.(*v1alpha1.Infrastructure) // nil for no object
		return look(infra)
	})
}

// followObject is follow for an object of any kind, that of the list.
func (s *session) followObject(ctx context.Context, key client.ObjectKey, kind client.ObjectList, look func(client.Object) bool) error {
	only := []client.ListOption{client.InNamespace(key.Namespace), client.MatchingFields{"metadata.name": key.Name}}
	watcher := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		return s.client.Watch(ctx, kind.DeepCopyObject().(client.ObjectList), append(only, &client.ListOptions{Raw: &o})...)
	}}
	for {
		list := kind.DeepCopyObject().(client.ObjectList)
		if err := s.client.List(ctx, list, only...); err != nil {
			return err
		}
		found, err := meta.ExtractList(list)
		if err != nil {
			return err
		}
		var obj client.Object
		if len(found) > 0 {
			obj = found[0].(client.Object)
		}
		if look(obj) {
			return nil
		}
		_, err = watchtools.Until(ctx, list.GetResourceVersion(), watcher, func(event watch.Event) (bool, error) {
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
func lookAt(event watch.Event, look func(client.Object) bool) (bool, error) {
	switch event.Type {
	case watch.Added, watch.Modified:
		return look(event.Object.(client.Object)), nil
	case watch.Deleted:
		return look(nil), nil
	case watch.Error:
		return false, apierrors.FromObject(event.Object)
	}
	return false, nil
}
