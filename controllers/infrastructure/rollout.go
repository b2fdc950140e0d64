package infrastructure

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
)

const (
	// turnRefresh is the time between two looks at an object's turn, or longer when many
	// wait: turnRate looks a second.
	turnRefresh = time.Minute
	turnRate    = 10
	// namedFailures is the number of failed upgrades that a message names.
	namedFailures = 3
)

// Upgrades bound what happens to a module's objects when a bundle brings another
// version of it.
type Upgrades struct {
	// MaxConcurrent is the number, or the percentage, of the module's objects that are
	// upgraded at a time: rounded up, and at least 1.
	MaxConcurrent intstr.IntOrString
	// MaxFailed is the number of objects whose upgrade to a version has failed, and is not
	// mended, at which no further one to it is started.
	MaxFailed int
}

// member is what an object of a module means to the others' upgrades.
type member struct {
	uid  types.UID
	name string
	// digest is that of the version that the object is to have; empty when there is none.
	digest string
	// waits: the object is well, and could be upgraded.
	waits bool
	// underWay: an upgrade of it is, or another try of one.
	underWay bool
	// failed: an upgrade to digest has, and nothing has succeeded since.
	failed bool
}

// memberOf looks at an object and its Runs, newest first, for an upgrade to the version
// with this digest. It only reads them.
//
// An object that cannot move, for a fault, a plan that waits for approval, or because it
// is suspended, does not wait: it would keep the others from moving. Its turn comes
// when it can.
func memberOf(infra *v1alpha1.Infrastructure, runs []v1alpha1.Run, digest string) member {
	m := member{uid: infra.UID, name: infra.Namespace + "/" + infra.Name, digest: digest}
	if len(runs) > 0 && !runs[0].Status.Phase.Finished() {
		m.underWay = runs[0].Spec.UpgradeFrom != ""
	}
	if digest == "" || !infra.DeletionTimestamp.IsZero() {
		return m
	}
	m.failed = failedUpgrade(infra, runs, digest)
	synced := lastSynced(runs)
	m.waits = !infra.Spec.Suspend && readyNow(infra) &&
		synced != nil && synced.Spec.Infrastructure.UID == infra.UID && synced.Spec.Module.Digest != digest
	return m
}

// failedUpgrade tells whether an upgrade to the version with this digest has failed and
// nothing has succeeded since. That somebody cancelled it, or holds the lock, says nothing
// of the version.
func failedUpgrade(infra *v1alpha1.Infrastructure, runs []v1alpha1.Run, digest string) bool {
	for i := range runs {
		run := &runs[i]
		switch {
		case looks(run) || !run.Status.Phase.Finished():
			continue
		case run.Spec.Infrastructure.UID != infra.UID || run.Status.Phase == v1alpha1.RunSucceeded:
			return false
		case run.Status.Phase == v1alpha1.RunFailed && run.Spec.UpgradeFrom != "" && run.Spec.Module.Digest == digest &&
			run.Status.Reason != v1alpha1.RunReasonCancelled && run.Status.Reason != v1alpha1.RunReasonLocked:
			return true
		}
	}
	return false
}

// lastSynced is the Run that applied what the object has, when nothing has touched that
// since; nil otherwise. Plans of upgrades that were kept for approval have not.
func lastSynced(runs []v1alpha1.Run) *v1alpha1.Run {
	for i := range runs {
		run := &runs[i]
		switch {
		case looks(run), run.Status.Phase == v1alpha1.RunPlanned && run.Spec.UpgradeFrom != "":
			continue
		case run.Spec.Operation == v1alpha1.OperationApply && run.Status.Phase == v1alpha1.RunSucceeded:
			return run
		}
		return nil
	}
	return nil
}

// readyNow tells whether the object is Ready for its current generation.
func readyNow(infra *v1alpha1.Infrastructure) bool {
	return infra.Status.ObservedGeneration == infra.Generation &&
		meta.IsStatusConditionTrue(infra.Status.Conditions, v1alpha1.ConditionReady)
}

// upgradedFrom is the Run that applied what the object is in sync with, when all that is
// new is another version of its module; nil otherwise. A change of the spec, or somebody
// who asks for a run, has what is wanted applied at once.
func upgradedFrom(o *observed) *v1alpha1.Run {
	last, synced := o.lastChange(), lastSynced(o.runs)
	switch {
	case o.request == nil || synced == nil || o.reconcileRequest() != "",
		synced.Spec.Infrastructure.UID != o.infra.UID,
		last.Spec.Module.Digest == o.request.Module.Digest:
		return nil
	case asksFor(o, synced), readyNow(o.stored):
		return synced
	}
	return nil
}

// retriedRun is the failed Run that another apply tries again; nil when there is none.
// An object whose upgrade has failed gets the next version as another try: it is
// broken, and does not wait behind those that are well.
func retriedRun(o *observed) *v1alpha1.Run {
	if failed := failedApplies(o); len(failed) > 0 {
		return &failed[0]
	}
	last := o.lastChange()
	if last != nil && last.Spec.UpgradeFrom != "" && last.Status.Phase == v1alpha1.RunFailed &&
		asksFor(o, last) && o.reconcileRequest() == "" && last.Spec.Module.Digest != o.request.Module.Digest {
		return last
	}
	return nil
}

// upgradeFrom is the version that a new Run upgrades the object from; empty when it is
// no upgrade.
func upgradeFrom(o *observed, operation v1alpha1.Operation, trigger v1alpha1.RunTrigger) string {
	switch {
	case trigger == v1alpha1.TriggerUpgrade:
		return upgradedFrom(o).Spec.Module.Version
	case trigger == v1alpha1.TriggerRetry && operation == v1alpha1.OperationApply:
		return retriedRun(o).Spec.UpgradeFrom
	}
	return ""
}

