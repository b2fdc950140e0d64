//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

func everyMinute(mode v1alpha1.DriftMode) change {
	return func(infra *v1alpha1.Infrastructure) {
		infra.Spec.Drift = v1alpha1.DriftSpec{Mode: mode, Interval: metav1.Duration{Duration: time.Minute}}
	}
}

// waitTags waits until the bucket has tags again.
func waitTags(t *testing.T, bucket string) {
	t.Helper()
	eventually(t, awsTimeout, "the bucket has its tags", func(context.Context) (bool, string) {
		found := resourcesNamed(t, bucket)
		return len(found) == 1 && found[0].Tags["managed-by"] == "groundwork", fmt.Sprintf("%+v", found)
	})
}

// Drift is told, with address and attribute; the object stays Ready; and it is put
// back when that is approved.
func TestDrift_report(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	bucket := "bucket-" + ns
	infra := create(t, ns, "bucket", "aws-s3-bucket", map[string]any{"name": bucket}, everyMinute(v1alpha1.DriftReport))
	waitReady(t, infra, awsTimeout)
	if err := stage.AWS.DeleteBucketTags(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	eventually(t, awsTimeout, "somebody looks", func(context.Context) (bool, string) {
		return slices.ContainsFunc(runs(t, infra), func(run v1alpha1.Run) bool { return run.Spec.Trigger == v1alpha1.TriggerDrift }), ""
	})
	get(t, infra)
	since := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady).LastTransitionTime
	waitCondition(t, infra, awsTimeout, v1alpha1.ConditionDrifted, v1alpha1.ReasonDriftDetected)
	message := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionDrifted).Message
	if !strings.Contains(message, "update aws_s3_bucket.this (tags_all)") || infra.Status.Plan == nil {
		t.Errorf("Drifted says %q, the plan is %+v", message, infra.Status.Plan)
	}
	ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
	if ready.Status != metav1.ConditionTrue || ready.LastTransitionTime != since {
		t.Errorf("Ready is %+v, want it True since %s", ready, since)
	}
	if found := resourcesNamed(t, bucket); len(found) != 1 || len(found[0].Tags) > 0 {
		t.Errorf("a report has changed the bucket: %+v", found)
	}
	annotate(t, infra, "", v1alpha1.AnnotationApprove, infra.Status.Plan.ID)
	waitTags(t, bucket)
	eventually(t, awsTimeout, "the drift is gone", func(context.Context) (bool, string) {
		get(t, infra)
		return !meta.IsStatusConditionTrue(infra.Status.Conditions, v1alpha1.ConditionDrifted), fmt.Sprintf("%+v", infra.Status.Conditions)
	})
	remove(t, infra, awsTimeout)
}

// With Correct it is put back.
func TestDrift_correct(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	bucket := "bucket-" + ns
	infra := create(t, ns, "bucket", "aws-s3-bucket", map[string]any{"name": bucket}, everyMinute(v1alpha1.DriftCorrect))
	waitReady(t, infra, awsTimeout)
	if err := stage.AWS.DeleteBucketTags(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	waitTags(t, bucket)
	waitReady(t, infra, awsTimeout)
	remove(t, infra, awsTimeout)
}

// A look that cannot be had leaves the object Ready, says so, and is had later.
func TestDrift_locked(t *testing.T) {
	t.Parallel()
	infra := create(t, newNamespace(t), "locked", "outputs", nil, everyMinute(v1alpha1.DriftReport))
	waitReady(t, infra, time.Minute)
	before := len(runs(t, infra))
	release := lockByHand(t, infra)
	eventually(t, 2*time.Minute, "it is said that the look waits", func(context.Context) (bool, string) {
		get(t, infra)
		ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
		return ready.Status == metav1.ConditionTrue && strings.Contains(ready.Message, "locked by ada@workstation"), fmt.Sprintf("%+v", ready)
	})
	if after := len(runs(t, infra)); after > before+1 {
		t.Errorf("%d runs were started on a locked state", after-before)
	}
	release()
	eventually(t, 2*time.Minute, "the look is had", func(context.Context) (bool, string) {
		return len(runs(t, infra)) > before, ""
	})
	remove(t, infra, time.Minute)
}

// wantNoRunAfterRestart takes the controller away, and wants that the next starts no run of
// the objects that there are, as none is due.
func wantNoRunAfterRestart(t *testing.T, ns string) {
	t.Helper()
	before := runNames(t)
	kill(t, leader(t))
	probe := create(t, ns, "after", "outputs", nil)
	waitReady(t, probe, 2*time.Minute)
	remove(t, probe, time.Minute)
	// All have been looked at by then, as they were in the queue before the probe's end.
	for name := range runNames(t) {
		if !before[name] {
			t.Errorf("Run %s was not due", name)
		}
	}
}

func runNames(t *testing.T) map[string]bool {
	t.Helper()
	var list v1alpha1.RunList
	if err := stage.Client.List(t.Context(), &list, client.InNamespace(devenv.Namespace)); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, run := range list.Items {
		names[run.Name] = true
	}
	return names
}

// An object with the policy Orphan goes alone, and another of its name takes up what
// it has left.
func TestOrphan_adopted(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	bucket := "bucket-" + ns
	infra := create(t, ns, "bucket", "aws-s3-bucket", map[string]any{"name": bucket}, orphaned)
	waitReady(t, infra, awsTimeout)
	if err := stage.Client.Delete(t.Context(), infra); err != nil {
		t.Fatal(err)
	}
	waitDeleted(t, infra, time.Minute)
	eventually(t, time.Minute, "an event says where the state is", func(ctx context.Context) (bool, string) {
		events, err := stage.Kubectl(ctx, "-n", ns, "get", "events")
		return err == nil && strings.Contains(events, "Orphaned") && strings.Contains(events, "tfstate-default-"), events
	})
	secret := &corev1.Secret{}
	if err := stage.Client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "bucket"}, secret); err == nil && secret.DeletionTimestamp == nil {
		eventually(t, time.Minute, "the output Secret is gone", func(ctx context.Context) (bool, string) {
			err := stage.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret)
			return err != nil, fmt.Sprint(err)
		})
	}
	if found := resourcesNamed(t, bucket); len(found) != 1 {
		t.Fatalf("the bucket was not left: %+v", found)
	}

	infra = create(t, ns, "bucket", "aws-s3-bucket", map[string]any{"name": bucket})
	waitReady(t, infra, awsTimeout)
	all := runs(t, infra)
	newest := all[0]
	for _, run := range all {
		if run.CreationTimestamp.After(newest.CreationTimestamp.Time) {
			newest = run
		}
	}
	if len(all) != 2 || newest.Status.Message != "Nothing to change" || newest.Status.ApplyStartedAt != nil {
		t.Errorf("want one run that found nothing to change, got %+v", all)
	}
	if got := outputs(t, infra)["bucket"]; got != bucket {
		t.Errorf("output bucket: got %q", got)
	}
	remove(t, infra, awsTimeout)
	if found := resourcesNamed(t, bucket); len(found) != 0 {
		t.Errorf("left in the account: %+v", found)
	}
}
