package infrastructure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/state"
)

// observed is what one reconcile knows when it decides.
type observed struct {
	now time.Time
	// infra is the object; its status becomes what this reconcile finds.
	infra *v1alpha1.Infrastructure
	// stored is the object with the status that the API server has of it.
	stored *v1alpha1.Infrastructure
	// key is the object's state key.
	key string
	// runs are the object's Runs, newest first, without those that were superseded.
	// They come from the cache, which may be a moment behind; whoever starts a Run or
	// forgets the object makes sure first that it is not (checkCurrent).
	runs []v1alpha1.Run
	// module is what the catalogue says of the object's module, in any version; empty
	// when it has none of that name.
	module modules.Manifest
	// available is the version of it that an apply would take; empty when there is none.
	available string
	// superseded are Runs that nobody has carried out; they only keep their numbers
	// from being used again.
	superseded []v1alpha1.Run

	// request is what an apply would be given; nil when the object is being
	// deleted, when a pod has taken the last Run and it is not finished, and when
	// fault is set.
	request *runner.Request
	// fault is why there is no request: a *status.Error to wait or to stall.
	fault *status.Error

	// turn is when another version of the module is applied; set only when that is all
	// there is to do.
	turn *turn

	// The rest is set only while the object is being deleted and no Run is under
	// way, by live reads.

	// snapshot is what the last apply left for the destroy; nil when absent.
	snapshot *runner.Request
	// state is Terraform's state; nil when absent.
	state *state.State
	// dependants describe the other objects that need this one.
	dependants []string

	// notKept is set when a copy of the state could not be made.
	notKept bool
}

// observe reads what decide needs. An error is one of the API: to be retried.
func (r *Reconciler) observe(ctx context.Context, infra, stored *v1alpha1.Infrastructure) (*observed, error) {
	o, err := r.observeRuns(ctx, infra, stored)
	if err != nil {
		return nil, err
	}
	switch deleting, underWay := !infra.DeletionTimestamp.IsZero(), o.underWay(); {
	case underWay != nil && (deleting || underWay.Status.PodUID != ""):
		// Its progress comes once a second and changes nothing else.
		return o, nil
	case deleting:
		return o, r.observeLeftBehind(ctx, o)
	}
	o.request, err = r.request(ctx, o)
	if fault := (*status.Error)(nil); errors.As(err, &fault) {
		o.fault, err = fault, nil
	}
	if err == nil && upgradedFrom(o) != nil {
		o.turn, err = r.turn(ctx, o.infra, nil)
	}
	return o, err
}

// observeRuns reads the object's Runs, and what the catalogue says of its module.
func (r *Reconciler) observeRuns(ctx context.Context, infra, stored *v1alpha1.Infrastructure) (*observed, error) {
	o := &observed{now: r.clock.Now(), infra: infra, stored: stored, key: state.Key(infra.Namespace, infra.Name)}
	if module, err := r.catalogue.Get(infra.Spec.Module, ""); err == nil {
		o.module = module.Manifest
	}
	if module, err := r.catalogue.Get(infra.Spec.Module, infra.Spec.ModuleVersion); err == nil {
		o.available = module.Version
	}
	runs, err := listRuns(ctx, r.client, r.namespace, o.key)
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		if run.Status.Reason == v1alpha1.RunReasonSuperseded {
			o.superseded = append(o.superseded, run)
		} else {
			o.runs = append(o.runs, run)
		}
	}
	return o, nil
}

// observeLeftBehind reads what an apply has left behind. Only what is proven to
// be absent is nil; anything unreadable or forbidden is an error.
func (r *Reconciler) observeLeftBehind(ctx context.Context, o *observed) error {
	var err error
	if o.snapshot, err = r.snapshot(ctx, o.key); err != nil {
		return err
	}
	if o.state, err = r.state.Read(ctx, o.key); err != nil && !errors.Is(err, state.ErrAbsent) {
		return err
	}
	o.dependants, err = r.observeDependants(ctx, o.infra)
	return err
}

