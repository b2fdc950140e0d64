package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// gateway is where the clients of all instances connect. RDS instances are servers of their own, so two of them may
// well have the same user and the same database; here they share a server. The gateway asks for the password, logs in
// at the instance that it opens, and passes everything after that through. It insists on TLS, as RDS does from
// PostgreSQL 15 on, and so never reads a password in clear text from the network.
type gateway struct {
	listener  net.Listener
	tls       *tls.Config
	databases *databases
	log       *slog.Logger
}

func newGateway(address string, databases *databases, log *slog.Logger) (*gateway, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for PostgreSQL clients: %w", err)
	}
	certificate, err := selfSigned()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	return &gateway{listener: listener, tls: config, databases: databases, log: log}, nil
}

func (g *gateway) port() int { return g.listener.Addr().(*net.TCPAddr).Port }

func (g *gateway) close() error { return g.listener.Close() }

// serve accepts clients until the gateway is closed; targets tells which logins a user and database may mean.
func (g *gateway) serve(targets func(user, database string) []login) {
	for {
		client, err := g.listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer client.Close()
			// A client that hangs up only looked whether somebody listens, or has yet to ask its user for the password.
			if err := g.serveClient(client, targets); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				g.log.Info("PostgreSQL client refused", "reason", err)
			}
		}()
	}
}

// serveClient follows https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP.
func (g *gateway) serveClient(client net.Conn, targets func(user, database string) []login) error {
	const startup = 30 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), startup)
	defer cancel()
	if err := client.SetDeadline(time.Now().Add(startup)); err != nil {
		return err
	}
	backend := pgproto3.NewBackend(client, client)
	encrypted := false
	for {
		message, err := backend.ReceiveStartupMessage()
		if err != nil {
			return err
		}
		switch message := message.(type) {
		case *pgproto3.SSLRequest:
			if _, err := client.Write([]byte("S")); err != nil {
				return err
			}
			client = tls.Server(client, g.tls)
			backend = pgproto3.NewBackend(client, client)
			encrypted = true
		case *pgproto3.GSSEncRequest:
			if _, err := client.Write([]byte("N")); err != nil {
				return err
			}
		case *pgproto3.CancelRequest:
			return g.cancel(ctx, message)
		case *pgproto3.StartupMessage:
			if !encrypted {
				return refuse(backend, "28000", "no entry for this host, no encryption: connect with sslmode=require")
			}
			server, err := g.logIn(ctx, backend, message.Parameters, targets)
			if err != nil {
				return err
			}
			defer server.Close()
			if err := client.SetDeadline(time.Time{}); err != nil {
				return err
			}
			relay(client, server)
			return nil
		}
	}
}

// logIn asks for the password and opens the first target that it fits.
func (g *gateway) logIn(ctx context.Context, client *pgproto3.Backend, params map[string]string, targets func(user, database string) []login) (net.Conn, error) {
	user, database := params["user"], params["database"]
	if database == "" {
		database = user
	}
	delete(params, "user")
	delete(params, "database")
	client.Send(&pgproto3.AuthenticationCleartextPassword{})
	if err := errors.Join(client.Flush(), client.SetAuthType(pgproto3.AuthTypeCleartextPassword)); err != nil {
		return nil, err
	}
	message, err := client.Receive()
	if err != nil {
		return nil, err
	}
	password, ok := message.(*pgproto3.PasswordMessage)
	if !ok {
		return nil, refuse(client, "08P01", "expected a password")
	}
	refusal := error(&pgconn.PgError{Code: "28P01", Message: fmt.Sprintf("password authentication failed for user %q", user)})
	for i, target := range targets(user, database) {
		server, err := g.databases.connect(ctx, target, password.Password, params)
		if err == nil {
			return welcome(client, server)
		}
		if i == 0 {
			refusal = err
		}
	}
	if pg, ok := errors.AsType[*pgconn.PgError](refusal); ok {
		return nil, refuse(client, pg.Code, pg.Message)
	}
	return nil, refuse(client, "08006", "awsemu cannot reach its PostgreSQL server")
}

// welcome tells the client what the server said at the end of the login, and returns the bare connection to the server.
func welcome(client *pgproto3.Backend, conn *pgconn.PgConn) (net.Conn, error) {
	server, err := conn.Hijack()
	if err != nil {
		return nil, err
	}
	client.Send(&pgproto3.AuthenticationOk{})
	for name, value := range server.ParameterStatuses {
		client.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	client.Send(&pgproto3.BackendKeyData{ProcessID: server.PID, SecretKey: server.SecretKey})
	client.Send(&pgproto3.ReadyForQuery{TxStatus: server.TxStatus})
	if err := client.Flush(); err != nil {
		return nil, errors.Join(err, server.Conn.Close())
	}
	return server.Conn, nil
}

func refuse(client *pgproto3.Backend, code, text string) error {
	client.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: code, Message: text})
	return errors.Join(errors.New(text), client.Flush())
}

// relay passes bytes both ways until one side closes, for whatever reason.
func relay(client, server net.Conn) {
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	_, _ = io.Copy(client, server)
}

// cancel passes a cancel request on; the server recognises it by the key that welcome handed out.
func (g *gateway) cancel(ctx context.Context, request *pgproto3.CancelRequest) error {
	config := g.databases.admin.Config
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	server, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	defer server.Close()
	packet, err := request.Encode(nil)
	if err != nil {
		return err
	}
	_, err = server.Write(packet)
	return err
}

// selfSigned makes a certificate for clients that want encryption and verify nobody, which sslmode=require means.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "awsemu"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
