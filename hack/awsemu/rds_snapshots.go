package main

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// dbSnapshot is the record of a final snapshot. The data is gone: nothing here restores one.
type dbSnapshot struct {
	ID         string
	ARN        string
	InstanceID string
	Settings   settings // the instance's, when it was deleted
	Port       int
	CreatedAt  time.Time
}

type snapshotXML struct {
	ID               string     `xml:"DBSnapshotIdentifier"`
	ARN              string     `xml:"DBSnapshotArn"`
	InstanceID       string     `xml:"DBInstanceIdentifier"`
	Type             string     `xml:"SnapshotType"`
	Status           string     `xml:"Status"`
	Engine           string     `xml:"Engine"`
	EngineVersion    string     `xml:"EngineVersion"`
	AllocatedStorage string     `xml:"AllocatedStorage"`
	StorageType      string     `xml:"StorageType"`
	Encrypted        string     `xml:"Encrypted"`
	KMSKeyID         string     `xml:"KmsKeyId,omitempty"`
	MasterUsername   string     `xml:"MasterUsername"`
	Port             int        `xml:"Port"`
	VPCID            string     `xml:"VpcId"`
	CreatedAt        time.Time  `xml:"SnapshotCreateTime"`
	PercentProgress  int        `xml:"PercentProgress"`
	Tags             []queryTag `xml:"TagList>Tag"`
}

func newSnapshotXML(s *dbSnapshot, t tags) snapshotXML {
	return snapshotXML{
		ID: s.ID, ARN: s.ARN, InstanceID: s.InstanceID, Type: "manual", Status: "available", Engine: s.Settings["Engine"],
		EngineVersion: s.Settings["EngineVersion"], AllocatedStorage: s.Settings["AllocatedStorage"], StorageType: s.Settings["StorageType"],
		Encrypted: s.Settings["StorageEncrypted"], KMSKeyID: s.Settings["KmsKeyId"], MasterUsername: s.Settings["MasterUsername"], Port: s.Port,
		VPCID: defaultVPCID, CreatedAt: s.CreatedAt, PercentProgress: 100, Tags: queryTagList(t),
	}
}

func (r *rds) describeSnapshots(c *call) (any, error) {
	id, instance := strings.ToLower(c.Form.Get("DBSnapshotIdentifier")), strings.ToLower(c.Form.Get("DBInstanceIdentifier"))
	var result struct {
		Snapshots []snapshotXML `xml:"DBSnapshots>DBSnapshot"`
	}
	err := r.store.read(func(st *state) error {
		if id != "" && st.DBSnapshots[id] == nil {
			return notFound("DBSnapshotNotFound", "DBSnapshot %s not found.", id)
		}
		for _, key := range slices.Sorted(maps.Keys(st.DBSnapshots)) {
			snapshot := st.DBSnapshots[key]
			if (id == "" || id == snapshot.ID) && (instance == "" || instance == snapshot.InstanceID) {
				result.Snapshots = append(result.Snapshots, newSnapshotXML(snapshot, st.RDSTags[snapshot.ARN]))
			}
		}
		return nil
	})
	return result, err
}

func (r *rds) deleteSnapshot(c *call) (any, error) {
	id := strings.ToLower(c.Form.Get("DBSnapshotIdentifier"))
	var result struct {
		Snapshot snapshotXML `xml:"DBSnapshot"`
	}
	err := r.store.write(func(st *state) error {
		snapshot := st.DBSnapshots[id]
		if snapshot == nil {
			return notFound("DBSnapshotNotFound", "DBSnapshot %s not found.", id)
		}
		result.Snapshot = newSnapshotXML(snapshot, st.RDSTags[snapshot.ARN])
		delete(st.RDSTags, snapshot.ARN)
		delete(st.DBSnapshots, id)
		return nil
	})
	return result, err
}
