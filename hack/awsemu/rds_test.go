package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// dataDir is a temporary directory that the PostgreSQL server's user can enter, with a path short enough for its socket.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "awsemu-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// startEmulator starts everything, with a private PostgreSQL server, on ports that the kernel chooses.
func startEmulator(t *testing.T, dir string) (*emulator, *testClient) {
	t.Helper()
	o := options{dataDir: dir, postgresListen: "127.0.0.1:0", mysqlListen: "127.0.0.1:13306", rdsHost: "127.0.0.1"}
	e, err := start(t.Context(), o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.stop() }) // it may have been stopped
	return e, serve(t, e.handler)
}

const password = "correct-horse-battery"

// instanceCall are the parameters of an instance with the user and database app; more are added.
func instanceCall(id string, more ...string) []string {
	return append([]string{
		"DBInstanceIdentifier", id, "Engine", "postgres", "DBInstanceClass", "db.t4g.micro", "AllocatedStorage", "20",
		"MasterUsername", "app", "DBName", "app", "MasterUserPassword", password,
	}, more...)
}

// connect logs in at the endpoint of the instance.
func connect(t *testing.T, c *testClient, id, user, database, password, sslmode string) (*pgx.Conn, error) {
	t.Helper()
	described := c.mustQuery("rds", "DescribeDBInstances", "DBInstanceIdentifier", id)
	address := net.JoinHostPort(described.element(t, "Address"), described.element(t, "Port"))
	conn, err := pgx.Connect(t.Context(), "postgres://"+user+":"+password+"@"+address+"/"+database+"?sslmode="+sslmode)
	if err == nil {
		t.Cleanup(func() { conn.Close(context.Background()) })
	}
	return conn, err
}

