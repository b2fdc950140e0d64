package main

import (
	"maps"
	"net/http"
	"slices"
	"sync"
)

// calls are the IAM actions that clients have needed, by access key id: what a policy has to allow that lets somebody do
// the same. They are a test's tool and end with the process.
type calls struct {
	mu   sync.Mutex
	made map[string]map[string]bool
}

func newCalls() *calls { return &calls{made: map[string]map[string]bool{}} }

func (s *calls) add(key string, actions []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made[key] == nil {
		s.made[key] = map[string]bool{}
	}
	for _, action := range actions {
		s.made[key][action] = true
	}
}

// ServeHTTP lists (GET) or forgets (DELETE) the actions of one ?access_key=.
func (s *calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("access_key")
	if key == "" {
		http.Error(w, "say whose calls: ?access_key=", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		delete(s.made, key)
	default:
		http.Error(w, "GET or DELETE", http.StatusMethodNotAllowed)
		return
	}
	list := slices.AppendSeq([]string{}, maps.Keys(s.made[key])) // an empty list in JSON, not null
	slices.Sort(list)
	writeJSON(w, list)
}
