package infrastructure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// errInjected is what a write fails with that a test picks.
var errInjected = errors.New("injected")

// fakeAPI is a client of the API server that notes writes, fails those that a test
// picks, and can be behind with Runs and the Infrastructure as a cache can.
type fakeAPI struct {
	client.WithWatch
	base client.WithWatch

	// writes are all writes, such as "create Run x".
	writes []string
	// fail tells whether to fail the n-th write from 0, and whether only after it was
	// done, as when the answer is lost. nil fails none.
	fail func(n int, write string) (fail, done bool)
	// runs, once set, is what it lists of Runs.
	runs *v1alpha1.RunList
	// noConfigs makes the cache know no ProviderConfig.
	noConfigs bool
	// others, once set, is what it lists of Infrastructures.
	others *v1alpha1.InfrastructureList
	// infra, once set, is what it reads of an Infrastructure.
	infra *v1alpha1.Infrastructure
	// get, once set, goes before a read, from the cache or not.
	get func(cached bool, key client.ObjectKey, obj client.Object) error
	// list, once set, is told of lists.
	list func(cached bool, list client.ObjectList)
}

func newFakeAPI(base client.WithWatch) *fakeAPI {
	f := &fakeAPI{base: base}
	f.WithWatch = interceptor.NewClient(base, f.funcs(true))
	return f
}

// live returns a client with the same writes that is never behind.
func (f *fakeAPI) live() client.WithWatch {
	return interceptor.NewClient(f.base, f.funcs(false))
}

// freezeRuns makes the cache stay with the Runs that there are.
func (f *fakeAPI) freezeRuns(ctx context.Context, namespace string) error {
	runs := &v1alpha1.RunList{}
	err := f.base.List(ctx, runs, client.InNamespace(namespace))
	f.runs = runs
	return err
}

// forgetWrites begins a new count.
func (f *fakeAPI) forgetWrites() { f.writes = nil }

func (f *fakeAPI) write(verb string, obj any, name string, do func() error) error {
	kind := fmt.Sprintf("%T", obj)
	write := verb + " " + kind[strings.LastIndex(kind, ".")+1:] + " " + name
	n := len(f.writes)
	f.writes = append(f.writes, write)
	if f.fail == nil {
		return do()
	}
	fail, done := f.fail(n, write)
	if !fail {
		return do()
	}
	err := error(nil)
	if done {
		err = do()
	}
	return errors.Join(fmt.Errorf("%s: %w", write, errInjected), err)
}

func (f *fakeAPI) funcs(cached bool) interceptor.Funcs {
	return interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if f.get != nil {
				if err := f.get(cached, key, obj); err != nil {
					return err
				}
			}
			if infra, ok := obj.(*v1alpha1.Infrastructure); ok && cached && f.infra != nil {
				f.infra.DeepCopyInto(infra)
				return nil
			}
			return c.Get(ctx, key, obj, opts...)
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if f.list != nil {
				f.list(cached, list)
			}
			if runs, ok := list.(*v1alpha1.RunList); ok && cached && f.runs != nil {
				f.runs.DeepCopyInto(runs)
				if selector := new(client.ListOptions).ApplyOptions(opts).LabelSelector; selector != nil {
					runs.Items = slices.DeleteFunc(runs.Items, func(run v1alpha1.Run) bool { return !selector.Matches(labels.Set(run.Labels)) })
				}
				return nil
			}
			if others, ok := list.(*v1alpha1.InfrastructureList); ok && cached && f.others != nil {
				f.others.DeepCopyInto(others)
				return nil
			}
			if _, configs := list.(*v1alpha1.ProviderConfigList); configs && cached && f.noConfigs {
				return nil
			}
			return c.List(ctx, list, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			return f.write("create", obj, obj.GetName(), func() error { return c.Create(ctx, obj, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			return f.write("delete", obj, obj.GetName(), func() error { return c.Delete(ctx, obj, opts...) })
		},
		DeleteAllOf: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteAllOfOption) error {
			return f.write("delete all", obj, "", func() error { return c.DeleteAllOf(ctx, obj, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.UpdateOption) error {
			return f.write("update", obj, obj.GetName(), func() error { return c.Update(ctx, obj, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return f.write("patch", obj, obj.GetName(), func() error { return c.Patch(ctx, obj, patch, opts...) })
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			return f.write("apply", obj, "", func() error { return c.Apply(ctx, obj, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			return f.write("patch "+sub, obj, obj.GetName(), func() error { return c.SubResource(sub).Patch(ctx, obj, patch, opts...) })
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, obj client.Object, opts ...client.SubResourceUpdateOption) error {
			return f.write("update "+sub, obj, obj.GetName(), func() error { return c.SubResource(sub).Update(ctx, obj, opts...) })
		},
	}
}
