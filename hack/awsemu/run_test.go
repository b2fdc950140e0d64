package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOptions_check(t *testing.T) {
	cases := map[string]struct {
		options  options
		wantHost string
		wantErr  string // a part of the message, which goes with exit status 2
	}{
		"Instances have the address that they listen on.": {options{dataDir: "d", postgresListen: "10.0.0.1:5432", mysqlListen: "10.0.0.1:3306"}, "10.0.0.1", ""},
		"Another address can be told.":                    {options{dataDir: "d", postgresListen: "0.0.0.0:5432", mysqlListen: "10.0.0.1:3306", rdsHost: "db.test"}, "db.test", ""},
		"No directory.":                                   {options{postgresListen: "10.0.0.1:5432", mysqlListen: "10.0.0.1:3306"}, "", "--data is missing"},
		"No port.":                                        {options{dataDir: "d", postgresListen: "10.0.0.1"}, "", "--postgres-listen is"},
		"No port of MySQL.":                               {options{dataDir: "d", postgresListen: "10.0.0.1:5432", mysqlListen: "10.0.0.1"}, "", "--mysql-listen is"},
		"Every address is none to tell.":                  {options{dataDir: "d", postgresListen: "0.0.0.0:5432", mysqlListen: "10.0.0.1:3306"}, "", "--rds-host is missing"},
		"No address is none to tell.":                     {options{dataDir: "d", postgresListen: ":5432", mysqlListen: "10.0.0.1:3306"}, "", "--rds-host is missing"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			err := test.options.check()
			if test.wantErr != "" {
				if _, ok := errors.AsType[*setupError](err); !ok || !strings.Contains(err.Error(), test.wantErr) {
					t.Errorf("got error %v, want one with %q", err, test.wantErr)
				}
				return
			}
			if err != nil || test.options.rdsHost != test.wantHost {
				t.Errorf("got %q, %v, want %q", test.options.rdsHost, err, test.wantHost)
			}
		})
	}
}

func TestEmulator_restart(t *testing.T) {
	dir := dataDir(t)
	e, c := startEmulator(t, dir)
	newGroup(t, c, "web")
	c.do("s3", "PUT", "/uploads", "")
	c.do("s3", "PUT", "/uploads/key", "content")
	c.do("s3", "PUT", "/uploads?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	c.mustQuery("rds", "CreateDBInstance", instanceCall("orders", "Tags.Tag.1.Key", "team", "Tags.Tag.1.Value", "shop")...)
	conn, err := connect(t, c, "orders", "app", "app", password, "require")
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, conn, "CREATE TABLE t AS SELECT 42 AS a")
	before := c.do("", "GET", "/_emu/resources", "").body
	if err := e.stop(); err != nil {
		t.Fatal(err)
	}

	_, c = startEmulator(t, dir)
	if diff := cmp.Diff(before, c.do("", "GET", "/_emu/resources", "").body); diff != "" {
		t.Error(diff)
	}
	if got := c.do("s3", "GET", "/uploads/key", "").body; got != "content" {
		t.Errorf("the object is %q", got)
	}
	if got := c.do("s3", "GET", "/uploads?versioning", "").element(t, "Status"); got != "Enabled" {
		t.Errorf("versioning is %q", got)
	}
	if conn, err = connect(t, c, "orders", "app", "app", password, "require"); err != nil {
		t.Fatal(err)
	}
	var a int
	if err := conn.QueryRow(t.Context(), "SELECT a FROM t").Scan(&a); err != nil || a != 42 {
		t.Errorf("the table has %d, %v", a, err)
	}
}

func TestEmulator_postgresURL(t *testing.T) {
	dir := dataDir(t)
	server, err := startPostgres(t.Context(), "", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.stop)
	o := options{dataDir: dir, postgresListen: "127.0.0.1:0", mysqlListen: "127.0.0.1:13306", rdsHost: "127.0.0.1", postgresURL: server.adminURL()}
	e, err := start(t.Context(), o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c := serve(t, e.handler)
	c.mustQuery("rds", "CreateDBInstance", instanceCall("orders")...)
	if _, err := connect(t, c, "orders", "app", "app", password, "require"); err != nil {
		t.Error(err)
	}
	if err := e.stop(); err != nil {
		t.Error(err)
	}
	select {
	case <-server.server.exited:
		t.Error("the emulator has stopped a server that is not its own")
	default:
	}
}

func Test_run(t *testing.T) {
	cases := map[string]struct {
		end     func(t *testing.T, stop context.CancelFunc, postmaster *os.Process)
		wantErr string // a part of it
	}{
		"A signal ends the emulator and its PostgreSQL server.": {
			func(_ *testing.T, stop context.CancelFunc, _ *os.Process) { stop() }, "",
		},
		"The end of the server is an error that names its log.": {
			func(t *testing.T, _ context.CancelFunc, postmaster *os.Process) {
				if err := postmaster.Signal(os.Interrupt); err != nil {
					t.Error(err)
				}
			}, "PostgreSQL has ended, see ",
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			o := options{listen: freeAddress(t), dataDir: dataDir(t), postgresListen: "127.0.0.1:0", mysqlListen: "127.0.0.1:13306"}
			ended := make(chan error, 1)
			go func() { ended <- run(ctx, o) }()
			waitHealthy(t, o.listen, ended)
			pidFile := filepath.Join(o.dataDir, "postgres", "data", "postmaster.pid")
			test.end(t, stop, processOf(t, pidFile))
			err := <-ended
			if (err == nil) != (test.wantErr == "") || (err != nil && !strings.Contains(err.Error(), test.wantErr)) {
				t.Errorf("got error %v, want %q", err, test.wantErr)
			}
			if _, err := os.Stat(pidFile); err == nil {
				t.Error("the PostgreSQL server outlived the emulator")
			}
		})
	}
}

// waitHealthy waits for the emulator at address, which must not end meanwhile.
func waitHealthy(t *testing.T, address string, ended <-chan error) {
	t.Helper()
	for {
		if response, err := http.Get("http://" + address + "/_emu/health"); err == nil {
			response.Body.Close()
			return
		}
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// processOf returns the process whose id is in the first line of a file.
func processOf(t *testing.T, file string) *os.Process {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	process, err := os.FindProcess(atoi(line))
	if err != nil {
		t.Fatal(err)
	}
	return process
}

// freeAddress is one that nobody listens on at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func Test_start_taken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := dataDir(t)
	o := options{dataDir: dir, postgresListen: taken.Addr().String(), mysqlListen: "127.0.0.1:13306", rdsHost: "127.0.0.1"}
	if _, err := start(t.Context(), o, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("the address for instances is taken: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "postgres", "data", "postmaster.pid")); err == nil {
		t.Error("the PostgreSQL server outlived the failed start")
	}
}
