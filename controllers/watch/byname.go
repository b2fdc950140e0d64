// Package watch watches Secrets and ConfigMaps one by one: those that objects refer
// to, by name, and no others.
package watch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Object is what a watch is for. It need not exist.
type Object struct {
	Resource schema.GroupVersionResource
	types.NamespacedName
}

// Secret is a Secret to watch.
func Secret(namespace, name string) Object {
	return Object{corev1.SchemeGroupVersion.WithResource("secrets"), types.NamespacedName{Namespace: namespace, Name: name}}
}

// ConfigMap is a ConfigMap to watch.
func ConfigMap(namespace, name string) Object {
	return Object{corev1.SchemeGroupVersion.WithResource("configmaps"), types.NamespacedName{Namespace: namespace, Name: name}}
}

// ByName is a source of a controller's requests: it watches the objects that
// reconciled objects depend on, each by a request of its own that carries its name,
// as kubelet watches the Secrets of its pods. So no right to read all Secrets of a
// namespace is needed, and nothing is sent of those that are nobody's business. The
// API server has an index for such watches.
// Source: indexedWatchers in k8s.io/apiserver/pkg/storage/cacher/cacher.go.
//
// A reconcile says what it depends on before it reads it (Want). An object that
// changes after that read brings the request back, also when the watch is not up
// yet: each new watch brings it back once when it is.
//
// One watch costs the controller some 35 KiB, most of it the stacks of four
// goroutines, and the API server some 110 KiB, measured with 3000 of them; requests
// that want the same object share one.
type ByName struct {
	metadata metadata.Interface
	// failures bounds how often a watch that fails is logged: when the API server is
	// away, all of them do.
	failures rate.Sometimes

	mu sync.Mutex
	// ctx, queue and log are set once the source has started.
	ctx   context.Context
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
	log   logr.Logger
	// wants has what each request wants, watches the watch of each object that at
	// least one wants.
	wants   map[reconcile.Request]sets.Set[Object]
	watches map[Object]*objectWatch
	// running are the goroutines of the watches.
	running sync.WaitGroup
}

// NewByName returns a source that watches through the client.
func NewByName(client metadata.Interface) *ByName {
	return &ByName{
		metadata: client,
		failures: rate.Sometimes{Interval: time.Minute},
		wants:    map[reconcile.Request]sets.Set[Object]{},
		watches:  map[Object]*objectWatch{},
	}
}

// Start implements source.Source. The watches end with ctx.
func (b *ByName) Start(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx != nil {
		return errors.New("the watches by name are started already")
	}
	// What reflectors log of each failure goes nowhere: failed logs them.
	b.ctx, b.queue, b.log = klog.NewContext(ctx, logr.Discard()), queue, log.FromContext(ctx)
	for _, w := range b.watches {
		b.run(w)
	}
	return nil
}

// String names the source in logs.
func (b *ByName) String() string { return "Secrets and ConfigMaps by name" }

// Want says which objects the request depends on from now on, in place of those it
// depended on before; none for a request whose object is gone.
func (b *ByName) Want(request reconcile.Request, objects ...Object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, wants := b.wants[request], sets.New(objects...)
	for object := range wants.Difference(before) {
		b.add(object, request)
	}
	for object := range before.Difference(wants) {
		b.remove(object, request)
	}
	if len(wants) > 0 {
		b.wants[request] = wants
	} else {
		delete(b.wants, request)
	}
}

// add lets the request share the object's watch, and starts one if there is none.
func (b *ByName) add(object Object, request reconcile.Request) {
	w, ok := b.watches[object]
	if !ok {
		w = &objectWatch{object: object, source: b, requests: sets.Set[reconcile.Request]{}}
		b.watches[object] = w
		if b.ctx != nil {
			b.run(w)
		}
	}
	w.requests.Insert(request)
}

// remove ends the object's watch when the request is the last that wants it.
func (b *ByName) remove(object Object, request reconcile.Request) {
	w := b.watches[object]
	w.requests.Delete(request)
	if len(w.requests) > 0 {
		return
	}
	delete(b.watches, object)
	if w.stop != nil {
		w.stop()
	}
}

func (b *ByName) run(w *objectWatch) {
	ctx, stop := context.WithCancel(b.ctx)
	w.stop = stop
	b.running.Go(func() { w.reflector().RunWithContext(ctx) })
}

// failed logs, once in a while, that a watch does not work. It is tried again, ever
// more slowly.
func (b *ByName) failed(ctx context.Context, object Object, err error) {
	if ctx.Err() != nil {
		return
	}
	b.failures.Do(func() {
		b.log.Error(err, "A watch fails, this one and perhaps others; changes will be noticed late",
			"resource", object.Resource.Resource, "namespace", object.Namespace, "name", object.Name)
	})
}
