package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

const (
	mergePatch = types.MergePatchType
	applyPatch = types.ApplyPatchType
)

// reportInterval is the time between two writes of a Run's progress.
const reportInterval = time.Second

// reporter writes progress into a Run's status, in a goroutine of its own: a slow
// API server delays neither Terraform nor the reading of its log. Only the latest
// progress counts.
type reporter struct {
	client client.Client
	run    *v1alpha1.Run
	latest chan progressStatus
	cancel context.CancelFunc
	done   chan struct{}
}

func startReporter(c client.Client, run *v1alpha1.Run) *reporter {
	ctx, cancel := context.WithCancel(context.Background())
	r := &reporter{client: c, run: run, latest: make(chan progressStatus, 1), cancel: cancel, done: make(chan struct{})}
	go r.loop(ctx)
	return r
}

// offer replaces what is to be written next. It never blocks; one goroutine at a
// time may call it.
func (r *reporter) offer(s progressStatus) {
	select {
	case <-r.latest:
	default:
	}
	r.latest <- s
}

// stop ends the goroutine; after it returns nothing more is written.
func (r *reporter) stop() {
	r.cancel()
	<-r.done
}

func (r *reporter) loop(ctx context.Context) {
	defer close(r.done)
	var written progressStatus
	for {
		select {
		case <-ctx.Done():
			return
		case next := <-r.latest:
			if reflect.DeepEqual(next, written) {
				continue
			}
			// What could not be written is told by what comes next, or by the result.
			switch err := r.write(ctx, next); {
			case errors.Is(err, errPermanent):
				return
			case err == nil:
				written = next
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(reportInterval):
		}
	}
}

func (r *reporter) write(ctx context.Context, s progressStatus) error {
	patch, err := json.Marshal(map[string]any{"status": s})
	if err != nil {
		return err
	}
	return permanent(r.client.Status().Patch(ctx, r.run.DeepCopy(), client.RawPatch(mergePatch, patch)))
}
