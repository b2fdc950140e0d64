package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestNode_readySince(t *testing.T) {
	started := time.Date(2026, 1, 1, 12, 0, 0, 700e6, time.UTC)
	for name, tc := range map[string]struct {
		status string
		want   string // part of the error; "" for none
	}{
		"ready, in the second of the start": {`{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T12:00:00Z"}]}`, ""},
		"ready before this start":           {`{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T11:59:59Z"}]}`, "no heartbeat"},
		"not ready": {`{"conditions":[{"type":"Ready","status":"False","message":"no network","lastHeartbeatTime":"2026-01-01T12:00:05Z"}]}`,
			"no network"},
		"just registered": {`{"conditions":[{"type":"MemoryPressure","status":"False"}]}`, "no Ready condition"},
	} {
		t.Run(name, func(t *testing.T) {
			var n node
			if err := json.Unmarshal([]byte(`{"status":`+tc.status+`}`), &n); err != nil {
				t.Fatal(err)
			}
			err := n.readySince(started)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestFetch(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/node" {
			http.Error(w, "etcd is not there yet", http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, `{"status":{"conditions":[{"type":"Ready"}]}}`)
	}))
	defer server.Close()
	var n node
	if err := fetch(context.Background(), server.Client(), server.URL+"/node", &n); err != nil || len(n.Status.Conditions) != 1 {
		t.Errorf("%+v %v", n, err)
	}
	if err := fetch(context.Background(), server.Client(), server.URL+"/readyz", nil); err == nil || !strings.Contains(err.Error(), "etcd is not") {
		t.Errorf("got %v, want what the server said", err)
	}
}
