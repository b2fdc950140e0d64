package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// poll is the resolution of what is measured.
const poll = 20 * time.Millisecond

type bench struct {
	stage     *devenv.Stage
	namespace string
}

func (b *bench) start(ctx context.Context) error {
	return b.stage.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: b.namespace}})
}

func (b *bench) stop() error {
	return b.stage.Client.Delete(context.Background(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: b.namespace}})
}

// object makes and deletes an object, and returns the seconds from create to Secret
// and from delete to gone.
func (b *bench) object(ctx context.Context, name, module string, variables map[string]any) (made, gone float64, err error) {
	began := time.Now()
	if err := b.create(ctx, name, module, variables); err != nil {
		return 0, 0, err
	}
	if err := b.waitSecret(ctx, name); err != nil {
		return 0, 0, err
	}
	made = time.Since(began).Seconds()
	if err := b.waitReady(ctx, name); err != nil {
		return 0, 0, err
	}
	began = time.Now()
	if err := b.delete(ctx, name); err != nil {
		return 0, 0, err
	}
	err = b.waitGone(ctx, name)
	return made, time.Since(began).Seconds(), err
}

func (b *bench) create(ctx context.Context, name, module string, variables map[string]any) error {
	values := map[string]apiextensionsv1.JSON{}
	for key, value := range variables {
		raw, err := json.Marshal(value)
		if err != nil {
			return err
		}
		values[key] = apiextensionsv1.JSON{Raw: raw}
	}
	return b.stage.Client.Create(ctx, &v1alpha1.Infrastructure{
		ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace, Name: name},
		Spec:       v1alpha1.InfrastructureSpec{Module: module, Variables: values},
	})
}

func (b *bench) delete(ctx context.Context, name string) error {
	return b.stage.Client.Delete(ctx, &v1alpha1.Infrastructure{ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace, Name: name}})
}

func (b *bench) waitSecret(ctx context.Context, name string) error {
	return b.wait(ctx, "Secret "+name, func() (bool, error) {
		err := b.stage.Client.Get(ctx, client.ObjectKey{Namespace: b.namespace, Name: name}, &corev1.Secret{})
		return err == nil, client.IgnoreNotFound(err)
	})
}

func (b *bench) waitReady(ctx context.Context, name string) error {
	return b.wait(ctx, name+" to be Ready", func() (bool, error) {
		infra := &v1alpha1.Infrastructure{}
		err := b.stage.Client.Get(ctx, client.ObjectKey{Namespace: b.namespace, Name: name}, infra)
		return infra.Status.Outputs != nil, err
	})
}

// waitAllReady waits until so many objects are Ready.
func (b *bench) waitAllReady(ctx context.Context, objects int) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	events, err := b.stage.Client.Watch(ctx, &v1alpha1.InfrastructureList{}, client.InNamespace(b.namespace))
	if err != nil {
		return err
	}
	defer events.Stop()
	ready := map[string]bool{}
	for event := range events.ResultChan() {
		if infra, ok := event.Object.(*v1alpha1.Infrastructure); ok {
			ready[infra.Name] = infra.Status.Outputs != nil
		}
		n := 0
		for _, is := range ready {
			if is {
				n++
			}
		}
		if n == objects {
			return nil
		}
	}
	return fmt.Errorf("wait for %d objects to be Ready: the watch has ended: %w", objects, ctx.Err())
}

func (b *bench) waitGone(ctx context.Context, name string) error {
	return b.wait(ctx, name+" to be gone", func() (bool, error) {
		err := b.stage.Client.Get(ctx, client.ObjectKey{Namespace: b.namespace, Name: name}, &v1alpha1.Infrastructure{})
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
}

func (b *bench) wait(ctx context.Context, what string, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		case <-time.After(poll):
		}
	}
}

// machineCPU is the time that all cores have worked, in seconds since the machine
// started.
// Source: proc_stat(5), in ticks of 10 ms.
func machineCPU() float64 {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	var user, nice, system float64
	first, _, _ := strings.Cut(string(content), "\n")
	if _, err := fmt.Sscanf(first, "cpu %g %g %g", &user, &nice, &system); err != nil {
		return 0
	}
	return (user + nice + system) / 100
}
