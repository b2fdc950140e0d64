package main

import (
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// clusterCall are the parameters of a cluster with the user and database app; more are added.
func clusterCall(id string, more ...string) []string {
	return append([]string{
		"DBClusterIdentifier", id, "Engine", "aurora-postgresql", "MasterUsername", "app", "DatabaseName", "app", "MasterUserPassword", password,
	}, more...)
}

func memberCall(id, cluster string, more ...string) []string {
	return append([]string{"DBInstanceIdentifier", id, "DBClusterIdentifier", cluster, "Engine", "aurora-postgresql", "DBInstanceClass", "db.t4g.medium"}, more...)
}

func TestRDS_clusters(t *testing.T) {
	_, c := startEmulator(t, dataDir(t))
	c.mustQuery("rds", "CreateDBClusterParameterGroup", "DBClusterParameterGroupName", "orders", "DBParameterGroupFamily", "aurora-postgresql16", "Description", "d")
	c.mustQuery("rds", "CreateDBCluster", clusterCall("orders", "EngineVersion", "16", "DBClusterParameterGroupName", "orders", "StorageEncrypted", "true",
		"ServerlessV2ScalingConfiguration.MinCapacity", "0.5", "ServerlessV2ScalingConfiguration.MaxCapacity", "4", "CopyTagsToSnapshot", "true",
		"Tags.Tag.1.Key", "team", "Tags.Tag.1.Value", "shop")...)
	describe := func() answer { return c.mustQuery("rds", "DescribeDBClusters", "DBClusterIdentifier", "orders") }
	for element, want := range map[string]string{
		"EngineVersion": "16.9", "MinCapacity": "0.5", "MaxCapacity": "4", "DatabaseName": "app", "DBClusterParameterGroup": "orders",
		"DBSubnetGroup": "default", "Endpoint": "127.0.0.1", "ReaderEndpoint": "127.0.0.1", "Value": "shop",
	} {
		if got := describe().element(t, element); got != want {
			t.Errorf("%s is %s, want %s", element, got, want)
		}
	}
	c.mustQuery("rds", "CreateDBInstance", memberCall("one", "orders")...)
	c.mustQuery("rds", "CreateDBInstance", memberCall("two", "orders")...)
	if got := describe(); !cmp.Equal(got.elements("DBInstanceIdentifier"), []string{"one", "two"}) || !cmp.Equal(got.elements("IsClusterWriter"), []string{"true", "false"}) {
		t.Errorf("members: %s", got.body)
	}
	described := c.mustQuery("rds", "DescribeDBInstances", "DBInstanceIdentifier", "one")
	for element, want := range map[string]string{"DBClusterIdentifier": "orders", "EngineVersion": "16.9", "DBName": "app", "StorageEncrypted": "true", "StorageType": "aurora"} {
		if got := described.element(t, element); got != want {
			t.Errorf("the instance's %s is %s, want %s", element, got, want)
		}
	}
	address := net.JoinHostPort(describe().element(t, "Endpoint"), describe().element(t, "Port"))
	connect := func(password string) error {
		conn, err := pgx.Connect(t.Context(), "postgres://app:"+password+"@"+address+"/app?sslmode=require")
		if err == nil {
			conn.Close(t.Context())
		}
		return err
	}
	if err := connect(password); err != nil {
		t.Error(err)
	}
	c.mustQuery("rds", "ModifyDBCluster", "DBClusterIdentifier", "orders", "MasterUserPassword", "another-password", "BackupRetentionPeriod", "14",
		"ServerlessV2ScalingConfiguration.MaxCapacity", "8", "ApplyImmediately", "true")
	if got := describe(); got.element(t, "BackupRetentionPeriod") != "14" || got.element(t, "MaxCapacity") != "8" || got.element(t, "MinCapacity") != "0.5" {
		t.Errorf("changed: %s", got.body)
	}
	if err := connect("another-password"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if got := c.query("rds", "DeleteDBCluster", "DBClusterIdentifier", "orders", "SkipFinalSnapshot", "true"); got.code() != "InvalidDBClusterStateFault" {
		t.Errorf("deleted with its instances: %s", got.body)
	}
	for _, id := range []string{"one", "two"} {
		c.mustQuery("rds", "DeleteDBInstance", "DBInstanceIdentifier", id)
	}
	if got := c.query("rds", "DeleteDBCluster", "DBClusterIdentifier", "orders"); got.code() != "InvalidParameterCombination" {
		t.Errorf("deleted without a word on the final snapshot: %s", got.body)
	}
	c.mustQuery("rds", "DeleteDBCluster", "DBClusterIdentifier", "orders", "FinalDBSnapshotIdentifier", "final")
	if err := connect("another-password"); err == nil {
		t.Error("the database outlived its cluster")
	}
	if got := c.mustQuery("rds", "DescribeDBClusterSnapshots", "DBClusterIdentifier", "orders"); got.element(t, "DBClusterSnapshotIdentifier") != "final" || got.element(t, "Value") != "shop" {
		t.Errorf("final snapshot: %s", got.body)
	}
	c.mustQuery("rds", "DeleteDBClusterSnapshot", "DBClusterSnapshotIdentifier", "final")
	c.mustQuery("rds", "DeleteDBClusterParameterGroup", "DBClusterParameterGroupName", "orders")
	if got := c.do("", "GET", "/_emu/resources", "").body; got != "[]\n" {
		t.Errorf("left: %s", got)
	}
}

func TestRDS_clusters_refused(t *testing.T) {
	_, c := startEmulator(t, dataDir(t))
	c.mustQuery("rds", "CreateDBCluster", clusterCall("orders", "EngineVersion", "16", "DeletionProtection", "true")...)
	c.mustQuery("rds", "CreateDBClusterParameterGroup", "DBClusterParameterGroupName", "seventeen", "DBParameterGroupFamily", "aurora-postgresql17", "Description", "d")
	cases := map[string]struct {
		action   string
		params   []string
		wantCode string
	}{
		"A cluster twice.":                      {"CreateDBCluster", clusterCall("orders"), "DBClusterAlreadyExistsFault"},
		"The same login as another.":            {"CreateDBCluster", clusterCall("twin"), "InvalidParameterCombination"},
		"A cluster of another engine.":          {"CreateDBCluster", clusterCall("other", "Engine", "postgres"), "InvalidParameterValue"},
		"A version that is not there.":          {"CreateDBCluster", clusterCall("other", "EngineVersion", "9"), "InvalidParameterCombination"},
		"A group of another family.":            {"CreateDBCluster", clusterCall("other", "MasterUsername", "other", "EngineVersion", "16", "DBClusterParameterGroupName", "seventeen"), "InvalidParameterCombination"},
		"A group that is not there.":            {"CreateDBCluster", clusterCall("other", "DBClusterParameterGroupName", "none"), "DBParameterGroupNotFound"},
		"A parameter that awsemu has not.":      {"CreateDBCluster", clusterCall("other", "GlobalClusterIdentifier", "g"), "InvalidParameterValue"},
		"A reserved user.":                      {"CreateDBCluster", clusterCall("other", "MasterUsername", "rdsadmin"), "InvalidParameterValue"},
		"An instance of a cluster not there.":   {"CreateDBInstance", memberCall("one", "other"), "DBClusterNotFoundFault"},
		"An instance of another engine.":        {"CreateDBInstance", memberCall("one", "orders", "Engine", "postgres"), "InvalidParameterValue"},
		"An instance of no cluster.":            {"CreateDBInstance", instanceCall("one", "Engine", "aurora-postgresql"), "InvalidParameterValue"},
		"A major version that is not allowed.":  {"ModifyDBCluster", []string{"DBClusterIdentifier", "orders", "EngineVersion", "17", "ApplyImmediately", "true"}, "InvalidParameterCombination"},
		"A protected cluster.":                  {"DeleteDBCluster", []string{"DBClusterIdentifier", "orders", "SkipFinalSnapshot", "true"}, "InvalidParameterCombination"},
		"A cluster that is not there.":          {"DescribeDBClusters", []string{"DBClusterIdentifier", "other"}, "DBClusterNotFoundFault"},
		"A cluster snapshot that is not there.": {"DescribeDBClusterSnapshots", []string{"DBClusterSnapshotIdentifier", "other"}, "DBClusterSnapshotNotFoundFault"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.query("rds", test.action, test.params...); got.code() != test.wantCode {
				t.Errorf("got %s, want %s", got.body, test.wantCode)
			}
		})
	}
}

func TestParameterGroups(t *testing.T) {
	cases := map[string]struct{ element, parameters, family string }{
		"Those of instances.": {"DBParameterGroup", "DBParameters", "mysql8.4"},
		"Those of clusters.":  {"DBClusterParameterGroup", "DBClusterParameters", "aurora-postgresql17"},
	}
	_, c := startEmulator(t, dataDir(t))
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			on := func(action string, params ...string) answer {
				return c.query("rds", action, append([]string{test.element + "Name", "orders"}, params...)...)
			}
			if got := on("Create"+test.element, "DBParameterGroupFamily", "mysql5"); got.code() != "InvalidParameterValue" {
				t.Errorf("a family that is none: %s", got.body)
			}
			on("Create"+test.element, "DBParameterGroupFamily", test.family, "Description", "d", "Tags.Tag.1.Key", "team", "Tags.Tag.1.Value", "shop")
			if got := on("Create"+test.element, "DBParameterGroupFamily", test.family); got.code() != "DBParameterGroupAlreadyExists" {
				t.Errorf("twice: %s", got.body)
			}
			got := on("Describe" + test.element + "s")
			if got.element(t, test.element+"Name") != "orders" || got.element(t, "DBParameterGroupFamily") != test.family {
				t.Errorf("made: %s", got.body)
			}
			if tag := c.mustQuery("rds", "ListTagsForResource", "ResourceName", got.element(t, test.element+"Arn")).element(t, "Value"); tag != "shop" {
				t.Errorf("tag %s", tag)
			}
			on("Modify"+test.element, "Parameters.Parameter.1.ParameterName", "a", "Parameters.Parameter.1.ParameterValue", "1", "Parameters.Parameter.1.ApplyMethod", "immediate",
				"Parameters.Parameter.2.ParameterName", "b", "Parameters.Parameter.2.ParameterValue", "2")
			if got := on("Describe" + test.parameters); strings.Join(got.elements("ParameterName"), "") != "ab" || strings.Join(got.elements("ParameterValue"), "") != "12" {
				t.Errorf("set: %s", got.body)
			}
			if got := on("Describe"+test.parameters, "Source", "system"); len(got.elements("ParameterName")) != 0 {
				t.Errorf("of the system's: %s", got.body)
			}
			on("Reset"+test.element, "Parameters.Parameter.1.ParameterName", "a")
			if got := on("Describe" + test.parameters); got.element(t, "ParameterName") != "b" {
				t.Errorf("reset: %s", got.body)
			}
			on("Reset"+test.element, "ResetAllParameters", "true")
			if got := on("Describe" + test.parameters); len(got.elements("ParameterName")) != 0 {
				t.Errorf("all reset: %s", got.body)
			}
			if got := c.query("rds", "Describe"+test.element+"s", test.element+"Name", "default."+test.family); got.element(t, "DBParameterGroupFamily") != test.family {
				t.Errorf("the default one: %s", got.body)
			}
			on("Delete" + test.element)
			for _, action := range []string{"Delete" + test.element, "Describe" + test.element + "s", "Describe" + test.parameters, "Modify" + test.element} {
				if got := on(action); got.code() != "DBParameterGroupNotFound" {
					t.Errorf("%s of one that is not there: %s", action, got.body)
				}
			}
		})
	}
}
