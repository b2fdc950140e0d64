package watch

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// objectWatch watches one object. It is what its reflector takes for a store, but
// keeps nothing of the object except its version.
type objectWatch struct {
	object Object
	source *ByName

	// The rest is guarded by the source's lock.

	// stop ends the watch; nil before it is started.
	stop context.CancelFunc
	// requests are those that want the object.
	requests sets.Set[reconcile.Request]
	// synced is set once the watch is up.
	synced bool
	// version is the object's resource version, "" when it does not exist.
	version string
}

// reflector keeps a watch up, whatever becomes of the API server: it begins anew
// where it was, or with the object as it is by then.
func (w *objectWatch) reflector() *cache.Reflector {
	api := w.source.metadata
	objects := api.Resource(w.object.Resource).Namespace(w.object.Namespace)
	byName := fields.OneTermEqualSelector(metav1.ObjectNameField, w.object.Name).String()
	requests := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = byName
			list, err := objects.List(ctx, options)
			if err != nil {
				w.source.failed(ctx, w.object, err)
				return nil, err
			}
			return list, nil
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (apiwatch.Interface, error) {
			options.FieldSelector = byName
			events, err := objects.Watch(ctx, options)
			if err != nil {
				w.source.failed(ctx, w.object, err)
			}
			return events, err
		},
	}, api)
	return cache.NewReflectorWithOptions(requests, &metav1.PartialObjectMetadata{}, w, cache.ReflectorOptions{Name: "by name"})
}

// observe takes note of the object's version, and brings back the requests that
// want the object when it is another than before. begins tells that the watch has
// just begun, or begun anew. For all that is known the object has changed then too,
// unless it has the version that was seen last; one that is not there may have come
// and gone. For that the requests come back behind others.
func (w *objectWatch) observe(version string, begins bool) {
	w.source.mu.Lock()
	defer w.source.mu.Unlock()
	changed := w.synced && w.version != version
	unknown := begins && (!w.synced || version == "")
	if !changed && !unknown {
		return
	}
	w.synced, w.version = true, version
	priority := 0
	if !changed {
		priority = handler.LowPriority
	}
	for request := range w.requests {
		Enqueue(w.source.queue, priority, request)
	}
}

// Enqueue adds a request to a controller's queue, before those of a lower priority; that
// of a change is 0. A queue without priorities does without.
func Enqueue(queue workqueue.TypedRateLimitingInterface[reconcile.Request], priority int, request reconcile.Request) {
	if queue, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		queue.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, request)
		return
	}
	queue.Add(request)
}

// Replace implements cache.ReflectorStore: the watch begins, or begins anew.
func (w *objectWatch) Replace(objects []any, _ string) error {
	version := ""
	for _, obj := range objects {
		version = versionOf(obj)
	}
	w.observe(version, true)
	return nil
}

// Add implements cache.ReflectorStore.
func (w *objectWatch) Add(obj any) error {
	w.observe(versionOf(obj), false)
	return nil
}

// Update implements cache.ReflectorStore.
func (w *objectWatch) Update(obj any) error {
	w.observe(versionOf(obj), false)
	return nil
}

// Delete implements cache.ReflectorStore.
func (w *objectWatch) Delete(any) error {
	w.observe("", false)
	return nil
}

// Resync implements cache.ReflectorStore.
func (w *objectWatch) Resync() error { return nil }

func versionOf(obj any) string {
	return obj.(*metav1.PartialObjectMetadata).ResourceVersion
}
