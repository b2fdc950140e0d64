package main

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

type clusterResult struct {
	Cluster clusterXML `xml:"DBCluster"`
}

type clusterXML struct {
	ID             string    `xml:"DBClusterIdentifier"`
	ARN            string    `xml:"DBClusterArn"`
	ResourceID     string    `xml:"DbClusterResourceId"`
	Status         string    `xml:"Status"`
	CreatedAt      time.Time `xml:"ClusterCreateTime"`
	Settings       clusterSettings
	Endpoint       string           `xml:"Endpoint"`
	ReaderEndpoint string           `xml:"ReaderEndpoint"`
	Port           int              `xml:"Port"`
	HostedZoneID   string           `xml:"HostedZoneId"`
	ParameterGroup string           `xml:"DBClusterParameterGroup"`
	SubnetGroup    string           `xml:"DBSubnetGroup"`
	Zones          []string         `xml:"AvailabilityZones>AvailabilityZone"`
	SecurityGroups []groupMemberXML `xml:"VpcSecurityGroups>VpcSecurityGroupMembership"`
	LogExports     []string         `xml:"EnabledCloudwatchLogsExports>member"`
	Members        []memberXML      `xml:"DBClusterMembers>DBClusterMember"`
	Serverless     *serverless      `xml:"ServerlessV2ScalingConfiguration"`
	Tags           []queryTag       `xml:"TagList>Tag"`
}

type memberXML struct {
	ID       string `xml:"DBInstanceIdentifier"`
	IsWriter bool   `xml:"IsClusterWriter"`
	Status   string `xml:"DBClusterParameterGroupStatus"`
}

func (r *rds) clusterResult(st *state, d *dbCluster) clusterResult {
	cluster := clusterXML{
		ID: d.ID, ARN: d.ARN, ResourceID: d.ResourceID, Status: d.status(r.now()), CreatedAt: d.CreatedAt, Settings: clusterSettings(d.Settings),
		Endpoint: r.host, ReaderEndpoint: r.host, Port: r.gateway.port(), HostedZoneID: hostedZone,
		ParameterGroup: groupOf(d.ParameterGroup, d.Settings), SubnetGroup: d.SubnetGroup, LogExports: d.LogExports, Tags: queryTagList(st.RDSTags[d.ARN]),
	}
	if d.SubnetGroup == "" {
		cluster.SubnetGroup = "default"
	}
	for _, s := range defaultSubnets(d.Region) {
		cluster.Zones = append(cluster.Zones, s.Zone)
	}
	for _, id := range d.SecurityGroupIDs {
		cluster.SecurityGroups = append(cluster.SecurityGroups, groupMemberXML{id, "active"})
	}
	for i, id := range st.members(d.ID) {
		cluster.Members = append(cluster.Members, memberXML{id, i == 0, "in-sync"})
	}
	if d.Serverless != (serverless{}) {
		capacity := d.Serverless
		cluster.Serverless = &capacity
	}
	return clusterResult{cluster}
}

func (r *rds) describeClusters(c *call) (any, error) {
	id := strings.ToLower(c.Form.Get("DBClusterIdentifier"))
	if parts := strings.Split(id, ":"); len(parts) == 7 { // an ARN names it, too
		id = parts[6]
	}
	if len(structParams(c.Form, "Filters.Filter")) > 0 {
		return nil, badRequest("InvalidParameterValue", "awsemu has no filters of DescribeDBClusters")
	}
	var result struct {
		Clusters []clusterXML `xml:"DBClusters>DBCluster"`
	}
	err := r.store.read(func(st *state) error {
		if _, err := st.cluster(id); id != "" && err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(st.DBClusters)) {
			if id == "" || id == key {
				result.Clusters = append(result.Clusters, r.clusterResult(st, st.DBClusters[key]).Cluster)
			}
		}
		return nil
	})
	return result, err
}

// describeGlobalClusters answers what the provider asks about every cluster: it belongs to no global one, as there are none.
func (r *rds) describeGlobalClusters(*call) (any, error) {
	return struct{ GlobalClusters struct{} }{}, nil
}