func mustExec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// TestRDS runs on one emulator, since each has to start a PostgreSQL server; every case makes and removes its own instances.
func TestRDS(t *testing.T) {
	e, c := startEmulator(t, dataDir(t))
	remove := func(id string) {
		c.mustQuery("rds", "DeleteDBInstance", "DBInstanceIdentifier", id, "SkipFinalSnapshot", "true")
	}

	t.Run("An instance is a database, with its owner, until it is deleted.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders")...)
		conn, err := connect(t, c, "orders", "app", "app", password, "require")
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, conn, "CREATE TABLE t (a int)")
		mustExec(t, conn, "CREATE DATABASE more")
		mustExec(t, conn, "CREATE ROLE reader")
		if _, err := connect(t, c, "orders", "app", "more", password, "require"); err != nil {
			t.Errorf("a database made with SQL: %v", err)
		}
		described := c.mustQuery("rds", "DescribeDBInstances", "DBInstanceIdentifier", "orders")
		remove("orders")
		if err := conn.Ping(t.Context()); err == nil {
			t.Error("the session outlived the instance")
		}
		if _, err := pgx.Connect(t.Context(), "postgres://app:"+password+"@127.0.0.1:"+described.element(t, "Port")+"/app?sslmode=require"); err == nil {
			t.Error("the login outlived the instance")
		}
	})

	t.Run("A connection without TLS is refused.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders")...)
		defer remove("orders")
		if _, err := connect(t, c, "orders", "app", "app", password, "disable"); err == nil {
			t.Error("connected")
		}
	})

	t.Run("A wrong password, user or database is refused.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders")...)
		defer remove("orders")
		for _, login := range [][3]string{{"app", "app", "wrong"}, {"other", "app", password}, {"app", "other", password}, {postgresAdmin, "postgres", password}} {
			if _, err := connect(t, c, "orders", login[0], login[1], login[2], "require"); err == nil {
				t.Errorf("connected as %s to %s with the password %s", login[0], login[1], login[2])
			}
		}
	})

	t.Run("Instances with the same user and database are told apart by the password.", func(t *testing.T) {
		passwords := map[string]string{"one": password, "two": "another-password"}
		for id, password := range passwords {
			c.mustQuery("rds", "CreateDBInstance", instanceCall(id, "MasterUserPassword", password)...)
			defer remove(id)
		}
		for id, password := range passwords {
			conn, err := connect(t, c, id, "app", "app", password, "require")
			if err != nil {
				t.Fatal(err)
			}
			mustExec(t, conn, "CREATE TABLE t AS SELECT 1") // fails where it exists
		}
		if got := c.query("rds", "CreateDBInstance", instanceCall("three")...).code(); got != "InvalidParameterCombination" {
			t.Errorf("a third one with the first one's password: code %q", got)
		}
		if got := c.query("rds", "ModifyDBInstance", "DBInstanceIdentifier", "two", "MasterUserPassword", password).code(); got != "InvalidParameterCombination" {
			t.Errorf("the second one with the first one's password: code %q", got)
		}
	})

	t.Run("Another database with the same user and password is another instance.", func(t *testing.T) {
		for _, id := range []string{"one", "two"} {
			c.mustQuery("rds", "CreateDBInstance", instanceCall(id, "DBName", id)...)
			defer remove(id)
		}
		for _, id := range []string{"one", "two"} {
			conn, err := connect(t, c, id, "app", id, password, "require")
			if err != nil {
				t.Fatal(err)
			}
			mustExec(t, conn, "CREATE TABLE t AS SELECT 1")
		}
	})

	t.Run("One instance's user does not get into another's database.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("one", "MasterUsername", "first", "DBName", "one")...)
		defer remove("one")
		c.mustQuery("rds", "CreateDBInstance", instanceCall("two", "MasterUsername", "second", "DBName", "two")...)
		defer remove("two")
		if _, err := connect(t, c, "one", "second", "one", password, "require"); err == nil {
			t.Error("connected")
		}
	})

	t.Run("An instance without a database has one called postgres.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders", "DBName", "")...)
		defer remove("orders")
		conn, err := connect(t, c, "orders", "app", "postgres", password, "require")
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, conn, "CREATE TABLE t AS SELECT 1")
	})

	t.Run("A query can be cancelled.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders")...)
		defer remove("orders")
		conn, err := connect(t, c, "orders", "app", "app", password, "require")
		if err != nil {
			t.Fatal(err)
		}
		querying, ended := context.WithCancel(t.Context())
		var canceller sync.WaitGroup
		canceller.Go(func() {
			for querying.Err() == nil { // one that comes before the query does nothing
				time.Sleep(100 * time.Millisecond)
				_ = conn.PgConn().CancelRequest(querying)
			}
		})
		_, err = conn.Exec(t.Context(), "SELECT pg_sleep(30)")
		ended()
		canceller.Wait()
		if err == nil || t.Context().Err() != nil {
			t.Errorf("the query ended with %v, want it cancelled", err)
		}
	})

	t.Run("A changed password opens, the old one does not.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders")...)
		defer remove("orders")
		c.mustQuery("rds", "ModifyDBInstance", "DBInstanceIdentifier", "orders", "MasterUserPassword", "another-password")
		if _, err := connect(t, c, "orders", "app", "app", "another-password", "require"); err != nil {
			t.Error(err)
		}
		if _, err := connect(t, c, "orders", "app", "app", password, "require"); err == nil {
			t.Error("connected with the old password")
		}
	})

	t.Run("A renamed instance is the same one.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders", "Tags.Tag.1.Key", "team", "Tags.Tag.1.Value", "shop")...)
		c.mustQuery("rds", "ModifyDBInstance", "DBInstanceIdentifier", "orders", "NewDBInstanceIdentifier", "invoices", "ApplyImmediately", "true")
		defer remove("invoices")
		if got := c.query("rds", "DescribeDBInstances", "DBInstanceIdentifier", "orders").code(); got != "DBInstanceNotFound" {
			t.Errorf("the old name: code %q", got)
		}
		if got := c.mustQuery("rds", "DescribeDBInstances", "DBInstanceIdentifier", "invoices").element(t, "Value"); got != "shop" {
			t.Errorf("the tag is %q", got)
		}
		if _, err := connect(t, c, "invoices", "app", "app", password, "require"); err != nil {
			t.Error(err)
		}
	})

	t.Run("What waits for the maintenance window is told.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders")...)
		defer remove("orders")
		got := c.mustQuery("rds", "ModifyDBInstance", "DBInstanceIdentifier", "orders", "AllocatedStorage", "30").elements("AllocatedStorage")
		if diff := cmp.Diff([]string{"20", "30"}, got); diff != "" { // the instance's own, then PendingModifiedValues'
			t.Error(diff)
		}
	})

	t.Run("An instance that is protected stays.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders", "DeletionProtection", "true")...)
		if got := c.query("rds", "DeleteDBInstance", "DBInstanceIdentifier", "orders", "SkipFinalSnapshot", "true").code(); got != "InvalidParameterCombination" {
			t.Errorf("code %q", got)
		}
		c.mustQuery("rds", "ModifyDBInstance", "DBInstanceIdentifier", "orders", "DeletionProtection", "false")
		remove("orders")
	})

	t.Run("A final snapshot is left behind, with the tags if wished.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders", "CopyTagsToSnapshot", "true", "Tags.Tag.1.Key", "team", "Tags.Tag.1.Value", "shop")...)
		if got := c.query("rds", "DeleteDBInstance", "DBInstanceIdentifier", "orders").code(); got != "InvalidParameterCombination" {
			t.Errorf("neither a name nor a wish to skip it: code %q", got)
		}
		c.mustQuery("rds", "DeleteDBInstance", "DBInstanceIdentifier", "orders", "FinalDBSnapshotIdentifier", "last")
		if got, want := c.do("", "GET", "/_emu/resources", "").body, `[{"service":"rds","type":"db-snapshot","id":"last","tags":{"team":"shop"}}]`+"\n"; got != want {
			t.Errorf("left behind: %s", got)
		}
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders")...)
		if got := c.query("rds", "DeleteDBInstance", "DBInstanceIdentifier", "orders", "FinalDBSnapshotIdentifier", "last").code(); got != "DBSnapshotAlreadyExists" {
			t.Errorf("a second snapshot with the name: code %q", got)
		}
		remove("orders")
		if got := c.mustQuery("rds", "DescribeDBSnapshots", "DBInstanceIdentifier", "orders").element(t, "DBSnapshotIdentifier"); got != "last" {
			t.Errorf("found snapshot %q", got)
		}
		c.mustQuery("rds", "DeleteDBSnapshot", "DBSnapshotIdentifier", "last")
		if got := c.query("rds", "DescribeDBSnapshots", "DBSnapshotIdentifier", "last").code(); got != "DBSnapshotNotFound" {
			t.Errorf("a deleted snapshot: code %q", got)
		}
	})

	t.Run("What an instance uses stays until it is deleted.", func(t *testing.T) {
		group := newGroup(t, c, "db")
		subnets := []string{"SubnetIds.SubnetIdentifier.1", "subnet-0d5e6f00000000001", "SubnetIds.SubnetIdentifier.2", "subnet-0d5e6f00000000002"}
		c.mustQuery("rds", "CreateDBSubnetGroup", append(subnets, "DBSubnetGroupName", "Main", "DBSubnetGroupDescription", "d")...)
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders", "DBSubnetGroupName", "main", "VpcSecurityGroupIds.VpcSecurityGroupId.1", group)...)
		if got := c.query("rds", "DeleteDBSubnetGroup", "DBSubnetGroupName", "main").code(); got != "InvalidDBSubnetGroupStateFault" {
			t.Errorf("the subnet group: code %q", got)
		}
		if got := c.query("ec2", "DeleteSecurityGroup", "GroupId", group).code(); got != "DependencyViolation" {
			t.Errorf("the security group: code %q", got)
		}
		remove("orders")
		c.mustQuery("rds", "DeleteDBSubnetGroup", "DBSubnetGroupName", "main")
		c.mustQuery("ec2", "DeleteSecurityGroup", "GroupId", group)
	})

	t.Run("Calls that RDS refuses are refused.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders")...)
		defer remove("orders")
		port := strconv.Itoa(e.gateway.port() + 1)
		for _, call := range []struct {
			action string
			params []string
			code   string
		}{
			{"CreateDBInstance", instanceCall("orders"), "DBInstanceAlreadyExists"},
			{"CreateDBInstance", instanceCall("other", "Port", port), "InvalidParameterValue"},
			{"CreateDBInstance", instanceCall("other", "DBSubnetGroupName", "none"), "DBSubnetGroupNotFoundFault"},
			{"CreateDBInstance", instanceCall("other", "VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-1"), "InvalidParameterValue"},
			{"CreateDBInstance", instanceCall("other", "ManageMasterUserPassword", "true"), "InvalidParameterValue"}, // not there, and not ignored
			{"ModifyDBInstance", []string{"DBInstanceIdentifier", "none"}, "DBInstanceNotFound"},
			{"ModifyDBInstance", []string{"DBInstanceIdentifier", "orders", "DBPortNumber", port}, "InvalidParameterValue"},
			{"ModifyDBInstance", []string{"DBInstanceIdentifier", "orders", "DBSubnetGroupName", "other"}, "InvalidVPCNetworkStateFault"},
			{"DeleteDBInstance", []string{"DBInstanceIdentifier", "none", "SkipFinalSnapshot", "true"}, "DBInstanceNotFound"},
			{"DescribeDBInstances", []string{"Filters.Filter.1.Name", "color", "Filters.Filter.1.Values.Value.1", "x"}, "InvalidParameterValue"},
			{"CreateDBSubnetGroup", []string{"DBSubnetGroupName", "one", "SubnetIds.SubnetIdentifier.1", "subnet-0d5e6f00000000001"}, "DBSubnetGroupDoesNotCoverEnoughAZs"},
			{"CreateDBSubnetGroup", []string{"DBSubnetGroupName", "one", "SubnetIds.SubnetIdentifier.1", "subnet-1"}, "InvalidSubnet"},
			{"DescribeDBSubnetGroups", []string{"DBSubnetGroupName", "none"}, "DBSubnetGroupNotFoundFault"},
			{"AddTagsToResource", []string{"ResourceName", "arn:aws:rds:eu-central-1:123456789012:db:none"}, "DBInstanceNotFound"},
		} {
			if got := c.query("rds", call.action, call.params...); got.code() != call.code {
				t.Errorf("%s %v: got code %q, want %q", call.action, call.params, got.code(), call.code)
			}
		}
	})

	t.Run("Tags are added and removed.", func(t *testing.T) {
		c.mustQuery("rds", "CreateDBInstance", instanceCall("orders", "Tags.Tag.1.Key", "a", "Tags.Tag.1.Value", "1")...)
		defer remove("orders")
		arn := "arn:aws:rds:eu-central-1:123456789012:db:orders"
		c.mustQuery("rds", "AddTagsToResource", "ResourceName", arn, "Tags.Tag.1.Key", "b", "Tags.Tag.1.Value", "2")
		c.mustQuery("rds", "RemoveTagsFromResource", "ResourceName", arn, "TagKeys.member.1", "a")
		if diff := cmp.Diff([]string{"b"}, c.mustQuery("rds", "ListTagsForResource", "ResourceName", arn).elements("Key")); diff != "" {
			t.Error(diff)
		}
	})

	if got := c.do("", "GET", "/_emu/resources", "").body; got != "[]\n" {
		t.Errorf("left over: %s", got)
	}
	if roles := serverRoles(t, e); len(roles) != 2 { // the administrator, and "reader", made with SQL
		t.Errorf("roles left on the PostgreSQL server: %q", roles)
	}
}