// turn is when an object is upgraded.
type turn struct {
	// place is the object's among those of the module that wait, from 1.
	place, waiting int
	// limit is the number of upgrades at a time, free how many of them could start now.
	limit, free int
	// objects is the number of the module's objects.
	objects int
	// failed are the objects whose upgrade to the same version has failed.
	failed []string
	// stopped: too many have.
	stopped bool
}

// now tells whether it is the object's turn.
func (t *turn) now() bool { return !t.stopped && t.place <= t.free }

// turnOf is the turn of a member, which counts as one that waits.
//
// The order of those that wait does not depend on who is under way. So a cache that does
// not know yet of an upgrade that has started counts it among those that wait, before
// the others, and no other takes its place.
func (u Upgrades) turnOf(self types.UID, members []member) turn {
	failed, stopped := u.failures(members)
	t := turn{objects: len(members)}
	t.limit, t.free = u.places(members)
	i := slices.IndexFunc(members, func(m member) bool { return m.uid == self })
	if i < 0 {
		return t // The cache does not have the object any more.
	}
	own := members[i]
	t.failed, t.stopped = failed[own.digest], stopped[own.digest]
	t.place, t.waiting = 1, 1
	for _, m := range members {
		if m.uid == self || !m.waits || stopped[m.digest] && !t.stopped {
			continue
		}
		t.waiting++
		if before(&m, &own) {
			t.place++
		}
	}
	return t
}

// next are the members whose turn it is.
func (u Upgrades) next(members []member) []member {
	_, stopped := u.failures(members)
	waiting := slices.DeleteFunc(slices.Clone(members), func(m member) bool { return !m.waits || stopped[m.digest] })
	slices.SortFunc(waiting, func(a, b member) int {
		if before(&a, &b) {
			return -1
		}
		return 1
	})
	_, free := u.places(members)
	return waiting[:min(free, len(waiting))]
}

// stopped are the members that wait for the version with this digest, which has failed for
// too many; none when it has not.
func (u Upgrades) stopped(members []member, digest string) []member {
	if _, stopped := u.failures(members); !stopped[digest] {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(members), func(m member) bool { return !m.waits || m.digest != digest })
}

// failures are the names of the objects whose upgrade has failed, and whether these are
// too many, by the digest of the version.
func (u Upgrades) failures(members []member) (failed map[string][]string, stopped map[string]bool) {
	failed, stopped = map[string][]string{}, map[string]bool{}
	for _, m := range members {
		if m.failed {
			failed[m.digest] = append(failed[m.digest], m.name)
		}
	}
	for digest, names := range failed {
		slices.Sort(names)
		stopped[digest] = len(names) >= u.MaxFailed
	}
	return failed, stopped
}

// places are the number of upgrades at a time, and how many of them could start now.
func (u Upgrades) places(members []member) (limit, free int) {
	limit, err := intstr.GetScaledValueFromIntOrPercent(&u.MaxConcurrent, len(members), true)
	if err != nil {
		limit = 1 // The command refuses what is neither a number nor a percentage.
	}
	limit = max(limit, 1)
	free = limit
	for _, m := range members {
		if m.underWay {
			free--
		}
	}
	return limit, max(free, 0)
}

// before orders the members that wait: in each version another one is the first to try
// it.
func before(a, b *member) bool {
	return cmp.Or(cmp.Compare(lot(a), lot(b)), strings.Compare(a.name, b.name)) < 0
}

func lot(m *member) uint64 {
	h := fnv.New64a()
	h.Write([]byte(m.digest))
	h.Write([]byte(m.uid))
	return h.Sum64()
}

// decideUpgrade starts an upgrade when it is the object's turn. Until then the object is
// what its spec asks for, and stays Ready. Nobody looks for drift meanwhile: a look
// would be in the new version, of which every change is one to come.
func decideUpgrade(o *observed) decision {
	from, to := upgradedFrom(o).Spec.Module, o.request.Module
	if o.turn.now() {
		return decision{startUpgrade, o.progressing(fmt.Sprintf("Starting a run to upgrade %s from %s to %s", to.Name, from.Version, to.Version), 0)}
	}
	return decision{keep, awaitTurn(o)}
}

// awaitTurn is the outcome of an object that waits for its upgrade.
func awaitTurn(o *observed) status.Outcome {
	t, from, to := o.turn, upgradedFrom(o).Spec.Module, o.request.Module
	version := to.Version
	if version == from.Version {
		version = "another build of it"
	}
	applied, after := fmt.Sprintf("Applied %s %s", from.Name, from.Version), turnAfter(o.infra.UID, t.waiting)
	if !t.stopped {
		return status.InSyncUntil(v1alpha1.ReasonUpgradePending, after, "%s; %s comes in its turn: %s, %d at a time",
			applied, version, status.Place(t.place, t.waiting), t.limit)
	}
	named := strings.Join(t.failed[:min(namedFailures, len(t.failed))], ", ")
	if more := len(t.failed) - namedFailures; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	return status.InSyncUntil(v1alpha1.ReasonUpgradeStopped, after,
		"%s; the upgrade to %s is stopped: %d of %d failed (%s); mend them, install another bundle, or set the annotation %s of this one to a new value to upgrade it all the same",
		applied, version, len(t.failed), t.objects, named, v1alpha1.AnnotationReconcile)
}

// turnAfter is the time to the next look at an object's turn, up to a fifth more for some
// than for others.
func turnAfter(uid types.UID, waiting int) time.Duration {
	d := max(turnRefresh, time.Duration(waiting)*time.Second/turnRate)
	h := fnv.New32a()
	h.Write([]byte(uid))
	return d + time.Duration(float64(d)/5*float64(h.Sum32()%1000)/1000)
}
