package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// options are the command's flags.
type options struct {
	listen         string
	dataDir        string
	postgresListen string
	rdsHost        string
	createDelay    time.Duration
	postgresBin    string
	postgresURL    string
	mysqlListen    string
	mysqlBin       string
}

// setupError is a wrong flag or a missing program: the message says what to do, and the exit status is 2.
type setupError struct{ message string }

func (e *setupError) Error() string { return e.message }

func (o *options) check() error {
	if o.dataDir == "" {
		return &setupError{"--data is missing: name a directory that keeps the emulator's state"}
	}
	host, _, err := net.SplitHostPort(o.postgresListen)
	if err != nil {
		return &setupError{fmt.Sprintf("--postgres-listen is %q, want an address and a port such as 127.0.0.1:5432", o.postgresListen)}
	}
	if _, _, err := splitAddress(o.mysqlListen); err != nil {
		return &setupError{fmt.Sprintf("--mysql-listen is %q, want an address and a port such as 127.0.0.1:3306", o.mysqlListen)}
	}
	o.rdsHost = cmp.Or(o.rdsHost, host)
	if ip := net.ParseIP(o.rdsHost); o.rdsHost == "" || (ip != nil && ip.IsUnspecified()) {
		return &setupError{"--rds-host is missing: --postgres-listen names no address that clients could connect to"}
	}
	return nil
}

// splitAddress reads an address and a port.
func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	return host, port, err
}

// run is the emulator's life, until ctx ends.
func run(ctx context.Context, o options) error {
	if err := o.check(); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listening for AWS clients: %w", err)
	}
	defer listener.Close()
	e, err := start(ctx, o, log)
	if err != nil {
		return err
	}
	log.Info("ready", "endpoint", "http://"+listener.Addr().String(), "postgres", e.gateway.listener.Addr().String(), "data", o.dataDir)
	return errors.Join(e.serve(ctx, listener), e.stop())
}

// serve answers AWS clients until ctx ends.
func (e *emulator) serve(ctx context.Context, listener net.Listener) error {
	web := &http.Server{Handler: e.handler}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-e.postgresEnded():
		return fmt.Errorf("PostgreSQL has ended, see %s", e.postgres.logFile())
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if web.Shutdown(ctx) != nil {
		return web.Close() // calls that wait for an injected latency
	}
	return nil
}

// emulator is everything that has to be stopped.
type emulator struct {
	handler  http.Handler
	postgres *postgresServer // nil when the server is somebody else's
	gateway  *gateway
	mysql    *mysqlServers
	objects  *objects
}

// start starts everything but the listener for AWS clients.
func start(ctx context.Context, o options, log *slog.Logger) (*emulator, error) {
	e := &emulator{}
	if err := e.start(ctx, o, log); err != nil {
		return nil, errors.Join(err, e.stop())
	}
	return e, nil
}

func (e *emulator) start(ctx context.Context, o options, log *slog.Logger) error {
	// Others may pass through, but not look: the PostgreSQL server has a folder in here and its own user.
	err := os.MkdirAll(o.dataDir, 0o711)
	if err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	if e.objects, err = openObjects(o.dataDir); err != nil { // first: its lock keeps a second emulator out
		return err
	}
	store, err := openStore(o.dataDir)
	if err != nil {
		return err
	}
	if o.postgresURL == "" {
		if e.postgres, err = startPostgres(ctx, o.postgresBin, o.dataDir); err != nil {
			return err
		}
		o.postgresURL = e.postgres.adminURL()
	}
	databases, err := newDatabases(ctx, o.postgresURL)
	if err != nil {
		return err
	}
	if e.gateway, err = newGateway(o.postgresListen, databases, log); err != nil {
		return err
	}
	if e.mysql, err = newMySQLServers(o.mysqlBin, o.dataDir, o.mysqlListen); err != nil {
		return err
	}
	instances := &rds{store: store, databases: databases, gateway: e.gateway, mysql: e.mysql, host: o.rdsHost, createDelay: o.createDelay, now: time.Now}
	if err := instances.startMySQL(ctx); err != nil {
		return err
	}
	go e.gateway.serve(instances.targets)
	e.handler = newServer(store, map[string]service{
		"ec2":            newEC2(store),
		"iam":            newIAM(store, time.Now),
		"rds":            newRDS(instances),
		"s3":             newS3(store, e.objects, time.Now),
		"secretsmanager": newSecretsManager(store, time.Now),
		"sqs":            newSQS(store, time.Now),
		"sts":            newSTS(),
	}, log)
	return nil
}

// postgresEnded tells when the private server has ended; one of somebody else's never does.
func (e *emulator) postgresEnded() <-chan struct{} {
	if e.postgres == nil {
		return nil
	}
	return e.postgres.server.exited
}

func (e *emulator) stop() error {
	var errs []error
	if e.gateway != nil {
		errs = append(errs, e.gateway.close())
	}
	if e.objects != nil {
		errs = append(errs, e.objects.close())
	}
	if e.postgres != nil {
		e.postgres.stop()
	}
	if e.mysql != nil {
		e.mysql.stop()
	}
	return errors.Join(errs...)
}
