//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// runWatch sees every Run and runner pod of the namespaces that a test has, from the
// first on.
type runWatch struct {
	sync.Mutex
	// runs are the latest of each, also of those that are gone.
	runs map[types.UID]*v1alpha1.Run
	// pods are the UIDs of each Run's pods, by the Run's UID.
	pods map[types.UID]map[types.UID]bool
	// most is the highest number of Runs that count at a time.
	most   int
	counts func(*v1alpha1.Run) bool
}

// watchRuns watches until the test ends. counts picks the Runs, among those that are not
// finished, whose number at a time is of interest.
func watchRuns(t *testing.T, counts func(*v1alpha1.Run) bool) *runWatch {
	t.Helper()
	w := &runWatch{runs: map[types.UID]*v1alpha1.Run{}, pods: map[types.UID]map[types.UID]bool{}, counts: counts}
	ctx, cancel := context.WithCancel(context.Background())
	var watchers sync.WaitGroup
	for _, list := range []client.ObjectList{&v1alpha1.RunList{}, &corev1.PodList{}} {
		events, err := stage.Client.Watch(ctx, list, client.InNamespace(devenv.Namespace))
		if err != nil {
			t.Fatal(err)
		}
		watchers.Go(func() {
			for event := range events.ResultChan() {
				w.see(event)
			}
			if ctx.Err() == nil {
				t.Errorf("the watch of %T has ended before the test", list)
			}
		})
	}
	t.Cleanup(func() { cancel(); watchers.Wait() })
	return w
}

func (w *runWatch) see(event watch.Event) {
	w.Lock()
	defer w.Unlock()
	switch obj := event.Object.(type) {
	case *v1alpha1.Run:
		if event.Type == watch.Deleted && !obj.Status.Phase.Finished() {
			obj.Status.Phase = v1alpha1.RunFailed // It is not under way any more.
		}
		w.runs[obj.UID] = obj
		underWay := 0
		for _, run := range w.runs {
			if !run.Status.Phase.Finished() && w.counts(run) {
				underWay++
			}
		}
		w.most = max(w.most, underWay)
	case *corev1.Pod:
		for _, owner := range obj.OwnerReferences {
			if owner.Kind == "Run" {
				if w.pods[owner.UID] == nil {
					w.pods[owner.UID] = map[types.UID]bool{}
				}
				w.pods[owner.UID][obj.UID] = true
			}
		}
	}
}

// of are the Runs of a namespace's objects that were seen.
func (w *runWatch) of(namespaces ...string) []*v1alpha1.Run {
	w.Lock()
	defer w.Unlock()
	var runs []*v1alpha1.Run
	for _, run := range w.runs {
		if slices.Contains(namespaces, run.Spec.Infrastructure.Namespace) {
			runs = append(runs, run)
		}
	}
	return runs
}

// TestQueue lets two hundred objects be created at once with eight runs at a time, deletes one in the
// middle, and takes the controller away, then and once more when all are Ready. It is not parallel: there
// is one installation.
func TestQueue(t *testing.T) {
	const objects, atATime = 200, 8
	installFor(t, fmt.Sprintf("controller.maxConcurrentRuns=%d", atATime))
	namespaces := []string{newNamespace(t), newNamespace(t), newNamespace(t), newNamespace(t)}
	seen := watchRuns(t, func(run *v1alpha1.Run) bool { return !run.Waits() })
	first := create(t, namespaces[0], "first", "outputs", nil)
	waitReady(t, first, 2*time.Minute)
	infras := []*v1alpha1.Infrastructure{}
	for i := range objects {
		infras = append(infras, create(t, namespaces[i%len(namespaces)], fmt.Sprintf("outputs-%d", i), "outputs", nil, orphaned))
	}

	waitForPlaces(t, namespaces, objects/2)
	if err := stage.Client.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	destroy := waitForDestroy(t, seen, first)
	waiting := map[string]bool{}
	for _, run := range seen.of(namespaces...) {
		// Times are in seconds: only who is admitted in a later one is certainly later.
		if run.Waits() && run.CreationTimestamp.Before(&destroy.CreationTimestamp) {
			waiting[run.Name] = true
		}
	}
	if len(waiting) < objects/4 {
		t.Fatalf("only %d creates waited when the deletion was asked for, so the test proves nothing", len(waiting))
	}
	waitGone(t, first, 2*time.Minute)
	for _, run := range seen.of(namespaces...) {
		if run.Name == destroy.Name {
			destroy = run
		}
	}
	later := 0
	for _, run := range seen.of(namespaces...) {
		switch {
		case !waiting[run.Name]:
		case run.Waits():
			later++
		case run.Status.AdmittedAt.After(destroy.CreationTimestamp.Add(2*time.Second)) && run.Status.AdmittedAt.Before(destroy.Status.AdmittedAt):
			t.Errorf("Run %s was admitted at %s, before the destroy %s that waited since %s", run.Name, run.Status.AdmittedAt, destroy.Status.AdmittedAt, destroy.CreationTimestamp)
		}
	}
	if later == 0 {
		t.Error("no create waited any more when the deletion was done, so the test proves nothing")
	}

	kill(t, leader(t))
	for _, infra := range infras {
		waitReady(t, infra, 15*time.Minute)
	}
	creates := map[string]int{}
	for _, run := range seen.of(namespaces...) {
		if run.Spec.Operation == v1alpha1.OperationApply {
			creates[run.Spec.Infrastructure.Namespace+"/"+run.Spec.Infrastructure.Name]++
		}
		seen.Lock()
		if pods := len(seen.pods[run.UID]); pods != 1 {
			t.Errorf("Run %s had %d pods, want 1", run.Name, pods)
		}
		seen.Unlock()
	}
	for name, runs := range creates {
		if runs != 1 {
			t.Errorf("%s was created by %d runs, want 1", name, runs)
		}
	}
	if len(creates) != objects+1 {
		t.Errorf("%d objects were created, want %d", len(creates), objects+1)
	}

	wantNoRunAfterRestart(t, namespaces[0])
	forgetAll(t, infras)
	seen.Lock()
	defer seen.Unlock()
	if seen.most != atATime {
		t.Errorf("%d runs were under way at a time, want %d", seen.most, atATime)
	}
}

