// Package catalogue keeps the Module objects the same as the bundles: it writes
// them, puts back what others change, and removes those of modules that are gone.
package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/modules"
)

// Reconciler reconciles Module objects.
type Reconciler struct {
	client  client.Client
	modules map[string]*v1alpha1.Module
}

// New returns a Reconciler for the catalogue.
func New(c client.Client, catalogue *modules.Catalogue) *Reconciler {
	r := &Reconciler{client: c, modules: map[string]*v1alpha1.Module{}}
	for _, obj := range catalogue.Objects() {
		obj.Labels = map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
		r.modules[obj.Name] = obj
	}
	return r
}

// SetupWithManager registers the controller; every module of the bundles is looked
// at once at the start, whether its object exists or not.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	bundled := make(chan event.GenericEvent, len(r.modules))
	for _, obj := range r.modules {
		bundled <- event.GenericEvent{Object: obj}
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Module{}).
		WatchesRawSource(source.Channel(bundled, &handler.EnqueueRequestForObject{})).
		Complete(r)
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	current := &v1alpha1.Module{}
	err := r.client.Get(ctx, req.NamespacedName, current)
	wanted, bundled := r.modules[req.Name]
	switch {
	case client.IgnoreNotFound(err) != nil:
		return ctrl.Result{}, fmt.Errorf("read Module %s: %w", req.Name, err)
	case bundled && apierrors.IsNotFound(err):
		err = client.IgnoreAlreadyExists(r.client.Create(ctx, wanted.DeepCopy()))
	case bundled && !same(current, wanted):
		current.Spec, current.Labels = wanted.Spec, wanted.Labels
		err = r.client.Update(ctx, current)
	case !bundled && err == nil:
		err = client.IgnoreNotFound(r.client.Delete(ctx, current))
	default:
		err = nil
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("write Module %s: %w", req.Name, err)
	}
	return ctrl.Result{}, nil
}

func same(current, wanted *v1alpha1.Module) bool {
	semantic := equality.Semantic.Copy()
	// It is a function of two values of one type, as it has to be.
	_ = semantic.AddFunc(sameJSON)
	return semantic.DeepEqual(current.Spec, wanted.Spec) && semantic.DeepEqual(current.Labels, wanted.Labels)
}

// sameJSON compares what documents say: the API server sorts the keys of objects.
func sameJSON(a, b apiextensionsv1.JSON) bool {
	var x, y any
	return json.Unmarshal(a.Raw, &x) == nil && json.Unmarshal(b.Raw, &y) == nil && reflect.DeepEqual(x, y)
}
