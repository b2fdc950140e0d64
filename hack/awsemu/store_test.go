package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStore_write(t *testing.T) {
	filled := func(st *state) error {
		st.SecurityGroups["sg-1"] = &securityGroup{
			ID: "sg-1", Name: "web", Rules: []*securityGroupRule{{ID: "sgr-1", permission: permission{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDRv4: "10.0.0.0/8"}}},
		}
		st.EC2Tags["sg-1"] = tags{"team": "shop"}
		st.DBInstances["orders"] = &dbInstance{
			ID: "orders", Settings: settings{"AllocatedStorage": "20"}, Waiting: settings{}, Login: login{"app", "app"}, AvailableAt: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		}
		st.DBSubnetGroups["main"] = &dbSubnetGroup{Name: "main", SubnetIDs: []string{"subnet-1"}}
		st.DBSnapshots["last"] = &dbSnapshot{ID: "last", Settings: settings{"Engine": "postgres"}, Port: 5432}
		st.RDSTags["arn"] = tags{}
		st.Buckets["uploads"] = &bucket{Name: "uploads", Config: map[string]document{"lifecycle": {"<x/>", "h"}}}
		return nil
	}
	cases := map[string]struct {
		writes  []func(*state) error
		wantErr bool
	}{
		"Nothing was ever written.":                 {nil, false},
		"Every kind of resource comes back.":        {[]func(*state) error{filled}, false},
		"What is removed stays away.":               {[]func(*state) error{filled, func(st *state) error { delete(st.Buckets, "uploads"); return nil }}, false},
		"An error is passed on and writes nothing.": {[]func(*state) error{filled, func(*state) error { return errors.New("no") }}, true},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			store, err := openStore(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, write := range test.writes {
				err = store.write(write)
			}
			if (err != nil) != test.wantErr {
				t.Errorf("got error %v, want one: %v", err, test.wantErr)
			}
			// A process that was killed while it wrote leaves this behind.
			if err := os.WriteFile(filepath.Join(dir, "state.json.next"), []byte(`{"Buckets": {"half`), 0o600); err != nil {
				t.Fatal(err)
			}
			reopened, err := openStore(dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(store.state, reopened.state, cmp.AllowUnexported(securityGroupRule{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func Test_openStore(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "state.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(dir); err == nil {
		t.Error("a state file that cannot be read was taken for an empty account")
	}
}
