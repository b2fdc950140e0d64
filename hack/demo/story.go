package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// story is the demo on a stage.
type story struct {
	stage    *devenv.Stage
	manifest string
}

// patience bounds each chapter.
const patience = 10 * time.Minute

func (s *story) tell(ctx context.Context, keep bool) error {
	chapters := []struct {
		title string
		tell  func(context.Context) error
	}{
		{"The app and its Infrastructure are applied together (hack/demo/shop.yaml)", s.apply},
		{"The app waits: the Secret that it mounts does not exist yet", s.appWaits},
		{"A runner pod makes the database", s.databaseIsMade},
		{"The outputs are in the Secret", s.showSecret},
		{"The app starts by itself and asks the database", s.appRuns},
		{"This is what exists in the cloud account", s.showAccount},
	}
	if !keep {
		chapters = append(chapters, struct {
			title string
			tell  func(context.Context) error
		}{"One delete takes the app and its database away", s.delete})
	}
	for i, chapter := range chapters {
		say("%d. %s", i+1, chapter.title)
		began := time.Now()
		if err := chapter.tell(ctx); err != nil {
			return err
		}
		fmt.Printf("   (%.1fs)\n", time.Since(began).Seconds())
	}
	if keep {
		s.explore()
	}
	return nil
}

func (s *story) apply(ctx context.Context) error { return s.show(ctx, "apply", "-f", s.manifest) }

func (s *story) appWaits(ctx context.Context) error {
	err := wait(ctx, func(ctx context.Context) (bool, error) {
		var pods corev1.PodList
		err := s.stage.Client.List(ctx, &pods, client.InNamespace("shop"))
		return len(pods.Items) > 0 && len(pods.Items[0].Status.ContainerStatuses) > 0, err
	})
	if err != nil {
		return err
	}
	return s.show(ctx, "-n", "shop", "get", "pods,infrastructures")
}

// databaseIsMade prints the run's progress as it changes, until the object is
// Ready.
func (s *story) databaseIsMade(ctx context.Context) error {
	began, last := time.Now(), ""
	return wait(ctx, func(ctx context.Context) (bool, error) {
		infra := &v1alpha1.Infrastructure{}
		if err := s.stage.Client.Get(ctx, client.ObjectKey{Namespace: "shop", Name: "orders-db"}, infra); err != nil {
			return false, err
		}
		if stalled := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionStalled); stalled != nil {
			return false, fmt.Errorf("orders-db is stalled: %s", stalled.Message)
		}
		ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
		if ready != nil && ready.Message != last {
			last = ready.Message
			fmt.Printf("   %6.1fs  %s\n", time.Since(began).Seconds(), last)
		}
		return ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == infra.Generation, nil
	})
}

func (s *story) showSecret(ctx context.Context) error {
	var secret corev1.Secret
	if err := s.stage.Client.Get(ctx, client.ObjectKey{Namespace: "shop", Name: "orders-db"}, &secret); err != nil {
		return err
	}
	fmt.Printf("   Secret orders-db has the keys %s\n", strings.Join(slices.Sorted(maps.Keys(secret.Data)), ", "))
	return nil
}

func (s *story) appRuns(ctx context.Context) error {
	err := wait(ctx, func(ctx context.Context) (bool, error) {
		var app appsv1.Deployment
		err := s.stage.Client.Get(ctx, client.ObjectKey{Namespace: "shop", Name: "orders"}, &app)
		return app.Status.ReadyReplicas == 1, err
	})
	if err != nil {
		return err
	}
	return s.show(ctx, "-n", "shop", "logs", "deployment/orders")
}

func (s *story) showAccount(ctx context.Context) error {
	resources, err := s.stage.AWS.Resources(ctx)
	if err != nil {
		return err
	}
	for _, r := range resources {
		fmt.Printf("   %s %s %s\n", r.Service, r.Type, r.ID)
	}
	return nil
}

func (s *story) delete(ctx context.Context) error {
	if err := s.show(ctx, "delete", "--timeout=10m", "-f", s.manifest); err != nil {
		return err
	}
	resources, err := s.stage.AWS.Resources(ctx)
	if err != nil {
		return err
	}
	if len(resources) > 0 {
		return fmt.Errorf("left in the cloud account: %+v", resources)
	}
	fmt.Println("   nothing is left in the cloud account, and of its state in the cluster:")
	return s.show(ctx, "-n", devenv.Namespace, "get", "runs,leases,pods")
}

// cleanUp deletes the app in a cluster that outlives the demo.
func (s *story) cleanUp() error {
	if s.stage.Ours() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return s.show(ctx, "delete", "--ignore-not-found", "--timeout=10m", "-f", s.manifest)
}

func (s *story) explore() {
	fmt.Printf(`
It is left running. To explore it:

  export KUBECONFIG=%s
  export PATH=$PATH:$(go run ./hack/cluster bin)
  kubectl -n shop get infrastructures,secrets,pods
  kubectl -n shop describe infrastructure orders-db
  kubectl -n %s get runs
  kubectl get modules,providerconfigs
  curl -s %s/_emu/resources

and to remove it:

  kubectl delete -f hack/demo/shop.yaml
  go run ./hack/cluster wipe
  kill %d        # the AWS endpoint and its PostgreSQL
`, s.stage.Kubeconfig, devenv.Namespace, s.stage.AWS.URL, s.stage.AWS.Pid())
}

// show runs kubectl and prints the command and its answer.
func (s *story) show(ctx context.Context, args ...string) error {
	fmt.Printf("   $ kubectl %s\n", strings.Join(args, " "))
	out, err := s.stage.Kubectl(ctx, args...)
	for _, line := range strings.Split(strings.TrimRight(out, "\n"), "\n") {
		fmt.Printf("   %s\n", line)
	}
	return err
}

// wait asks until the answer is yes. What does not exist yet is waited for.
func wait(ctx context.Context, ask func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		yes, err := ask(ctx)
		if yes || err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func say(format string, args ...any) { fmt.Printf("\n"+format+"\n", args...) }
