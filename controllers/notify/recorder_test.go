package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func orders(labels map[string]string) *v1alpha1.Infrastructure {
	return &v1alpha1.Infrastructure{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders", UID: "1", Labels: labels},
		Spec:       v1alpha1.InfrastructureSpec{Module: "queue"},
	}
}

func TestNewEvent(t *testing.T) {
	const group = "infra.groundwork.dev"
	helm := map[string]string{"helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": "apps"}
	kustomize := map[string]string{"kustomize.toolkit.fluxcd.io/name": "all", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
	cases := map[string]struct {
		labels   map[string]string
		involved corev1.ObjectReference
		group    string
	}{
		"of a HelmRelease": {helm, corev1.ObjectReference{APIVersion: "helm.toolkit.fluxcd.io/v2", Kind: "HelmRelease", Namespace: "apps", Name: "shop"}, "helm.toolkit.fluxcd.io"},
		"of a Kustomization": {kustomize, corev1.ObjectReference{APIVersion: "kustomize.toolkit.fluxcd.io/v1", Kind: "Kustomization", Namespace: "flux-system", Name: "all"},
			"kustomize.toolkit.fluxcd.io"},
		"not of Flux": {nil, corev1.ObjectReference{APIVersion: group + "/v1alpha1", Kind: "Infrastructure", Namespace: "shop", Name: "orders", UID: "1"}, group},
		"half a label is none": {map[string]string{"helm.toolkit.fluxcd.io/name": "shop"},
			corev1.ObjectReference{APIVersion: group + "/v1alpha1", Kind: "Infrastructure", Namespace: "shop", Name: "orders", UID: "1"}, group},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			at := metav1.Now()
			want := eventv1.Event{
				InvolvedObject: c.involved, Severity: "error", Timestamp: at, Reason: "RunFailed",
				Message:             "Infrastructure shop/orders: Run 1 failed",
				Metadata:            map[string]string{c.group + "/infrastructure": "shop/orders", c.group + "/module": "queue"},
				ReportingController: "groundwork",
			}
			got := newEvent(orders(c.labels), corev1.EventTypeWarning, "RunFailed", "Run 1 failed", at)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

// receiver is a notification-controller that answers with the given statuses, then
// with 202, and hands out what it has taken.
func receiver(t *testing.T, answers ...int) (address string, taken <-chan eventv1.Event, asked *atomic.Int32) {
	events, asked := make(chan eventv1.Event, 10), &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(asked.Add(1))
		status := http.StatusAccepted
		if n <= len(answers) {
			status = answers[n-1]
		}
		w.WriteHeader(status)
		var event eventv1.Event
		if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
			t.Error(err)
		}
		if status == http.StatusAccepted {
			events <- event
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, events, asked
}

func TestRecorder_Eventf(t *testing.T) {
	cases := map[string]struct {
		answers []int
		// want are the reasons of those that arrive, asked the requests that it takes.
		want  []string
		asked int32
	}{
		"it arrives": {nil, []string{"InSync", "RunFailed"}, 2},
		"a receiver that is not ready is asked again": {[]int{http.StatusServiceUnavailable}, []string{"InSync", "RunFailed"}, 3},
		"one that it knows already is not":            {[]int{http.StatusTooManyRequests}, []string{"RunFailed"}, 2},
		"one that it refuses is dropped":              {[]int{http.StatusBadRequest}, []string{"RunFailed"}, 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, taken, asked := receiver(t, c.answers...)
			recorded := events.NewFakeRecorder(10)
			r := NewRecorder(recorded, address)
			r.http.RetryWaitMin = time.Millisecond
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- r.Start(ctx) }()

			r.Eventf(&corev1.Pod{}, nil, corev1.EventTypeNormal, "Other", "Reconcile", "no Infrastructure")
			r.Eventf(orders(nil), nil, corev1.EventTypeNormal, "InSync", "Reconcile", "Applied %s", "queue")
			r.Eventf(orders(nil), nil, corev1.EventTypeWarning, "RunFailed", "Reconcile", "100%% failed")
			var got []string
			for range c.want {
				event := <-taken
				got = append(got, event.Reason)
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("arrived, -want, +got:\n%s", diff)
			}
			if asked.Load() != c.asked {
				t.Errorf("want %d requests, got %d", c.asked, asked.Load())
			}
			if len(recorded.Events) != 3 {
				t.Errorf("want all three in the cluster, got %d", len(recorded.Events))
			}
		})
	}
}

// A reconcile does not wait for a receiver that does not answer.
func TestRecorder_full(t *testing.T) {
	recorded := events.NewFakeRecorder(queued + 1)
	r := NewRecorder(recorded, "http://127.0.0.1:0")
	for range queued + 1 {
		r.Eventf(orders(nil), nil, corev1.EventTypeNormal, "InSync", "Reconcile", "Applied")
	}
	if len(r.queue) != queued || len(recorded.Events) != queued+1 {
		t.Errorf("want %d to wait and all in the cluster, got %d and %d", queued, len(r.queue), len(recorded.Events))
	}
}
