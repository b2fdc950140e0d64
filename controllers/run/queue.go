package run

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
)

// class is the rank of a waiting Run: all of a class come before any of the next.
type class int

const (
	// classDestroy: somebody waits for it, a namespace perhaps, and it frees what costs.
	classDestroy class = iota
	// classChange: somebody has asked for it.
	classChange
	// classRetry: it has failed before, and had its place then.
	classRetry
	// classUpgrade: the object is well as it is.
	classUpgrade
	// classDrift: most likely there is nothing to do.
	classDrift
	classes int = iota
)

// String is the class's name, as in metrics.
func (c class) String() string {
	return [...]string{"Destroy", "Change", "Retry", "Upgrade", "Drift"}[c]
}

func classOf(run *v1alpha1.Run) class {
	switch run.Spec.Trigger {
	case v1alpha1.TriggerRetry:
		return classRetry
	case v1alpha1.TriggerUpgrade:
		return classUpgrade
	case v1alpha1.TriggerDrift:
		return classDrift
	}
	if run.Spec.Operation == v1alpha1.OperationDestroy {
		return classDestroy
	}
	return classChange
}

// Waiting counts the Runs that wait for a place, by class; each class is there.
func Waiting(runs []v1alpha1.Run) map[string]int {
	waiting := map[string]int{}
	for c := range classes {
		waiting[class(c).String()] = 0
	}
	for i := range runs {
		if runs[i].Waits() {
			waiting[classOf(&runs[i]).String()]++
		}
	}
	return waiting
}

// line is who gets a place now, and who does not.
type line struct {
	// admitted get one, in this order.
	admitted []*v1alpha1.Run
	// waiting go on waiting, the next one first.
	waiting []*v1alpha1.Run
}

// lineUp gives the places that are free to the Runs that wait. Beside those that say
// that they have a place, placed do: Runs by their UID, with the namespace that they are
// for, which the cache need not know. It only reads the Runs.
//
// A class comes before the next. Within it the namespace with the fewest Runs under way
// is next, those picked before counted, and its oldest Run; of several namespaces the
// one that has waited longest. So none waits for ever: while one does, the others that
// are served before it have fewer Runs under way, of which each picked makes one more.
func lineUp(runs []v1alpha1.Run, placed map[types.UID]string, limit int) line {
	taken, underWay := 0, map[string]int{}
	take := func(namespace string) {
		taken++
		underWay[namespace]++
	}
	for _, namespace := range placed {
		take(namespace)
	}
	waiting := make([][]*v1alpha1.Run, classes)
	for i := range runs {
		run := &runs[i]
		if _, counted := placed[run.UID]; counted || run.Status.Phase.Finished() {
			continue
		}
		if run.Waits() {
			waiting[classOf(run)] = append(waiting[classOf(run)], run)
			continue
		}
		take(run.Spec.Infrastructure.Namespace)
	}
	var order []*v1alpha1.Run
	for _, ofClass := range waiting {
		order = append(order, fairly(ofClass, underWay)...)
	}
	free := min(max(limit-taken, 0), len(order))
	return line{admitted: order[:free], waiting: order[free:]}
}

// fairly orders Runs of one class, and counts them as under way.
func fairly(runs []*v1alpha1.Run, underWay map[string]int) []*v1alpha1.Run {
	slices.SortFunc(runs, older)
	turns := &turns{underWay: underWay, runs: map[string][]*v1alpha1.Run{}}
	for _, run := range runs {
		ns := run.Spec.Infrastructure.Namespace
		if turns.runs[ns] == nil {
			turns.namespaces = append(turns.namespaces, ns)
		}
		turns.runs[ns] = append(turns.runs[ns], run)
	}
	heap.Init(turns)
	order := make([]*v1alpha1.Run, 0, len(runs))
	for turns.Len() > 0 {
		ns := turns.namespaces[0]
		order = append(order, turns.runs[ns][0])
		turns.runs[ns] = turns.runs[ns][1:]
		underWay[ns]++
		if len(turns.runs[ns]) == 0 {
			heap.Pop(turns)
		} else {
			heap.Fix(turns, 0)
		}
	}
	return order
}

// older orders Runs by age; of those of one second the names decide.
func older(a, b *v1alpha1.Run) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), strings.Compare(a.Name, b.Name))
}

// turns is a heap of namespaces, the one whose turn it is on top.
type turns struct {
	namespaces []string
	underWay   map[string]int
	// runs are those of each namespace that wait, the oldest first.
	runs map[string][]*v1alpha1.Run
}

var _ heap.Interface = (*turns)(nil)

func (t *turns) Len() int { return len(t.namespaces) }

func (t *turns) Less(i, j int) bool {
	a, b := t.namespaces[i], t.namespaces[j]
	return cmp.Or(cmp.Compare(t.underWay[a], t.underWay[b]), older(t.runs[a][0], t.runs[b][0])) < 0
}

func (t *turns) Swap(i, j int) { t.namespaces[i], t.namespaces[j] = t.namespaces[j], t.namespaces[i] }

func (t *turns) Push(namespace any) { t.namespaces = append(t.namespaces, namespace.(string)) }

func (t *turns) Pop() any {
	last := t.namespaces[len(t.namespaces)-1]
	t.namespaces = t.namespaces[:len(t.namespaces)-1]
	return last
}

// placeMessage is what a waiting Run says; place counts from 1.
func placeMessage(place, waiting, limit int) string {
	noun := "runs"
	if limit == 1 {
		noun = "run"
	}
	return fmt.Sprintf("Waiting for a place: %s (%d %s at a time)", status.Place(place, waiting), limit, noun)
}
