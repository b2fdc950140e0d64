package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// TestTeller_tell tells of a run second by second.
func TestTeller_tell(t *testing.T) {
	began := time.Date(2026, 3, 2, 14, 3, 0, 0, time.UTC)
	at := func(second int) metav1.Time { return metav1.NewTime(began.Add(time.Duration(second) * time.Second)) }
	resource := func(address string, action v1alpha1.ChangeAction, from, to int) v1alpha1.ResourceProgress {
		r := v1alpha1.ResourceProgress{Address: address, Action: action, StartedAt: at(from)}
		if to > 0 {
			r.FinishedAt = ptr.To(at(to))
		}
		return r
	}
	failed := resource("b", v1alpha1.ChangeUpdate, 1, 50)
	failed.Failed = true
	run := func(message string, resources ...v1alpha1.ResourceProgress) *v1alpha1.Infrastructure {
		return &v1alpha1.Infrastructure{Status: v1alpha1.InfrastructureStatus{
			Run: &v1alpha1.CurrentRun{Name: "orders-1", Message: message, Resources: resources},
		}}
	}
	var out strings.Builder
	told := newTeller(&out)
	for _, step := range []struct {
		second int
		infra  *v1alpha1.Infrastructure
	}{
		{0, run("Planning")},
		{1, run("Applying 1 of 3: a", resource("a", v1alpha1.ChangeDelete, 1, 0), resource("b", v1alpha1.ChangeUpdate, 1, 0))},
		{11, run("Applying 1 of 3: a (10s)", resource("a", v1alpha1.ChangeDelete, 1, 0), resource("b", v1alpha1.ChangeUpdate, 1, 0))},
		{12, run("Applying 2 of 3: b", resource("a", v1alpha1.ChangeDelete, 1, 12), resource("b", v1alpha1.ChangeUpdate, 1, 0), resource("a", v1alpha1.ChangeCreate, 12, 0))},
		{31, run("Applying 2 of 3: b (30s)", resource("a", v1alpha1.ChangeDelete, 1, 12), resource("b", v1alpha1.ChangeUpdate, 1, 0), resource("a", v1alpha1.ChangeCreate, 12, 13))},
		{50, run("Applying 2 of 3", resource("a", v1alpha1.ChangeDelete, 1, 12), failed, resource("a", v1alpha1.ChangeCreate, 12, 13))},
		{51, nil},
	} {
		told.tell(step.infra, began.Add(time.Duration(step.second)*time.Second))
	}
	want := `14:03:00  orders-1: Planning
14:03:01  orders-1: Applying 1 of 3
14:03:01    a: destroying
14:03:01    b: updating
14:03:12  orders-1: Applying 2 of 3
14:03:12    a: destroyed after 11s
14:03:12    a: creating
14:03:31    b: still updating after 30s
14:03:31    a: created after 1s
14:03:50    b: failed after 49s
14:03:51  Gone
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}
