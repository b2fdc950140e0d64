package terraform

import (
	"os"
	"testing"
	"time"
)

func TestSession_ownLock(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	later, earlier := started.Add(time.Second), started.Add(-time.Second)
	cases := map[string]struct {
		reason string
		lock   *lockInfo
		want   string
	}{
		"none":    {"No Lease is no lock.", nil, ""},
		"unheld":  {"Neither is a Lease that nobody holds.", &lockInfo{Who: "x@" + host, Created: later}, ""},
		"own":     {"A lock that this host took since the runner started is its own.", &lockInfo{ID: "1", Who: "x@" + host, Created: later}, "1"},
		"foreign": {"That of another host is not.", &lockInfo{ID: "1", Who: "x@another", Created: later}, ""},
		"suffix":  {"Nor that of a host whose name only ends alike.", &lockInfo{ID: "1", Who: "x@not-" + host, Created: later}, ""},
		"earlier": {"Nor one from before.", &lockInfo{ID: "1", Who: "x@" + host, Created: earlier}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, server.Config, server.Kubeconfig)
			if tc.lock != nil {
				f.hold(*tc.lock)
			}
			s := &session{Runner: &Runner{client: f.client}, req: f.request(nil), started: started}
			if got, err := s.ownLock(t.Context()); got != tc.want || err != nil {
				t.Errorf("%s\nwant %q, got %q, %v", tc.reason, tc.want, got, err)
			}
		})
	}
}