// installFor upgrades the release to these settings until the test ends.
func installFor(t *testing.T, settings ...string) {
	t.Helper()
	t.Cleanup(func() {
		if err := stage.Install(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := stage.Install(t.Context(), settings...); err != nil {
		t.Fatal(err)
	}
}

// orphaned has an object deleted without a run, and what it has made left.
func orphaned(infra *v1alpha1.Infrastructure) {
	infra.Spec.DeletionPolicy = v1alpha1.DeletionPolicyOrphan
}

// forgetAll deletes objects that are orphaned, whose modules make nothing outside the
// cluster, and what Groundwork keeps of them: hundreds of destroys at the end of a test
// would show nothing that its creates have not shown.
func forgetAll(t *testing.T, infras []*v1alpha1.Infrastructure) {
	t.Helper()
	namespaces := map[string]bool{}
	for _, infra := range infras {
		namespaces[infra.Namespace] = true
		if err := stage.Client.Delete(t.Context(), infra); err != nil {
			t.Fatal(err)
		}
	}
	for _, infra := range infras {
		waitDeleted(t, infra, 3*time.Minute)
	}
	for ns := range namespaces {
		for _, obj := range kept(t.Context(), t, ns+"-") {
			if err := client.IgnoreNotFound(stage.Client.Delete(t.Context(), obj)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// waitForPlaces waits until so many objects say their place, and not all the same.
func waitForPlaces(t *testing.T, namespaces []string, least int) {
	t.Helper()
	eventually(t, 3*time.Minute, "objects say their place", func(ctx context.Context) (bool, string) {
		said, objects := map[string]bool{}, 0
		for _, ns := range namespaces {
			var infras v1alpha1.InfrastructureList
			if err := stage.Client.List(ctx, &infras, client.InNamespace(ns)); err != nil {
				return false, err.Error()
			}
			for _, infra := range infras.Items {
				ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
				if ready != nil && strings.HasPrefix(ready.Message, "Waiting for a place: ") && strings.HasSuffix(ready.Message, " (8 runs at a time)") {
					said[ready.Message] = true
					objects++
				}
			}
		}
		return objects >= least && len(said) > 20, fmt.Sprintf("%d do: %q", objects, slices.Sorted(maps.Keys(said)))
	})
}

// waitForDestroy waits until the object has a Run that destroys it, and returns it.
func waitForDestroy(t *testing.T, seen *runWatch, infra *v1alpha1.Infrastructure) *v1alpha1.Run {
	t.Helper()
	var destroy *v1alpha1.Run
	eventually(t, time.Minute, "a run destroys "+infra.Name, func(context.Context) (bool, string) {
		for _, run := range seen.of(infra.Namespace) {
			if run.Spec.Infrastructure.Name == infra.Name && run.Spec.Operation == v1alpha1.OperationDestroy {
				destroy = run
			}
		}
		return destroy != nil, ""
	})
	return destroy
}