// serverRoles lists what can be left over when an instance is deleted.
func serverRoles(t *testing.T, e *emulator) []string {
	t.Helper()
	var roles []string
	err := e.gateway.databases.asAdmin(t.Context(), func(conn *pgx.Conn) error {
		rows, _ := conn.Query(t.Context(), `SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg\_%'
			UNION ALL SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')`)
		var err error
		roles, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return roles
}

func TestRDS_creating(t *testing.T) {
	dir := dataDir(t)
	e, _ := startEmulator(t, dir)
	store, err := openStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := &rds{store: store, databases: e.gateway.databases, gateway: e.gateway, host: "db.test", createDelay: 3 * time.Second, now: func() time.Time { return now }}
	c := serve(t, newServer(store, map[string]service{"rds": newRDS(r)}, slog.New(slog.DiscardHandler)))
	c.mustQuery("rds", "CreateDBInstance", instanceCall("orders")...)

	now = now.Add(2 * time.Second)
	got := c.mustQuery("rds", "DescribeDBInstances")
	if got.element(t, "DBInstanceStatus") != "creating" || len(got.elements("Address")) != 0 {
		t.Errorf("after 2 of 3 seconds: %s", got.body)
	}
	if got := c.query("rds", "ModifyDBInstance", "DBInstanceIdentifier", "orders", "MultiAZ", "true").code(); got != "InvalidDBInstanceState" {
		t.Errorf("a change meanwhile: code %q", got)
	}
	now = now.Add(time.Second)
	got = c.mustQuery("rds", "DescribeDBInstances")
	if got.element(t, "DBInstanceStatus") != "available" || got.element(t, "Address") != "db.test" {
		t.Errorf("after 3 of 3 seconds: %s", got.body)
	}
	if got := c.query("rds", "DeleteDBInstance", "DBInstanceIdentifier", "orders", "SkipFinalSnapshot", "true"); got.status != http.StatusOK {
		t.Error(got.body)
	}
}
