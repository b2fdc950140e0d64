package run

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// inLine returns a Run that waits: "shop/orders" is its object, and part of its name.
// Those that come later in a table's list are younger.
func inLine(object string, modify ...func(*v1alpha1.Run)) v1alpha1.Run {
	run := *newRun(modify...)
	run.Spec.Infrastructure.Namespace, run.Spec.Infrastructure.Name, _ = strings.Cut(object, "/")
	run.Name, run.UID = object, types.UID(object)
	return run
}

func trigger(trigger v1alpha1.RunTrigger) func(*v1alpha1.Run) {
	return func(run *v1alpha1.Run) { run.Spec.Trigger = trigger }
}

func destroys(run *v1alpha1.Run) { run.Spec.Operation = v1alpha1.OperationDestroy }

func admitted(run *v1alpha1.Run) { run.Status.AdmittedAt = &metav1.Time{Time: created} }

func finished(run *v1alpha1.Run) { run.Status.Phase = v1alpha1.RunSucceeded }

func names(runs []*v1alpha1.Run) string {
	var names []string
	for _, run := range runs {
		names = append(names, run.Name)
	}
	return strings.Join(names, " ")
}

func TestLineUp(t *testing.T) {
	drift, upgrade, retry := trigger(v1alpha1.TriggerDrift), trigger(v1alpha1.TriggerUpgrade), trigger(v1alpha1.TriggerRetry)
	for _, tc := range []struct {
		name   string
		runs   []v1alpha1.Run
		placed map[types.UID]string
		limit  int
		// admitted and waiting are names, in their order.
		admitted, waiting string
	}{
		{"Nobody waits.", nil, nil, 2, "", ""},
		{"All find a place.", []v1alpha1.Run{inLine("a/1"), inLine("a/2")}, nil, 2, "a/1 a/2", ""},
		{"The oldest are first.", []v1alpha1.Run{inLine("a/1"), inLine("a/2"), inLine("a/3")}, nil, 2, "a/1 a/2", "a/3"},
		{"Those that have a place keep it, and those that ended give it back.",
			[]v1alpha1.Run{inLine("a/1", finished), inLine("a/2", admitted), inLine("a/3"), inLine("a/4")}, nil, 2, "a/3", "a/4"},
		{"One that a pod has taken needs no admission, as an earlier version gave none.",
			[]v1alpha1.Run{inLine("a/1", taken), inLine("a/2")}, nil, 1, "", "a/2"},
		{"Classes come one after the other.", []v1alpha1.Run{
			inLine("a/drift", drift), inLine("a/upgrade", upgrade), inLine("a/retry", retry), inLine("a/destroy-again", destroys, retry),
			inLine("a/change", trigger(v1alpha1.TriggerChange)), inLine("a/plan", trigger("Preview")), inLine("a/destroy", destroys, trigger(v1alpha1.TriggerChange)),
		}, nil, 1, "a/destroy", "a/change a/plan a/retry a/destroy-again a/upgrade a/drift"},
		{"A crowd does not keep another namespace waiting.",
			[]v1alpha1.Run{inLine("a/1"), inLine("a/2"), inLine("a/3"), inLine("a/4"), inLine("b/1"), inLine("b/2")}, nil, 3, "a/1 b/1 a/2", "b/2 a/3 a/4"},
		{"What a namespace has under way counts, in any class.",
			[]v1alpha1.Run{inLine("a/1", admitted, drift), inLine("a/2", taken), inLine("a/3"), inLine("b/1"), inLine("b/2"), inLine("b/3")}, nil, 5,
			"b/1 b/2 a/3", "b/3"},
		{"The picks of a class count in the next.", []v1alpha1.Run{inLine("a/1", destroys), inLine("a/2"), inLine("b/1")}, nil, 2, "a/1 b/1", "a/2"},
		{"A cache that does not know an admission gives its place to nobody.",
			[]v1alpha1.Run{inLine("a/1"), inLine("a/2"), inLine("a/3")}, map[types.UID]string{"a/1": "a", "a/2": "a"}, 2, "", "a/3"},
		{"Nor does one that does not know the Run.", []v1alpha1.Run{inLine("a/2"), inLine("b/1")}, map[types.UID]string{"a/1": "a"}, 2, "b/1", "a/2"},
		{"A limit that is lower than before takes no place away.",
			[]v1alpha1.Run{inLine("a/1", admitted), inLine("a/2", admitted), inLine("a/3")}, nil, 1, "", "a/3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for i := range tc.runs {
				tc.runs[i].CreationTimestamp = metav1.NewTime(created.Add(time.Duration(i) * time.Second))
			}
			got := lineUp(tc.runs, tc.placed, tc.limit)
			if names(got.admitted) != tc.admitted || names(got.waiting) != tc.waiting {
				t.Errorf("admitted %q, waiting %q; want %q and %q", names(got.admitted), names(got.waiting), tc.admitted, tc.waiting)
			}
			// The order is that of the Runs, not that of the cache's list.
			rand.Shuffle(len(tc.runs), func(i, j int) { tc.runs[i], tc.runs[j] = tc.runs[j], tc.runs[i] })
			again := lineUp(tc.runs, tc.placed, tc.limit)
			if names(again.admitted) != tc.admitted || names(again.waiting) != tc.waiting {
				t.Errorf("of a list in another order: admitted %q, waiting %q", names(again.admitted), names(again.waiting))
			}
		})
	}
}

