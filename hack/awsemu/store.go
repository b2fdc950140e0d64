package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// tags are the tags of one resource, by key.
type tags map[string]string

// state is everything the emulator remembers, except the contents of S3 objects and of databases.
type state struct {
	SecurityGroups           map[string]*securityGroup    // by id
	EC2Tags                  map[string]tags              // by resource id, of every kind of EC2 resource
	DBInstances              map[string]*dbInstance       // by identifier
	DBClusters               map[string]*dbCluster        // by identifier
	DBSubnetGroups           map[string]*dbSubnetGroup    // by name
	DBParameterGroups        map[string]*dbParameterGroup // by name
	DBClusterParameterGroups map[string]*dbParameterGroup // by name
	DBSnapshots              map[string]*dbSnapshot       // by identifier
	DBClusterSnapshots       map[string]*dbSnapshot       // by identifier
	RDSTags                  map[string]tags              // by ARN; every RDS resource has an entry
	Buckets                  map[string]*bucket           // by name
	Queues                   map[string]*queue            // by name
	Secrets                  map[string]*secret           // by name
	Roles                    map[string]*role             // by name
	OIDCProviders            map[string]*oidcProvider     // by ARN
}

// store keeps the state in memory and, after every change, in one JSON file.
type store struct {
	path string

	mu    sync.RWMutex
	state state
}

// openStore reads the state file in dir; a directory without one is an account without resources.
func openStore(dir string) (*store, error) {
	s := &store{path: filepath.Join(dir, "state.json")}
	data, err := os.ReadFile(s.path)
	if err == nil {
		err = json.Unmarshal(data, &s.state)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the state file %s: %w", s.path, err)
	}
	s.state.fillMissing()
	return s, nil
}

// fillMissing makes every map usable, and the account's default resources present, whatever the file held.
func (s *state) fillMissing() {
	orNew(&s.SecurityGroups)
	orNew(&s.EC2Tags)
	orNew(&s.DBInstances)
	orNew(&s.DBSubnetGroups)
	orNew(&s.DBSnapshots)
	orNew(&s.DBClusters)
	orNew(&s.DBClusterSnapshots)
	orNew(&s.DBParameterGroups)
	orNew(&s.DBClusterParameterGroups)
	orNew(&s.RDSTags)
	orNew(&s.Buckets)
	orNew(&s.Queues)
	orNew(&s.Secrets)
	orNew(&s.Roles)
	orNew(&s.OIDCProviders)
	if s.SecurityGroups[defaultSecurityGroupID] == nil {
		s.SecurityGroups[defaultSecurityGroupID] = newDefaultSecurityGroup()
	}
}

func orNew[K comparable, V any](m *map[K]V) {
	if *m == nil {
		*m = map[K]V{}
	}
}

// read calls fn with the state, which fn must not change or keep, and returns fn's error.
func (s *store) read(fn func(*state) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return fn(&s.state)
}

// write calls fn with the state and saves it. An fn that returns an error must not have changed anything.
func (s *store) write(fn func(*state) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := fn(&s.state); err != nil {
		return err
	}
	return s.save()
}

// save replaces the file by a rename, so a process killed in between leaves the old file or the new one, never half of one.
func (s *store) save() error {
	data, err := json.MarshalIndent(&s.state, "", " ")
	if err != nil {
		return fmt.Errorf("encoding the state: %w", err)
	}
	next := s.path + ".next"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("writing the state file: %w", err)
	}
	if err := os.Rename(next, s.path); err != nil {
		return fmt.Errorf("replacing the state file: %w", err)
	}
	return nil
}

// randomHex returns n random hexadecimal digits, as AWS uses them in ids.
func randomHex(n int) string {
	raw := make([]byte, (n+1)/2)
	rand.Read(raw) // never fails, by its documentation
	return hex.EncodeToString(raw)[:n]
}
