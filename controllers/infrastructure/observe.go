package infrastructure

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// observed is what one reconcile knows when it decides.
type observed struct {
	now   time.Time
	infra *v1alpha1.Infrastructure
	// key is the object's state key.
	key string
	// runs are the object's Runs, newest first. They come from the cache, which may
	// be a moment behind: startRun makes sure that none is started twice.
	runs []v1alpha1.Run

	// request is what an apply would be given; nil when the object is being
	// deleted or when fault is set.
	request *runner.Request
	// fault is why there is no request: a *status.Error to wait or to stall.
	fault *status.Error

	// The rest is set only while the object is being deleted, by live reads.

	// snapshot is what the last apply left for the destroy; nil when absent.
	snapshot *runner.Request
	// state is Terraform's state; nil when absent.
	state *state.State
}

// observe reads what decide needs. An error is one of the API: to be retried.
func (r *Reconciler) observe(ctx context.Context, infra *v1alpha1.Infrastructure) (*observed, error) {
	o := &observed{now: r.clock.Now(), infra: infra, key: state.Key(infra.Namespace, infra.Name)}
	var err error
	if o.runs, err = r.runs(ctx, o.key); err != nil {
		return nil, err
	}
	if !infra.DeletionTimestamp.IsZero() {
		return o, r.observeLeftBehind(ctx, o)
	}
	o.request, err = r.request(ctx, o)
	if fault := (*status.Error)(nil); errors.As(err, &fault) {
		o.fault, err = fault, nil
	}
	return o, err
}

// observeLeftBehind reads what an apply has left behind. Only what is proven to
// be absent is nil; anything unreadable or forbidden is an error.
func (r *Reconciler) observeLeftBehind(ctx context.Context, o *observed) error {
	data, err := r.state.Snapshot(ctx, o.key)
	switch {
	case errors.Is(err, state.ErrAbsent):
	case err != nil:
		return err
	default:
		if o.snapshot, err = runner.ParseRequest(data); err != nil {
			return fmt.Errorf("snapshot %s/%s: %w", r.namespace, state.SnapshotName(o.key), err)
		}
	}
	if o.state, err = r.state.Read(ctx, o.key); err != nil && !errors.Is(err, state.ErrAbsent) {
		return err
	}
	return nil
}

// runs lists the Runs of a key, newest first.
func (r *Reconciler) runs(ctx context.Context, key string) ([]v1alpha1.Run, error) {
	var list v1alpha1.RunList
	err := r.client.List(ctx, &list, client.InNamespace(r.namespace), client.MatchingLabels{v1alpha1.LabelKey: key})
	if err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	sort.Slice(list.Items, func(i, j int) bool { return runNumber(&list.Items[i]) > runNumber(&list.Items[j]) })
	return list.Items, nil
}

// runName is the name of a key's n-th Run and of its pod. It is at most 63 bytes:
// the pod's host name is in the state's lock.
func runName(key string, n int) string { return key + "-" + strconv.Itoa(n) }

// runNumber is the n of a Run's name, 0 for a name that is not runName's.
func runNumber(run *v1alpha1.Run) int {
	_, suffix, _ := cutLast(run.Name, "-")
	n, err := strconv.Atoi(suffix)
	if err != nil {
		return 0
	}
	return n
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// last is the newest Run; nil when there is none.
func (o *observed) last() *v1alpha1.Run {
	if len(o.runs) == 0 {
		return nil
	}
	return &o.runs[0]
}

// applied is the newest Run that went on to change resources, or that found
// nothing to change; nil when there is none.
func (o *observed) applied() *v1alpha1.Run {
	for i := range o.runs {
		run := &o.runs[i]
		if run.Spec.Operation == v1alpha1.OperationApply &&
			(run.Status.ApplyStartedAt != nil || run.Status.Phase == v1alpha1.RunSucceeded) {
			return run
		}
	}
	return nil
}

// reconcileRequest is the annotation's value when no Run has answered it yet.
func (o *observed) reconcileRequest() string {
	value := o.infra.Annotations[v1alpha1.AnnotationReconcile]
	if value == o.infra.Status.LastHandledReconcileAt {
		return ""
	}
	for i := range o.runs {
		if o.runs[i].Spec.ReconcileRequest == value {
			return ""
		}
	}
	return value
}