// listRuns lists all Runs of a key, newest first.
func listRuns(ctx context.Context, c client.Reader, namespace, key string) ([]v1alpha1.Run, error) {
	var list v1alpha1.RunList
	err := c.List(ctx, &list, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelKey: key})
	if err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	sort.Slice(list.Items, func(i, j int) bool { return runNumber(&list.Items[i]) > runNumber(&list.Items[j]) })
	return list.Items, nil
}

// checkCurrent makes sure by a live read that what was observed of the Runs is all
// there is: on a cache that is behind, a second Run would be started, the pod of a
// running one removed, or a state forgotten that a Run is about to write.
func (r *Reconciler) checkCurrent(ctx context.Context, o *observed) error {
	runs, err := listRuns(ctx, r.live, r.namespace, o.key)
	if err != nil {
		return err
	}
	known := map[types.UID]string{}
	for _, run := range slices.Concat(o.runs, o.superseded) {
		known[run.UID] = run.ResourceVersion
	}
	current := len(runs) == len(known)
	for _, run := range runs {
		current = current && known[run.UID] == run.ResourceVersion
	}
	if !current {
		return status.ErrBehind
	}
	return nil
}

// runName is the name of a key's n-th Run and of its pod. It is at most 63 bytes:
// the pod's host name is in the state's lock.
func runName(key string, n int) string { return key + "-" + strconv.Itoa(n) }

// runNumber is the n of a Run's name, 0 for a name that is not runName's.
func runNumber(run *v1alpha1.Run) int {
	_, suffix := cutLast(run.Name, "-")
	n, err := strconv.Atoi(suffix)
	if err != nil {
		return 0
	}
	return n
}

// cutLast cuts at the last separator; without one, all is before it.
func cutLast(s, sep string) (before, after string) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):]
	}
	return s, ""
}

// last is the newest Run; nil when there is none.
func (o *observed) last() *v1alpha1.Run {
	if len(o.runs) == 0 {
		return nil
	}
	return &o.runs[0]
}

// underWay is the newest Run when it is not finished; nil otherwise.
func (o *observed) underWay() *v1alpha1.Run {
	if last := o.last(); last != nil && !last.Status.Phase.Finished() {
		return last
	}
	return nil
}

// next is the number of the next Run. No number is used twice while the object
// lives: the pod of an earlier Run would take a later one of the same name.
func (o *observed) next() int {
	n := 0
	for _, run := range slices.Concat(o.runs, o.superseded) {
		n = max(n, runNumber(&run))
	}
	return n + 1
}

// applied is the newest Run that went on to change resources, or that found
// nothing to change; nil when there is none, or all was destroyed since.
func (o *observed) applied() *v1alpha1.Run {
	for i := range o.runs {
		run := &o.runs[i]
		switch {
		case run.Spec.Operation == v1alpha1.OperationDestroy && run.Status.Phase == v1alpha1.RunSucceeded:
			return nil
		case run.Spec.Operation == v1alpha1.OperationApply && !looks(run) &&
			(run.Status.ApplyStartedAt != nil || run.Status.Phase == v1alpha1.RunSucceeded):
			return run
		}
	}
	return nil
}

// changedState is the newest Run that went on to change resources, and with them the
// state, whatever came of it; nil when there is none.
func (o *observed) changedState() *v1alpha1.Run {
	for i := range o.runs {
		if o.runs[i].Status.ApplyStartedAt != nil {
			return &o.runs[i]
		}
	}
	return nil
}

// base is the newest Run that succeeded, on top of which a plan is made; empty
// when there is none.
func (o *observed) base() string {
	for i := range o.runs {
		if o.runs[i].Status.Phase == v1alpha1.RunSucceeded {
			return o.runs[i].Name
		}
	}
	return ""
}

// progressing is the outcome of an object with something under way.
func (o *observed) progressing(message string, after time.Duration) status.Outcome {
	if o.infra.DeletionTimestamp.IsZero() {
		return status.Progressing(v1alpha1.ReasonProgressing, message, after)
	}
	return status.Progressing(v1alpha1.ReasonDestroying, message, after)
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
