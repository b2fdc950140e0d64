package terraform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// fakeClient is a client that can write status and nothing else.
type fakeClient struct {
	client.Client
	status *fakeStatus
}

func (f fakeClient) Status() client.SubResourceWriter { return f.status }

// fakeStatus takes a while to write and may fail.
type fakeStatus struct {
	client.SubResourceWriter
	takes time.Duration
	fails []error
	wrote []string
}

func (f *fakeStatus) Patch(ctx context.Context, _ client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	select {
	case <-time.After(f.takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	b, err := patch.Data(nil)
	if err != nil {
		return err
	}
	f.wrote = append(f.wrote, string(b))
	if len(f.fails) == 0 {
		return nil
	}
	err, f.fails = f.fails[0], f.fails[1:]
	return err
}

func TestReporter(t *testing.T) {
	unavailable := errors.New("connection refused")
	finished := apierrors.NewInvalid(schema.GroupKind{}, "run", nil)
	cases := map[string]struct {
		reason string
		client fakeStatus
		every  time.Duration // between 30 offers, 0 to 29
		want   []int         // which offers are written
	}{
		"fast":   {"At most one write a second, the latest and the last.", fakeStatus{}, 230 * time.Millisecond, []int{0, 4, 8, 13, 17, 21, 26, 29}},
		"slow":   {"A slow API server gets what is the latest when it is ready.", fakeStatus{takes: 2 * time.Second}, 230 * time.Millisecond, []int{0, 13, 26, 29}},
		"away":   {"What is not written gives way to what comes next.", fakeStatus{fails: []error{unavailable, unavailable}}, 3 * time.Second, nil},
		"closed": {"Nothing more is written to a run that someone has finished.", fakeStatus{fails: []error{finished}}, 3 * time.Second, []int{0}},
	}
	for i := range 30 {
		tc := cases["away"]
		tc.want = append(tc.want, i)
		cases["away"] = tc
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := startReporter(fakeClient{status: &tc.client}, &v1alpha1.Run{})
				for i := range 30 {
					before := time.Now()
					r.offer(progressStatus{Message: fmt.Sprintf("message %d!", i)})
					if took := time.Since(before); took > 0 {
						t.Errorf("%s\nan offer took %s", tc.reason, took)
					}
					time.Sleep(tc.every)
				}
				time.Sleep(10 * time.Second)
				r.stop()
				if len(tc.client.wrote) != len(tc.want) {
					t.Fatalf("%s\nwant the offers %v written, got %q", tc.reason, tc.want, tc.client.wrote)
				}
				for i, want := range tc.want {
					if !strings.Contains(tc.client.wrote[i], fmt.Sprintf("message %d!", want)) {
						t.Errorf("%s\nwant offer %d written, got %q", tc.reason, want, tc.client.wrote[i])
					}
				}
			})
		})
	}
}

// TestReporter_stop stops while a write is under way: the result must be last.
func TestReporter_stop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeStatus{takes: time.Hour}
		r := startReporter(fakeClient{status: c}, &v1alpha1.Run{})
		r.offer(progressStatus{Message: "late"})
		time.Sleep(time.Second)
		r.stop()
		time.Sleep(2 * time.Hour)
		if len(c.wrote) != 0 {
			t.Errorf("want nothing written after the stop, got %q", c.wrote)
		}
	})
}
