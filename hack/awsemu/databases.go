package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// login is a role and a database on the PostgreSQL server.
type login struct {
	Role     string
	Database string
}

// databases makes and removes the databases of instances on one PostgreSQL server, as its administrator.
type databases struct{ admin *pgx.ConnConfig }

// newDatabases takes the URL of a superuser's connection.
func newDatabases(ctx context.Context, adminURL string) (*databases, error) {
	config, err := pgx.ParseConfig(adminURL)
	if err != nil {
		return nil, fmt.Errorf("reading the PostgreSQL URL: %w", err)
	}
	d := &databases{admin: config}
	return d, d.asAdmin(ctx, func(*pgx.Conn) error { return nil })
}

func (d *databases) asAdmin(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := pgx.ConnectConfig(ctx, d.admin)
	if err != nil {
		return fmt.Errorf("connecting to the PostgreSQL server: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return fn(conn)
}

// create makes a database and its owner. They get the names asked for, or, because instances share the server and the
// names may be taken, ones that begin with them.
func (d *databases) create(ctx context.Context, user, password, database string) (login, error) {
	var made login
	err := d.asAdmin(ctx, func(conn *pgx.Conn) (err error) {
		if made.Role, err = freeName(ctx, conn, user, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"); err != nil {
			return err
		}
		if made.Database, err = freeName(ctx, conn, database, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"); err != nil {
			return err
		}
		if err := execute(ctx, conn, "CREATE ROLE %I LOGIN CREATEDB CREATEROLE PASSWORD %L", made.Role, password); err != nil {
			return err
		}
		if err := execute(ctx, conn, "CREATE DATABASE %I OWNER %I TEMPLATE template0", made.Database, made.Role); err != nil {
			return errors.Join(err, execute(ctx, conn, "DROP ROLE %I", made.Role))
		}
		return execute(ctx, conn, "REVOKE CONNECT ON DATABASE %I FROM PUBLIC", made.Database) // the other instances' users
	})
	return made, err
}

// drop removes what create made, and the databases that the owner has added; their sessions end.
func (d *databases) drop(ctx context.Context, l login) error {
	return d.asAdmin(ctx, func(conn *pgx.Conn) error {
		rows, _ := conn.Query(ctx, "SELECT datname FROM pg_database JOIN pg_roles r ON r.oid = datdba WHERE rolname = $1", l.Role)
		owned, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("listing the databases of %s: %w", l.Role, err)
		}
		for _, database := range owned {
			if err := execute(ctx, conn, "DROP DATABASE IF EXISTS %I WITH (FORCE)", database); err != nil {
				return err
			}
		}
		return execute(ctx, conn, "DROP ROLE IF EXISTS %I", l.Role)
	})
}

func (d *databases) setPassword(ctx context.Context, l login, password string) error {
	return d.asAdmin(ctx, func(conn *pgx.Conn) error {
		return execute(ctx, conn, "ALTER ROLE %I PASSWORD %L", l.Role, password)
	})
}

// connect logs in as a client would that knew the server's own names.
func (d *databases) connect(ctx context.Context, l login, password string, params map[string]string) (*pgconn.PgConn, error) {
	config := d.admin.Config.Copy()
	config.User, config.Database, config.Password = l.Role, l.Database, password
	config.RuntimeParams = params
	return pgconn.ConnectConfig(ctx, config)
}

// accepts tells whether the password opens the login.
func (d *databases) accepts(ctx context.Context, l login, password string) bool {
	conn, err := d.connect(ctx, l, password, nil)
	if err != nil {
		return false
	}
	conn.Close(ctx)
	return true
}

// freeName returns the name, or when it is taken, the name with a random end that makes it free.
func freeName(ctx context.Context, conn *pgx.Conn, name, takenQuery string) (string, error) {
	const longest = 63 // bytes of a PostgreSQL identifier
	candidate := name
	for {
		var taken bool
		if err := conn.QueryRow(ctx, takenQuery, candidate).Scan(&taken); err != nil {
			return "", fmt.Errorf("looking for the name %s on the PostgreSQL server: %w", candidate, err)
		}
		if !taken {
			return candidate, nil
		}
		candidate = name[:min(len(name), longest-9)] + "_" + randomHex(8)
	}
}

// execute runs a statement that cannot have parameters; the server itself quotes the arguments. Its error names no argument:
// one of them may be a password.
func execute(ctx context.Context, conn *pgx.Conn, statement string, args ...any) error {
	placeholders := ""
	for i := range args {
		placeholders += fmt.Sprintf(", $%d::text", i+2)
	}
	var sql string
	if err := conn.QueryRow(ctx, "SELECT format($1"+placeholders+")", append([]any{statement}, args...)...).Scan(&sql); err != nil {
		return fmt.Errorf("preparing %q: %w", statement, err)
	}
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("running %q on the PostgreSQL server: %w", statement, err)
	}
	return nil
}
