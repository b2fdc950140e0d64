package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// mysqlServers are the MariaDB servers of all RDS instances of MySQL, by port.
type mysqlServers struct {
	bin     string // the folder of the programs; empty: looked for when the first one is needed
	dir     string
	host    string
	first   int // the port of the first one
	running map[int]*mysqlServer
}

func newMySQLServers(bin, dataDir, listen string) (*mysqlServers, error) {
	host, port, err := splitAddress(listen)
	if err != nil {
		return nil, fmt.Errorf("reading the address of MySQL instances: %w", err)
	}
	dataDir, err = filepath.Abs(dataDir) // the server's programs run elsewhere
	if err != nil {
		return nil, fmt.Errorf("finding the data directory: %w", err)
	}
	m := &mysqlServers{bin: bin, dir: filepath.Join(dataDir, "mysql"), host: host, first: port, running: map[int]*mysqlServer{}}
	if bin != "" {
		_, err = findMySQL(bin) // a wrong flag is told at once
	}
	return m, err
}

func (m *mysqlServers) start(ctx context.Context, port int) (*mysqlServer, error) {
	programs, err := findMySQL(m.bin)
	if err != nil {
		return nil, err
	}
	s := &mysqlServer{programs: programs, dir: filepath.Join(m.dir, strconv.Itoa(port)), host: m.host, port: port}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	m.running[port] = s
	return s, nil
}

// create starts the server of a new instance, with the instance's database and user, and returns its port: the one that is
// wanted, or the first free one.
func (m *mysqlServers) create(ctx context.Context, wanted, user, password, database string) (int, error) {
	port := m.first
	for wanted == "" && (m.running[port] != nil || !free(m.host, port)) {
		port++
	}
	if wanted != "" {
		if port = atoi(wanted); port < 1150 || port > 65535 {
			return 0, badRequest("InvalidParameterValue", "Invalid database port: %s", wanted)
		}
		if m.running[port] != nil || !free(m.host, port) {
			return 0, badRequest("InvalidParameterValue", "awsemu has all instances on one address, and port %d is taken there: leave it out to get a free one", port)
		}
	}
	if err := os.RemoveAll(filepath.Join(m.dir, strconv.Itoa(port))); err != nil { // of an emulator that was killed while it made one
		return 0, fmt.Errorf("removing what is left of another server: %w", err)
	}
	s, err := m.start(ctx, port)
	if err != nil {
		return 0, err
	}
	if err := s.createOwner(ctx, user, password, database); err != nil {
		return 0, errors.Join(err, m.drop(port))
	}
	return port, nil
}

// createOwner makes the instance's database, and its master user with the rights that RDS gives one.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html
func (s *mysqlServer) createOwner(ctx context.Context, user, password, database string) error {
	if database != "" {
		if err := s.execute(ctx, "CREATE DATABASE `"+strings.ReplaceAll(database, "`", "``")+"`"); err != nil {
			return err
		}
	}
	if err := s.execute(ctx, "CREATE USER ?@'%' IDENTIFIED BY ?", user, password); err != nil {
		return err
	}
	return s.execute(ctx, "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "+
		"CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, "+
		"ALTER ROUTINE, CREATE USER, EVENT, TRIGGER ON *.* TO ?@'%' WITH GRANT OPTION", user)
}

// drop ends a server and removes its data.
func (m *mysqlServers) drop(port int) error {
	s := m.running[port]
	if s == nil {
		return nil
	}
	s.stop()
	delete(m.running, port)
	return os.RemoveAll(s.dir)
}

func (m *mysqlServers) setPassword(ctx context.Context, port int, user, password string) error {
	return m.running[port].execute(ctx, "SET PASSWORD FOR ?@'%' = PASSWORD(?)", user, password)
}

// stop ends all servers. It may be called twice.
func (m *mysqlServers) stop() {
	for _, s := range m.running {
		s.stop()
	}
}

// execute runs a statement as the server's administrator. Its error names no argument: one of them may be a password.
func (s *mysqlServer) execute(ctx context.Context, statement string, args ...any) error {
	config := mysql.NewConfig()
	config.User, config.Net, config.Addr = mysqlAdmin(), "unix", s.file("socket")
	config.InterpolateParams = true // the server has no parameters in statements about users
	config.Logger = log.New(io.Discard, "", 0)
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("running %q on the MariaDB server: %w", statement, err)
	}
	return nil
}

func (d *dbInstance) isMySQL() bool { return d.Settings["Engine"] == "mysql" }

// mysqlInstances returns the instances of MySQL, with whether they refuse connections without TLS.
func (s *state) mysqlInstances() map[int]bool {
	insist := map[int]bool{}
	for _, instance := range s.DBInstances {
		if !instance.isMySQL() {
			continue
		}
		value := "0"
		if instance.Settings.series() == "8.4" {
			value = "1" // RDS's default since then
		}
		if group := s.DBParameterGroups[instance.ParameterGroup]; group != nil && group.Parameters["require_secure_transport"].Value != "" {
			value = group.Parameters["require_secure_transport"].Value
		}
		insist[instance.Port] = slices.Contains([]string{"1", "ON", "TRUE"}, strings.ToUpper(value))
	}
	return insist
}

// startMySQL starts the servers of the instances that there are.
func (r *rds) startMySQL(ctx context.Context) error {
	var ports []int
	_ = r.store.read(func(st *state) error {
		ports = slices.Sorted(maps.Keys(st.mysqlInstances()))
		return nil
	})
	for _, port := range ports {
		if _, err := r.mysql.start(ctx, port); err != nil {
			return err
		}
	}
	return r.configureMySQL(ctx)
}

// configureMySQL brings the one parameter that awsemu carries out to the servers.
func (r *rds) configureMySQL(ctx context.Context) error {
	var insist map[int]bool
	_ = r.store.read(func(st *state) error {
		insist = st.mysqlInstances()
		return nil
	})
	for port, on := range insist {
		if err := r.mysql.running[port].execute(ctx, "SET GLOBAL require_secure_transport = "+strconv.FormatBool(on)); err != nil {
			return err
		}
	}
	return nil
}
