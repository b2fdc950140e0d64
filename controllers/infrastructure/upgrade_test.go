package infrastructure

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// rolled are five objects that are Ready with one version, and a bundle with the next. Two
// may be upgraded at a time, and two may fail.
func rolled(t *testing.T) []*env {
	t.Helper()
	e := newEnv(t)
	e.r.upgrades = Upgrades{MaxConcurrent: intstr.FromInt32(2), MaxFailed: 2}
	var all []*env
	for i := range 5 {
		one := e.of(fmt.Sprintf("orders-%d", i))
		one.create()
		one.reconcile()
		one.succeed(queueOutputs())
		one.reconcile()
		one.want(v1alpha1.ReasonInSync)
		all = append(all, one)
	}
	e.r.catalogue = bundles(t, "", "2.0.0")
	return all
}

// lookAtAll reconciles all objects, and returns those with an upgrade under way.
func lookAtAll(all []*env) (underWay []*env) {
	for _, e := range all {
		e.Helper()
		e.reconcile()
	}
	for _, e := range all {
		if last := e.last(); !last.Status.Phase.Finished() && last.Spec.UpgradeFrom == "1.2.0" {
			underWay = append(underWay, e)
		}
	}
	return underWay
}

// A new version comes to two objects at a time, and to all in the end. The others are
// Ready, and say when.
func TestReconciler_rollout(t *testing.T) {
	all := rolled(t)
	rounds := 0
	for underWay := lookAtAll(all); len(underWay) > 0; underWay = lookAtAll(all) {
		if rounds++; len(underWay) > 2 {
			t.Fatalf("round %d: %d upgrades are under way, want 2 at most", rounds, len(underWay))
		}
		for _, e := range all {
			if last := e.last(); last.Spec.Module.Version == "1.2.0" {
				e.want(v1alpha1.ReasonUpgradePending, "Applied queue 1.2.0; 2.0.0 comes in its turn: ", "2 at a time")
			}
		}
		// One at a time ends, so that the next finds one under way.
		if trigger := underWay[0].last().Spec.Trigger; trigger != v1alpha1.TriggerUpgrade {
			t.Errorf("the trigger is %s", trigger)
		}
		underWay[0].succeed(queueOutputs())
	}
	if rounds != len(all) {
		t.Errorf("%d upgrades were under way, want %d", rounds, len(all))
	}
	for _, e := range all {
		e.want(v1alpha1.ReasonInSync, "2.0.0")
		e.wantRuns(2)
	}
}

// After two failures no more upgrades are started, until one of them is mended; who asks
// for one gets it.
func TestReconciler_rolloutStops(t *testing.T) {
	all := rolled(t)
	broken := lookAtAll(all)
	for _, e := range broken {
		e.begin(e.last())
		e.finish(e.last(), v1alpha1.RunReasonApplyFailed, "boom")
	}
	if underWay := lookAtAll(all); len(underWay) > 0 {
		t.Fatalf("%d upgrades are under way after the failures", len(underWay))
	}
	var well []*env
	for _, e := range all {
		if len(e.runs()) == 1 {
			well = append(well, e)
			e.want(v1alpha1.ReasonUpgradeStopped, "the upgrade to 2.0.0 is stopped: 2 of ", broken[0].namespace+"/"+broken[0].infra, v1alpha1.AnnotationReconcile)
		}
	}
	well[0].update(func(i *v1alpha1.Infrastructure) {
		i.Annotations = map[string]string{v1alpha1.AnnotationReconcile: "1"}
	})
	well[0].reconcile()
	if last := well[0].last(); last.Spec.Trigger != v1alpha1.TriggerChange || last.Spec.Module.Version != "2.0.0" {
		t.Errorf("who asks for a run gets %+v", last.Spec)
	}
	well[0].succeed(queueOutputs())

	well[0].pass(time.Minute)
	broken[0].reconcile()
	if last := broken[0].last(); last.Spec.Trigger != v1alpha1.TriggerRetry || last.Spec.UpgradeFrom != "1.2.0" {
		t.Errorf("a failed upgrade is tried again by %+v", last.Spec)
	}
	well[1].reconcile()
	well[1].want(v1alpha1.ReasonUpgradeStopped)
	broken[0].succeed(queueOutputs())
	well[1].reconcile()
	well[1].want(v1alpha1.ReasonProgressing)
}

// Two that see the same place free do not both take it, whatever the cache knows.
func TestReconciler_rolloutStaleCache(t *testing.T) {
	all := rolled(t)
	e := all[0]
	e.must(e.api.freezeRuns(t.Context(), e.system))
	for _, e := range all {
		if _, err := e.tryReconcile(); err != nil {
			t.Fatal(err)
		}
	}
	e.api.runs = nil
	if underWay := lookAtAll(all); len(underWay) != 2 {
		t.Errorf("%d upgrades are under way, want 2", len(underWay))
	}
}

// The end of an upgrade brings the next object by itself.
func TestReconciler_rolloutWakes(t *testing.T) {
	all := rolled(t)
	e := all[0]
	e.startManager(func(o *Options) { o.Catalogue, o.Upgrades = bundles(t, "", "2.0.0"), e.r.upgrades })
	upgraded := func() (underWay, done int) {
		for _, e := range all {
			switch last := e.last(); {
			case last.Spec.UpgradeFrom == "":
			case last.Status.Phase.Finished():
				done++
			default:
				underWay++
			}
		}
		return underWay, done
	}
	for range all {
		e.within(10*time.Second, "an upgrade", func() bool { underWay, _ := upgraded(); return underWay > 0 })
		for _, e := range all {
			if last := e.last(); last.Spec.UpgradeFrom != "" && !last.Status.Phase.Finished() {
				e.succeed(queueOutputs())
				break
			}
		}
	}
	if _, done := upgraded(); done != len(all) {
		t.Errorf("%d are upgraded, want %d", done, len(all))
	}
}
