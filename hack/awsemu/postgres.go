package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// postgresServer is a private PostgreSQL server. Its data lies in the data directory, it listens on a Unix socket that
// only its own user and root can reach, and it ends with the emulator.
type postgresServer struct {
	bin        string // the folder of its programs
	dir        string // of its data, its log and its socket
	attributes *syscall.SysProcAttr
	server     *process // nil until it is started
}

const postgresAdmin = "awsemu"

// startPostgres starts a server, after making its data directory when there is none. binDir is searched for when empty.
func startPostgres(ctx context.Context, binDir, dataDir string) (*postgresServer, error) {
	dataDir, err := filepath.Abs(dataDir) // the server's programs run elsewhere
	if err != nil {
		return nil, fmt.Errorf("finding the data directory: %w", err)
	}
	s := &postgresServer{bin: binDir, dir: filepath.Join(dataDir, "postgres")}
	for _, step := range []func(context.Context) error{s.find, s.prepare, s.initialise, s.start, s.waitReady} {
		if err := step(ctx); err != nil {
			s.stop()
			return nil, err
		}
	}
	return s, nil
}

// find takes the newest PostgreSQL that Debian's packages installed, or the one on the PATH, unless a folder was given.
func (s *postgresServer) find(context.Context) error {
	const install = "run `apt-get install postgresql`, or name the folder of one with --postgres-bin, or a running one with --postgres-url"
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // an error would mean a bad pattern
	version := func(bin string) int { return atoi(filepath.Base(filepath.Dir(bin))) }
	switch path, err := exec.LookPath("postgres"); {
	case s.bin != "":
	case len(debian) > 0:
		s.bin = slices.MaxFunc(debian, func(a, b string) int { return version(a) - version(b) })
	case err == nil:
		s.bin = filepath.Dir(path)
	default:
		return &setupError{"no PostgreSQL server found in /usr/lib/postgresql/*/bin or on the PATH: " + install}
	}
	for _, program := range []string{"initdb", "pg_ctl", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(s.bin, program)); err != nil {
			return &setupError{fmt.Sprintf("%s is not the folder of a PostgreSQL server, it has no program %s: %s", s.bin, program, install)}
		}
	}
	return nil
}

// prepare makes the server's folder. PostgreSQL refuses to run as root, so root gives it to the user of Debian's package.
func (s *postgresServer) prepare(context.Context) error {
	const longest = 103 - len("/.s.PGSQL.5432") // of a Unix socket's path on the systems that allow least
	if len(s.dir) > longest {
		return &setupError{fmt.Sprintf("the path %s is too long for a Unix socket in it: name a directory with --data that is %d bytes shorter",
			s.dir, len(s.dir)-longest)}
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("making the PostgreSQL folder: %w", err)
	}
	s.attributes = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C in a terminal reaches the emulator alone
	endWithParent(s.attributes, syscall.SIGINT)
	if os.Geteuid() != 0 {
		return nil
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		return &setupError{"PostgreSQL does not run as root, and there is no user postgres to run it as: " +
			"run `apt-get install postgresql`, or start awsemu as another user"}
	}
	uid, gid := atoi(owner.Uid), atoi(owner.Gid)
	s.attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if closed := closedParent(s.dir); closed != "" {
		return &setupError{fmt.Sprintf("the user postgres, as whom PostgreSQL runs, cannot enter %s: run `chmod o+x %s`, or name another directory with --data",
			closed, closed)}
	}
	return os.Chown(s.dir, uid, gid)
}

// closedParent returns a folder above dir that is closed to users that neither own it nor share its group; empty: none.
func closedParent(dir string) string {
	for parent := filepath.Dir(dir); parent != filepath.Dir(parent); parent = filepath.Dir(parent) {
		if info, err := os.Stat(parent); err == nil && info.Mode().Perm()&0o001 == 0 {
			return parent
		}
	}
	return ""
}

func (s *postgresServer) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.attributes
	return cmd
}

func (s *postgresServer) data() string { return filepath.Join(s.dir, "data") }

// initialise makes the database cluster. It does so under another name and renames it: a half-made one is never started.
func (s *postgresServer) initialise(ctx context.Context) error {
	if _, err := os.Stat(s.data()); err == nil {
		return nil
	}
	half := s.data() + ".new"
	if err := os.RemoveAll(half); err != nil {
		return fmt.Errorf("removing a half-made database cluster: %w", err)
	}
	// Local connections come through the socket folder, which is closed to others; instances' roles need their password there, too.
	output, err := s.command(ctx, "initdb", "--pgdata", half, "--username", postgresAdmin, "--encoding", "UTF8", "--locale", "C", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("running initdb in %s: %w\n%s", s.dir, err, output)
	}
	rules := "local all " + postgresAdmin + " trust\nlocal all all scram-sha-256\n"
	if err := os.WriteFile(filepath.Join(half, "pg_hba.conf"), []byte(rules), 0o600); err != nil {
		return fmt.Errorf("writing pg_hba.conf: %w", err)
	}
	return os.Rename(half, s.data())
}

// start starts the server, after the end of one that a killed emulator has left behind.
func (s *postgresServer) start(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(s.data(), "postmaster.pid")); err == nil {
		stop := s.command(ctx, "pg_ctl", "stop", "--pgdata", s.data(), "--mode", "fast", "--wait")
		_ = stop.Run() // an error means that it has ended by itself
	}
	cmd := s.command(context.WithoutCancel(ctx), "postgres", "-D", s.data(), "-k", s.dir,
		"-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=32MB",
		"-c", "fsync=off", // an end of the process loses nothing; an end of the machine may
		"-c", "log_min_error_statement=panic") // statements hold passwords
	var err error
	s.server, err = startProcess(cmd, s.logFile())
	return err
}

func (s *postgresServer) logFile() string { return filepath.Join(s.dir, "server.log") }

// adminURL is the connection of the server's superuser.
func (s *postgresServer) adminURL() string {
	return fmt.Sprintf("host='%s' user=%s dbname=postgres", s.dir, postgresAdmin)
}

func (s *postgresServer) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		_, err := newDatabases(ctx, s.adminURL())
		if err == nil {
			return nil
		}
		select {
		case <-s.server.exited:
			return fmt.Errorf("PostgreSQL ended while starting, see %s", s.logFile())
		case <-ctx.Done():
			return fmt.Errorf("waiting for PostgreSQL, see %s: %w", s.logFile(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the server and waits for its end. It may be called at any time, also twice.
func (s *postgresServer) stop() {
	if s.server != nil {
		s.server.end(syscall.SIGINT) // "fast": sessions end, data is written
	}
}
