package infrastructure

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// newVersion is the digest of a version of queue that is newer than that of newRun.
const newVersion = "sha256:1"

// ready makes the object Ready for its generation.
func ready(infra *v1alpha1.Infrastructure) {
	infra.Status.ObservedGeneration = infra.Generation
	infra.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonInSync}}
}

// upgrading makes the Run an upgrade to newVersion.
func upgrading(run *v1alpha1.Run) {
	run.Spec.Trigger, run.Spec.UpgradeFrom = v1alpha1.TriggerUpgrade, "1.0.0"
	run.Spec.Module.Version, run.Spec.Module.Digest, run.Spec.InputsDigest = "1.1.0", newVersion, digestB
}

// retrying makes the Run another try of an upgrade to newVersion.
func retrying(run *v1alpha1.Run) {
	upgrading(run)
	run.Spec.Trigger = v1alpha1.TriggerRetry
}

func TestMemberOf(t *testing.T) {
	failed := ended(v1alpha1.RunReasonApplyFailed, time.Second)
	applied := newRun(1, succeeded)
	waits, underWay, broken, nothing := member{waits: true}, member{underWay: true}, member{failed: true}, member{}
	for _, tc := range []struct {
		name  string
		infra *v1alpha1.Infrastructure
		runs  []v1alpha1.Run
		want  member
	}{
		{"An object in sync with the old version waits.", newInfra(ready), []v1alpha1.Run{applied}, waits},
		{"Looks for drift make no difference.", newInfra(ready), []v1alpha1.Run{newRun(2, looking, planned("a")), applied}, waits},
		{"One that has the new version does not.", newInfra(ready), []v1alpha1.Run{newRun(2, upgrading, succeeded), applied}, nothing},
		{"A new one does not.", newInfra(), nil, nothing},
		{"One with a fault does not.", newInfra(), []v1alpha1.Run{applied}, nothing},
		{"One whose spec has changed does not.", newInfra(ready, func(i *v1alpha1.Infrastructure) { i.Generation = 2 }), []v1alpha1.Run{applied}, nothing},
		{"A suspended one does not.", newInfra(ready, suspended), []v1alpha1.Run{applied}, nothing},
		{"One that is being deleted does not.", newInfra(ready, deleting), []v1alpha1.Run{applied}, nothing},
		{"One of the same name that was created anew does not.", newInfra(ready, func(i *v1alpha1.Infrastructure) { i.UID = "new" }), []v1alpha1.Run{applied}, nothing},
		{"One whose user change failed does not.", newInfra(ready), []v1alpha1.Run{newRun(2, failed), applied}, nothing},
		{"An upgrade waits for its place, or has one.", newInfra(), []v1alpha1.Run{newRun(2, upgrading), applied}, underWay},
		{"A user's change is no upgrade.", newInfra(), []v1alpha1.Run{newRun(2), applied}, nothing},
		{"A destroy that was an upgrade before is none.", newInfra(deleting), []v1alpha1.Run{newRun(3, destroy), newRun(2, upgrading, failed), applied}, nothing},
		{"An upgrade failed.", newInfra(), []v1alpha1.Run{newRun(2, upgrading, failed), applied}, broken},
		{"It fails again.", newInfra(), []v1alpha1.Run{newRun(3, retrying, failed), newRun(2, upgrading, failed), applied}, broken},
		{"Its first try is not kept any more.", newInfra(), []v1alpha1.Run{newRun(13, retrying, failed), newRun(12, retrying, failed)}, broken},
		{"It is tried again.", newInfra(), []v1alpha1.Run{newRun(3, retrying, taken), newRun(2, upgrading, failed), applied}, member{failed: true, underWay: true}},
		{"It is mended.", newInfra(ready), []v1alpha1.Run{newRun(3, retrying, succeeded), newRun(2, upgrading, failed), applied}, nothing},
		{"Somebody's change mends it.", newInfra(ready), []v1alpha1.Run{newRun(3, otherInputs, succeeded), newRun(2, upgrading, failed)}, waits},
		{"Somebody's change does not mend it.", newInfra(), []v1alpha1.Run{newRun(3, otherInputs, failed), newRun(2, upgrading, failed), applied}, broken},
		{"Somebody cancelled it.", newInfra(), []v1alpha1.Run{newRun(2, upgrading, ended(v1alpha1.RunReasonCancelled, time.Second)), applied}, nothing},
		{"Somebody holds the lock.", newInfra(), []v1alpha1.Run{newRun(2, upgrading, ended(v1alpha1.RunReasonLocked, time.Second)), applied}, nothing},
		{"An upgrade to another version failed.", newInfra(), []v1alpha1.Run{newRun(2, upgrading, failed, func(r *v1alpha1.Run) { r.Spec.Module.Digest = "sha256:2" }), applied}, nothing},
		{"Its plan waits for approval.", newInfra(), []v1alpha1.Run{newRun(2, upgrading, planned("a")), applied}, nothing},
		{"The plan of an upgrade to another version waited for approval.", newInfra(ready),
			[]v1alpha1.Run{newRun(2, upgrading, planned("a"), func(r *v1alpha1.Run) { r.Spec.Module.Digest = "sha256:2" }), applied}, waits},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.want.uid, tc.want.name, tc.want.digest = tc.infra.UID, "shop/orders", newVersion
			if diff := cmp.Diff(tc.want, memberOf(tc.infra, tc.runs, newVersion), cmp.AllowUnexported(member{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got := memberOf(tc.infra, tc.runs, ""); got.waits || got.failed {
				t.Errorf("of a module that is not there: %+v", got)
			}
		})
	}
}

// crowd are n members, each as state says: w waits, u is under way, f has failed, x is
// what cannot move, W and F are of another version.
func crowd(states string) []member {
	var members []member
	for i, state := range states {
		m := member{uid: types.UID(fmt.Sprint("uid-", i)), name: fmt.Sprintf("shop/%02d", i), digest: newVersion}
		m.waits, m.underWay, m.failed = strings.ContainsRune("wW", state), state == 'u', strings.ContainsRune("fF", state)
		if strings.ContainsRune("WF", state) {
			m.digest = "sha256:2"
		}
		members = append(members, m)
	}
	return members
}

func upgrades(most string, failed int) Upgrades {
	return Upgrades{MaxConcurrent: intstr.Parse(most), MaxFailed: failed}
}

// All that wait for a version are told when it has failed for too many, and only then.
func TestUpgrades_stopped(t *testing.T) {
	for members, want := range map[string]int{"ffwww": 0, "fffwwwWxu": 3, "FFFwwwWW": 0, "fffx": 0} {
		if got := upgrades("5", 3).stopped(crowd(members), crowd("w")[0].digest); len(got) != want {
			t.Errorf("%s: %d are told, want %d: %+v", members, len(got), want, got)
		}
	}
}

func TestUpgrades_next(t *testing.T) {
	for _, tc := range []struct {
		name     string
		upgrades Upgrades
		members  string
		// next is how many start.
		next int
	}{
		{"A number.", upgrades("5", 3), strings.Repeat("w", 50), 5},
		{"A percentage, rounded up.", upgrades("10%", 3), strings.Repeat("w", 41), 5},
		{"It is of all objects, not of those that wait.", upgrades("10%", 3), "ww" + strings.Repeat("x", 18), 2},
		{"One at least.", upgrades("1%", 3), "www", 1},
		{"Those under way have their places.", upgrades("5", 3), "uuu" + strings.Repeat("w", 20), 2},
		{"More under way than a lower limit admits.", upgrades("2", 3), "uuuwww", 0},
		{"What cannot move has none.", upgrades("5", 3), "xxxxxxxxxxwwwwwww", 5},
		{"Fewer wait than could start.", upgrades("5", 3), "ww", 2},
		{"A few failures.", upgrades("5", 3), "ff" + strings.Repeat("w", 20), 5},
		{"Too many.", upgrades("5", 3), "fff" + strings.Repeat("w", 20), 0},
		{"Of another version.", upgrades("5", 3), "FFF" + strings.Repeat("w", 20), 5},
		{"A version that is stopped is not in the way of another.", upgrades("5", 3), "fff" + strings.Repeat("w", 20) + "WW", 2},
		{"Nobody waits.", upgrades("5", 3), "xx", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			members := crowd(tc.members)
			next := tc.upgrades.next(members)
			if len(next) != tc.next {
				t.Errorf("%d start, want %d", len(next), tc.next)
			}
			// Each object comes to the same for itself.
			var now []string
			for _, m := range members {
				if turn := tc.upgrades.turnOf(m.uid, members); m.waits && turn.now() {
					now = append(now, m.name)
				}
			}
			var names []string
			for _, m := range next {
				names = append(names, m.name)
			}
			slices.Sort(names)
			if diff := cmp.Diff(names, now); diff != "" {
				t.Errorf("those whose turn it is, -as next says +each for itself:\n%s", diff)
			}
		})
	}
}

