package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	"github.com/hashicorp/go-retryablehttp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

const (
	// queued is how many events wait at most while the receiver does not answer.
	queued = 1000
	// requestTimeout bounds one try to send an event.
	requestTimeout = 5 * time.Second
	// retries is how often one is tried again, after 1, 2, 4, ... up to 30 seconds.
	retries = 6
)

// Recorder records events in the cluster, and sends those of Infrastructures to Flux's
// notification-controller too. It never waits for that: what cannot be sent within two
// minutes, or does not fit into the queue, is dropped, and the log says so. It is a
// Runnable of the manager.
type Recorder struct {
	events.EventRecorder
	address string
	http    *retryablehttp.Client
	queue   chan eventv1.Event
}

// NewRecorder returns a Recorder that records with another, and sends to the address
// of the receiver, an http or https URL.
func NewRecorder(recorder events.EventRecorder, address string) *Recorder {
	client := retryablehttp.NewClient()
	client.HTTPClient.Timeout = requestTimeout
	client.RetryMax = retries
	client.Logger = nil
	client.CheckRetry = func(ctx context.Context, res *http.Response, err error) (bool, error) {
		// The receiver bounds how often it takes the same event: that is no fault.
		if err == nil && res.StatusCode == http.StatusTooManyRequests {
			return false, nil
		}
		return retryablehttp.ErrorPropagatedRetryPolicy(ctx, res, err)
	}
	return &Recorder{EventRecorder: recorder, address: address, http: client, queue: make(chan eventv1.Event, queued)}
}

// Eventf implements events.EventRecorder.
func (r *Recorder) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	r.EventRecorder.Eventf(regarding, related, kind, reason, action, note, args...)
	infra, ok := regarding.(*v1alpha1.Infrastructure)
	if !ok {
		return
	}
	event := newEvent(infra, kind, reason, fmt.Sprintf(note, args...), metav1.Now())
	select {
	case r.queue <- event:
	default:
		log.Log.Info("An event is not sent to Flux: too many wait", "reason", reason, "namespace", infra.Namespace, "name", infra.Name)
	}
}

// Start sends events until ctx ends.
func (r *Recorder) Start(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-r.queue:
			if err := r.send(ctx, event); err != nil && ctx.Err() == nil {
				log.FromContext(ctx).Error(err, "An event is not sent to Flux", "reason", event.Reason, "object", event.InvolvedObject)
			}
		}
	}
}

func (r *Recorder) send(ctx context.Context, event eventv1.Event) error {
	body, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("encode the event: %w", err)
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, r.address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := r.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // so that the connection can be used again
	if res.StatusCode/100 != 2 && res.StatusCode != http.StatusTooManyRequests {
		return fmt.Errorf("post an event to %s: got status %s, want 2xx", r.address, res.Status)
	}
	return nil
}
