package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// fault is what happens to the calls of one action: a delay, an error, or a delay and then an error.
type fault struct {
	Action  string `json:"action"`            // "service:Action", as in an IAM policy
	Latency string `json:"latency,omitempty"` // how long the call waits before anything else, such as "1.5s"
	Code    string `json:"code,omitempty"`    // the AWS error code; empty: the call is carried out
	Message string `json:"message,omitempty"` // the error's text
	Status  int    `json:"status,omitempty"`  // the error's HTTP status, 400 when not given
	Times   int    `json:"times,omitempty"`   // how many calls are hit; 0: every call

	wait time.Duration // Latency
}

// faults are the injected ones, by action. They are a test's tool and end with the process.
type faults struct {
	known []string // every action there is: a fault for a misspelt one would silently never happen

	mu     sync.Mutex
	active map[string]fault
}

func newFaults(known []string) *faults {
	return &faults{known: known, active: map[string]fault{}}
}

// hit waits and fails as the action's fault says; without one it returns nil at once.
func (f *faults) hit(ctx context.Context, action string) error {
	hit, ok := f.take(action)
	if !ok {
		return nil
	}
	select {
	case <-time.After(hit.wait):
	case <-ctx.Done():
		return ctx.Err()
	}
	if hit.Code == "" {
		return nil
	}
	return &apiError{Status: hit.Status, Code: hit.Code, Message: hit.Message}
}

// take returns the action's fault and counts it down.
func (f *faults) take(action string) (fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	hit, ok := f.active[action]
	switch {
	case !ok, hit.Times == 0:
	case hit.Times == 1:
		delete(f.active, action)
	default:
		left := hit
		left.Times--
		f.active[action] = left
	}
	return hit, ok
}

// ServeHTTP lists (GET), sets (PUT) and removes (DELETE, optionally ?action=) faults.
func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		added, err := f.decode(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		f.set(added)
	case http.MethodDelete:
		f.remove(r.URL.Query().Get("action"))
	default:
		http.Error(w, "GET, PUT or DELETE", http.StatusMethodNotAllowed)
		return
	}
	writeJSON(w, f.list())
}

func (f *faults) decode(r *http.Request) (fault, error) {
	var added fault
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&added); err != nil {
		return fault{}, fmt.Errorf("the body is not a fault: %w", err)
	}
	if !slices.Contains(f.known, added.Action) {
		return fault{}, fmt.Errorf(`"action" is %q, want one that awsemu answers, such as "rds:CreateDBInstance"`, added.Action)
	}
	var err error
	if added.wait, err = time.ParseDuration(cmp.Or(added.Latency, "0s")); err != nil {
		return fault{}, fmt.Errorf(`"latency" is %q, want a duration such as "1.5s"`, added.Latency)
	}
	if added.Times < 0 || added.wait < 0 {
		return fault{}, fmt.Errorf(`"times" and "latency" must not be negative`)
	}
	if added.Status == 0 {
		added.Status = http.StatusBadRequest
	}
	if added.Status < 400 || added.Status > 599 {
		return fault{}, fmt.Errorf(`"status" is %d, want an HTTP error status`, added.Status)
	}
	return added, nil
}

func (f *faults) set(added fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active[added.Action] = added
}

// remove takes back the fault of one action, or all when action is empty.
func (f *faults) remove(action string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if action == "" {
		clear(f.active)
		return
	}
	delete(f.active, action)
}

func (f *faults) list() []fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]fault, 0, len(f.active))
	for _, action := range slices.Sorted(maps.Keys(f.active)) {
		list = append(list, f.active[action])
	}
	return list
}