// While new Runs come faster than places, each gets its place in the end, and there are
// never more than the limit: whatever namespace it is of, and however far behind the
// cache is.
func TestLineUp_starvesNobody(t *testing.T) {
	const limit, rounds = 4, 400
	random := rand.New(rand.NewPCG(1, 2))
	var runs []v1alpha1.Run
	began, waited := map[types.UID]int{}, map[string]int{}
	placed := map[types.UID]string{}
	for round := range rounds {
		// Namespace busy makes one in each round, rare one in twenty.
		for _, ns := range []string{"busy", "rare"} {
			if ns == "busy" || round%20 == 0 {
				run := inLine(fmt.Sprintf("%s/%d", ns, round), func(r *v1alpha1.Run) {
					r.CreationTimestamp = metav1.NewTime(created.Add(time.Duration(round) * time.Second))
				})
				runs, began[run.UID] = append(runs, run), round
			}
		}
		for _, run := range lineUp(runs, placed, limit).admitted {
			waited[run.Spec.Infrastructure.Namespace] = max(waited[run.Spec.Infrastructure.Namespace], round-began[run.UID])
			placed[run.UID] = run.Spec.Infrastructure.Namespace
		}
		if len(placed) > limit {
			t.Fatalf("round %d: %d Runs have a place, want %d at most", round, len(placed), limit)
		}
		// One ends in most rounds.
		for i := range runs {
			if _, has := placed[runs[i].UID]; has && random.IntN(3) == 0 {
				finished(&runs[i])
				delete(placed, runs[i].UID)
				break
			}
		}
	}
	if waited["rare"] > 2*limit*3 {
		t.Errorf("a Run of a namespace with few waited %d rounds", waited["rare"])
	}
	if waited["busy"] == 0 {
		t.Error("no Run had to wait, so the test proves nothing")
	}
}

func TestWaiting(t *testing.T) {
	got := Waiting([]v1alpha1.Run{
		inLine("a/1"), inLine("a/2", admitted), inLine("a/3", finished), inLine("a/4", taken), inLine("a/5", destroys), inLine("a/6", trigger(v1alpha1.TriggerDrift)), inLine("a/7"),
	})
	if diff := cmp.Diff(map[string]int{"Destroy": 1, "Change": 2, "Retry": 0, "Upgrade": 0, "Drift": 1}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPlaceMessage(t *testing.T) {
	got := []string{placeMessage(17, 42, 8), placeMessage(1, 1, 1)}
	want := []string{"Waiting for a place: 17th of 42 (8 runs at a time)", "Waiting for a place: 1st of 1 (1 run at a time)"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRunsOn(t *testing.T) {
	var got []int
	for _, nodes := range []int{0, 1, 2, 3, 10, 16, 17, 5000} {
		got = append(got, runsOn(nodes))
	}
	if diff := cmp.Diff([]int{8, 8, 8, 12, 40, 64, 64, 64}, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTellInterval(t *testing.T) {
	for waiting, want := range map[int]time.Duration{0: 10 * time.Second, 20: 10 * time.Second, 200: 100 * time.Second, 1000: 500 * time.Second} {
		if got := tellInterval(waiting); got != want {
			t.Errorf("%d waiting: got %s, want %s", waiting, got, want)
		}
	}
}
