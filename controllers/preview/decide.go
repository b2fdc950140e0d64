package preview

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// observed is what one reconcile knows when it decides.
type observed struct {
	now time.Time
	// preview is the object; its status becomes what this reconcile finds.
	preview *v1alpha1.Preview
	// stored is the object as the API server has it.
	stored *v1alpha1.Preview
	// run is the Preview's Run; nil when it is proven that there is none.
	run *v1alpha1.Run
}

// action is what a reconcile does; there is a function in act.go for each.
type action int

const (
	// keep: nothing is to be done before the decision's after.
	keep action = iota
	// start: the Run is to be made.
	start
	// follow: the Run is under way; tell how far it is.
	follow
	// conclude: the Run has finished; bring its result to the Preview.
	conclude
	// lament: the Run is gone before it had finished.
	lament
	// release: the Preview has ended or is being deleted; remove what is left of it in the
	// system namespace.
	release
	// expire: the Preview has ended long ago; delete it.
	expire
)

// decision is an action, and the time of the next look when no event comes first; zero
// for none.
type decision struct {
	action action
	after  time.Duration
}

// decide says what is to be done. It reads nothing but what was observed.
//
// The finalizer is there as long as something may be in the system namespace: it is added
// before the first thing is made, and removed when the result is in the status.
func decide(o *observed) decision {
	s := &o.preview.Status
	held := controllerutil.ContainsFinalizer(o.preview, v1alpha1.FinalizerPreview)
	switch deleting := !o.preview.DeletionTimestamp.IsZero(); {
	case held && (deleting || s.FinishedAt != nil):
		return decision{action: release}
	case deleting:
		return decision{action: keep}
	case s.FinishedAt != nil:
		return decideEnded(o)
	case o.run == nil && s.Run != nil:
		return decision{action: lament}
	case o.run == nil:
		return decision{action: start}
	case o.run.Status.Phase.Finished():
		return decision{action: conclude}
	}
	return decision{action: follow}
}

// decideEnded deletes a Preview when its time is over.
func decideEnded(o *observed) decision {
	if left := o.preview.Status.FinishedAt.Add(o.preview.Spec.TTL.Duration).Sub(o.now); left > 0 {
		return decision{action: keep, after: left}
	}
	return decision{action: expire}
}