// However far behind a cache is with what has started, never more start than may.
func TestUpgrades_staleCache(t *testing.T) {
	u := upgrades("3", 3)
	members := crowd(strings.Repeat("w", 10))
	started := map[string]bool{}
	for _, m := range members {
		if turn := u.turnOf(m.uid, members); turn.now() {
			started[m.name] = true // and nobody knows.
		}
	}
	for i := range members {
		if started[members[i].name] {
			members[i].waits, members[i].underWay = false, true // The cache knows of one more.
		}
		for _, m := range members {
			if turn := u.turnOf(m.uid, members); m.waits && turn.now() {
				started[m.name] = true
			}
		}
	}
	if len(started) != 3 {
		t.Errorf("%d have started, want 3", len(started))
	}
}

func TestUpgrades_turnOf(t *testing.T) {
	members := crowd("wwwwffff")
	members[7].digest = "sha256:2"
	t.Run("An object that cannot move yet has a place all the same.", func(t *testing.T) {
		if got := upgrades("1", 9).turnOf(members[4].uid, members); got.waiting != 5 || got.place < 1 || got.place > 5 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("The failures are those of the same version.", func(t *testing.T) {
		got := upgrades("1", 3).turnOf(members[0].uid, members)
		if diff := cmp.Diff([]string{"shop/04", "shop/05", "shop/06"}, got.failed); diff != "" || !got.stopped || got.objects != 8 {
			t.Errorf("got %+v, failures -want +got:\n%s", got, diff)
		}
	})
	t.Run("One that the cache does not have waits.", func(t *testing.T) {
		if got := upgrades("5", 3).turnOf("gone", members); got.place != 0 {
			t.Errorf("got %+v", got)
		}
	})
}

// newVersionWanted makes newVersion what the object is to have.
func newVersionWanted(o *observed, t turn) *observed {
	o.request.InputsDigest, o.request.Module.Version, o.request.Module.Digest = digestB, "1.1.0", newVersion
	if upgradedFrom(o) != nil {
		o.turn = &t
	}
	return o
}

func TestDecide_upgrade(t *testing.T) {
	first, last := turn{place: 1, waiting: 42, limit: 5, free: 2}, turn{place: 42, waiting: 42, limit: 5, free: 5}
	stopped := turn{place: 1, waiting: 42, limit: 5, free: 5, objects: 50, failed: []string{"shop/a", "shop/b", "shop/c", "shop/d", "shop/e"}, stopped: true}
	failed := ended(v1alpha1.RunReasonApplyFailed, time.Second)
	applied := newRun(1, succeeded)
	generation := func(i *v1alpha1.Infrastructure) { i.Generation = 2 }
	sameVersion := newVersionWanted(newObserved(newInfra(), applied), last)
	sameVersion.request.Module.Version = "1.0.0"
	for _, tc := range []decideCase{
		{"It is the object's turn.", newVersionWanted(newObserved(newInfra(), applied), first), startUpgrade, progress, "upgrade queue from 1.0.0 to 1.1.0"},
		{"It is not yet.", newVersionWanted(newObserved(newInfra(), applied), last), keep, v1alpha1.ReasonUpgradePending,
			"Applied queue 1.0.0; 1.1.0 comes in its turn: 42nd of 42, 5 at a time"},
		{"The same version in other files.", sameVersion, keep, v1alpha1.ReasonUpgradePending, "another build of it comes in its turn"},
		{"Nobody looks for drift meanwhile.", newVersionWanted(newObserved(newInfra(everyHour(v1alpha1.DriftReport)), newRun(1, ended(v1alpha1.RunReasonSucceeded, 9*time.Hour))), last),
			keep, v1alpha1.ReasonUpgradePending, ""},
		{"Too many have failed.", newVersionWanted(newObserved(newInfra(), applied), stopped), keep, v1alpha1.ReasonUpgradeStopped,
			"Applied queue 1.0.0; the upgrade to 1.1.0 is stopped: 5 of 50 failed (shop/a, shop/b, shop/c and 2 more); mend them"},
		{"Who asks for a run gets it at once.", newVersionWanted(newObserved(newInfra(requested("1")), applied), stopped), startApply, progress, ""},
		{"Who changes the spec gets it at once.", newVersionWanted(newObserved(newInfra(generation), applied), last), startApply, progress, ""},
		{"Unless that was looked at, and needed no run.", newVersionWanted(newObserved(newInfra(generation, ready), applied), last), keep, v1alpha1.ReasonUpgradePending, ""},
		{"Other inputs alone are a change.", newObserved(newInfra(), newRun(1, otherInputs, succeeded)), startApply, progress, ""},
		{"A failed upgrade is tried again, in its time.", newVersionWanted(newObserved(newInfra(), newRun(2, upgrading, failed), applied), stopped), keep, v1alpha1.ReasonRunFailed, ""},
		{"And then does not wait for its turn.", newVersionWanted(newObserved(newInfra(), newRun(2, upgrading, ended(v1alpha1.RunReasonApplyFailed, time.Minute)), applied), stopped),
			startApply, progress, ""},
		{"A suspended object stays as it is.", newVersionWanted(newObserved(newInfra(suspended), applied), first), keep, v1alpha1.ReasonSuspended, ""},
		{"The plan of the upgrade waits for approval.", newVersionWanted(newObserved(newInfra(onDestructive), newRun(2, upgrading, planned("a")), applied), first), keep, v1alpha1.ReasonApprovalRequired, ""},
		{"When it is approved it is applied.", newVersionWanted(newObserved(newInfra(onDestructive, approves("a")), newRun(2, upgrading, planned("a")), applied), last), startApply, progress, ""},
		{"A plan of an earlier upgrade makes way for one of the next.", newVersionWanted(newObserved(newInfra(onDestructive),
			newRun(2, upgrading, planned("a"), func(r *v1alpha1.Run) { r.Spec.Module.Digest, r.Spec.InputsDigest = "sha256:2", "sha256:c" }), applied), last), keep, v1alpha1.ReasonUpgradePending, ""},
	} {
		tc.run(t)
	}
}

// What a Run upgrades from is known of each of its tries.
func TestUpgradeFrom(t *testing.T) {
	failed := ended(v1alpha1.RunReasonApplyFailed, time.Minute)
	another := func(r *v1alpha1.Run) { r.Spec.Module.Digest, r.Spec.InputsDigest = "sha256:2", "sha256:c" }
	for _, tc := range []struct {
		name    string
		o       *observed
		trigger v1alpha1.RunTrigger
		want    string
	}{
		{"An upgrade.", newObserved(newInfra(), newRun(1, succeeded)), v1alpha1.TriggerUpgrade, "1.0.0"},
		{"Another try of one.", newObserved(newInfra(), newRun(2, upgrading, failed), newRun(1, succeeded)), v1alpha1.TriggerRetry, "1.0.0"},
		{"The next version after one that failed.", newObserved(newInfra(), newRun(2, upgrading, failed, another), newRun(1, succeeded)), v1alpha1.TriggerRetry, "1.0.0"},
		{"Another try of a change.", newObserved(newInfra(), newRun(2, otherInputs, failed), newRun(1, succeeded)), v1alpha1.TriggerRetry, ""},
		{"A change after a failed upgrade.", newObserved(newInfra(func(i *v1alpha1.Infrastructure) { i.Generation = 2 }), newRun(2, upgrading, failed), newRun(1, succeeded)), v1alpha1.TriggerChange, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			newVersionWanted(tc.o, turn{})
			if got := upgradeFrom(tc.o, v1alpha1.OperationApply, tc.trigger); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if retries := retriedRun(tc.o) != nil; retries != (tc.trigger == v1alpha1.TriggerRetry) {
				t.Errorf("it retries: %t", retries)
			}
		})
	}
}

func TestTurnAfter(t *testing.T) {
	for waiting, least := range map[int]time.Duration{1: time.Minute, 600: time.Minute, 1000: 100 * time.Second} {
		if got := turnAfter("uid", waiting); got < least || got > least*6/5 {
			t.Errorf("%d waiting: got %s, want %s and up to a fifth more", waiting, got, least)
		}
	}
}
