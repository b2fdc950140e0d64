package main

import (
	"database/sql"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mysqlCall are the parameters of an instance of MySQL with the user and database app; more are added.
func mysqlCall(id string, more ...string) []string {
	return append(instanceCall(id, "Engine", "mysql"), more...)
}

// connectMySQL logs in at the endpoint of the instance and returns what the server says of the connection's encryption.
func connectMySQL(t *testing.T, c *testClient, id, password string, encrypted bool) (cipher string, err error) {
	t.Helper()
	described := c.mustQuery("rds", "DescribeDBInstances", "DBInstanceIdentifier", id)
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName, config.Net = "app", password, "app", "tcp"
	config.Addr = net.JoinHostPort(described.element(t, "Address"), described.element(t, "Port"))
	if encrypted {
		config.TLSConfig = "skip-verify"
	}
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var name string
	if err := db.QueryRowContext(t.Context(), "SHOW STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher); err != nil {
		return "", err
	}
	_, err = db.ExecContext(t.Context(), "CREATE TABLE IF NOT EXISTS t (a int)")
	return cipher, err
}

func TestRDS_mysql(t *testing.T) {
	_, c := startEmulator(t, dataDir(t))
	c.mustQuery("rds", "CreateDBParameterGroup", "DBParameterGroupName", "orders", "DBParameterGroupFamily", "mysql8.0", "Description", "d")
	c.mustQuery("rds", "CreateDBInstance", mysqlCall("orders", "EngineVersion", "8.0", "DBParameterGroupName", "orders")...)
	port := c.mustQuery("rds", "DescribeDBInstances").element(t, "Port")
	cipher, err := connectMySQL(t, c, "orders", password, true)
	if err != nil || cipher == "" {
		t.Errorf("over TLS: cipher %q, %v", cipher, err)
	}
	if _, err := connectMySQL(t, c, "orders", "wrong", true); err == nil {
		t.Error("connected with a wrong password")
	}
	if _, err := connectMySQL(t, c, "orders", password, false); err != nil {
		t.Errorf("without TLS, which MySQL 8.0 allows: %v", err)
	}
	set := func(value string) {
		t.Helper()
		c.mustQuery("rds", "ModifyDBParameterGroup", "DBParameterGroupName", "orders", "Parameters.Parameter.1.ParameterName", "require_secure_transport",
			"Parameters.Parameter.1.ParameterValue", value, "Parameters.Parameter.1.ApplyMethod", "pending-reboot")
	}
	set("1")
	if _, err := connectMySQL(t, c, "orders", password, false); err == nil {
		t.Error("connected without TLS, which the parameter group refuses")
	}
	c.mustQuery("rds", "CreateDBInstance", mysqlCall("other", "EngineVersion", "8.4")...)
	if other := c.mustQuery("rds", "DescribeDBInstances", "DBInstanceIdentifier", "other").element(t, "Port"); other == port {
		t.Errorf("both instances answer on port %s", port)
	}
	if _, err := connectMySQL(t, c, "other", password, false); err == nil {
		t.Error("connected without TLS, which MySQL 8.4 refuses")
	}
	if got := c.query("rds", "DeleteDBParameterGroup", "DBParameterGroupName", "orders"); got.code() != "InvalidDBParameterGroupState" {
		t.Errorf("a parameter group in use: %s", got.body)
	}
	if got := c.query("rds", "CreateDBInstance", mysqlCall("third", "Port", port)...); got.code() != "InvalidParameterValue" {
		t.Errorf("the port of another instance: %s", got.body)
	}
}

func TestRDS_mysql_restart(t *testing.T) {
	dir := dataDir(t)
	e, c := startEmulator(t, dir)
	c.mustQuery("rds", "CreateDBInstance", mysqlCall("orders")...)
	port := c.mustQuery("rds", "DescribeDBInstances").element(t, "Port")
	c.mustQuery("rds", "ModifyDBInstance", "DBInstanceIdentifier", "orders", "MasterUserPassword", "another'password", "NewDBInstanceIdentifier", "renamed")
	if _, err := connectMySQL(t, c, "renamed", "another'password", true); err != nil {
		t.Errorf("renamed, with another password: %v", err)
	}
	if err := e.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
		t.Error("the MariaDB server outlived the emulator")
	}
	_, c = startEmulator(t, dir)
	if cipher, err := connectMySQL(t, c, "renamed", "another'password", true); err != nil || cipher == "" {
		t.Errorf("after a restart: cipher %q, %v", cipher, err)
	}
	if _, err := connectMySQL(t, c, "renamed", "another'password", false); err == nil {
		t.Error("after a restart, connected without TLS")
	}
	c.mustQuery("rds", "DeleteDBInstance", "DBInstanceIdentifier", "renamed", "SkipFinalSnapshot", "true")
	if _, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
		t.Error("the MariaDB server outlived its instance")
	}
	if _, err := os.Stat(filepath.Join(dir, "mysql", port)); err == nil {
		t.Error("the data outlived the instance")
	}
}

func TestMySQLServer_start(t *testing.T) {
	dir := dataDir(t)
	newServers := func() *mysqlServers {
		m, err := newMySQLServers("", dir, "127.0.0.1:13400")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.stop)
		return m
	}
	left, err := newServers().start(t.Context(), 13400)
	if err != nil {
		t.Fatal(err)
	}
	// The first one is still there, as it is after an emulator was killed where nobody stops its server.
	if _, err := newServers().start(t.Context(), 13400); err != nil {
		t.Fatal(err)
	}
	select {
	case <-left.server.exited:
	case <-time.After(10 * time.Second):
		t.Error("two servers on the same data")
	}
}

// MariaDB deletes the temporary tables that it finds when it starts, those of a server that is at work too.
func TestMySQLServer_temporaryTables(t *testing.T) {
	t.Setenv("TMPDIR", dataDir(t))
	table := filepath.Join(os.TempDir(), "#sql-temptable-1-1-1.MAI")
	if err := errors.Join(os.Chmod(os.TempDir(), 0o777), os.WriteFile(table, nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	m, err := newMySQLServers("", dataDir(t), "127.0.0.1:13400")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.stop)
	if _, err := m.start(t.Context(), 13400); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(table); err != nil {
		t.Errorf("another server's temporary table: %v", err)
	}
}

func Test_findMySQL(t *testing.T) {
	if _, err := findMySQL(""); err != nil {
		t.Error(err)
	}
	if _, err := newMySQLServers(t.TempDir(), "d", "127.0.0.1:3306"); err == nil || !strings.Contains(err.Error(), "apt-get install mariadb-server-core") {
		t.Errorf("a folder without programs: %v", err)
	}
}

func Test_checkMySQLMaster(t *testing.T) {
	cases := map[string]struct {
		user, database, password string
		ok                       bool
	}{
		"As modules have it.":         {"app", "app", "0123456789", true},
		"Not reserved here.":          {"admin", "app", "0123456789", true},
		"A user that is too long.":    {strings.Repeat("a", 17), "app", "0123456789", false},
		"A reserved user.":            {"rdsadmin", "app", "0123456789", false},
		"The server's administrator.": {mysqlAdmin(), "app", "0123456789", false},
		"A reserved database.":        {"app", "mysql", "0123456789", false},
		"A long password.":            {"app", "app", strings.Repeat("a", 42), false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if err := checkMySQLMaster(test.user, test.database, test.password); (err == nil) != test.ok {
				t.Errorf("got error %v, want none: %v", err, test.ok)
			}
		})
	}
}