type clusterSnapshotXML struct {
	ID             string     `xml:"DBClusterSnapshotIdentifier"`
	ARN            string     `xml:"DBClusterSnapshotArn"`
	ClusterID      string     `xml:"DBClusterIdentifier"`
	Type           string     `xml:"SnapshotType"`
	Status         string     `xml:"Status"`
	Engine         string     `xml:"Engine"`
	EngineVersion  string     `xml:"EngineVersion"`
	Encrypted      string     `xml:"StorageEncrypted"`
	KMSKeyID       string     `xml:"KmsKeyId,omitempty"`
	MasterUsername string     `xml:"MasterUsername"`
	Port           int        `xml:"Port"`
	VPCID          string     `xml:"VpcId"`
	CreatedAt      time.Time  `xml:"SnapshotCreateTime"`
	Progress       int        `xml:"PercentProgress"`
	Tags           []queryTag `xml:"TagList>Tag"`
}

func newClusterSnapshotXML(s *dbSnapshot, t tags) clusterSnapshotXML {
	return clusterSnapshotXML{
		ID: s.ID, ARN: s.ARN, ClusterID: s.InstanceID, Type: "manual", Status: "available", Engine: s.Settings["Engine"], EngineVersion: s.Settings["EngineVersion"],
		Encrypted: s.Settings["StorageEncrypted"], KMSKeyID: s.Settings["KmsKeyId"], MasterUsername: s.Settings["MasterUsername"], Port: s.Port, VPCID: defaultVPCID,
		CreatedAt: s.CreatedAt, Progress: 100, Tags: queryTagList(t),
	}
}

// finalClusterSnapshot returns the snapshot that a DeleteDBCluster call asks for, nil when it skips it.
func (r *rds) finalClusterSnapshot(st *state, cluster *dbCluster, form url.Values) (*dbSnapshot, error) {
	id, skip := strings.ToLower(form.Get("FinalDBSnapshotIdentifier")), form.Get("SkipFinalSnapshot") == "true"
	switch {
	case skip && id == "":
		return nil, nil
	case skip:
		return nil, badRequest("InvalidParameterCombination", "FinalDBSnapshotIdentifier can not be specified when deleting a cluster with SkipFinalSnapshot")
	case id == "":
		return nil, badRequest("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
	case st.DBClusterSnapshots[id] != nil:
		return nil, badRequest("DBClusterSnapshotAlreadyExistsFault", "Cannot create the cluster snapshot because one with the identifier %s already exists.", id)
	}
	return &dbSnapshot{
		ID: id, ARN: rdsARN(cluster.Region, "cluster-snapshot", id), InstanceID: cluster.ID, Settings: cluster.Settings, Port: r.gateway.port(), CreatedAt: r.now().UTC(),
	}, nil
}

func (r *rds) describeClusterSnapshots(c *call) (any, error) {
	id, cluster := strings.ToLower(c.Form.Get("DBClusterSnapshotIdentifier")), strings.ToLower(c.Form.Get("DBClusterIdentifier"))
	var result struct {
		Snapshots []clusterSnapshotXML `xml:"DBClusterSnapshots>DBClusterSnapshot"`
	}
	err := r.store.read(func(st *state) error {
		if id != "" && st.DBClusterSnapshots[id] == nil {
			return notFound("DBClusterSnapshotNotFoundFault", "DBClusterSnapshot %s not found.", id)
		}
		for _, key := range slices.Sorted(maps.Keys(st.DBClusterSnapshots)) {
			snapshot := st.DBClusterSnapshots[key]
			if (id == "" || id == key) && (cluster == "" || cluster == snapshot.InstanceID) {
				result.Snapshots = append(result.Snapshots, newClusterSnapshotXML(snapshot, st.RDSTags[snapshot.ARN]))
			}
		}
		return nil
	})
	return result, err
}

func (r *rds) deleteClusterSnapshot(c *call) (any, error) {
	id := strings.ToLower(c.Form.Get("DBClusterSnapshotIdentifier"))
	var result struct {
		Snapshot clusterSnapshotXML `xml:"DBClusterSnapshot"`
	}
	err := r.store.write(func(st *state) error {
		snapshot := st.DBClusterSnapshots[id]
		if snapshot == nil {
			return notFound("DBClusterSnapshotNotFoundFault", "DBClusterSnapshot %s not found.", id)
		}
		result.Snapshot = newClusterSnapshotXML(snapshot, st.RDSTags[snapshot.ARN])
		delete(st.RDSTags, snapshot.ARN)
		delete(st.DBClusterSnapshots, id)
		return nil
	})
	return result, err
}
