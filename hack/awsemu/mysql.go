package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// mysqlServer is the private MariaDB server of one RDS instance. It answers on a port of its own, and on a Unix socket that
// only its own user and root can reach, and it ends with the emulator.
type mysqlServer struct {
	programs   mysqlPrograms
	dir        string // of its data, its log, its socket and its certificate; named after the port
	host       string
	port       int
	attributes *syscall.SysProcAttr
	server     *process // nil until it is started
}

// mysqlPrograms are the paths of MariaDB's programs.
type mysqlPrograms struct{ server, install string }

// findMySQL looks in a folder, or where Debian's packages and the PATH have the programs.
func findMySQL(bin string) (mysqlPrograms, error) {
	find := func(name string) string {
		folders := []string{bin}
		if bin == "" {
			folders = append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/bin")
		}
		for _, folder := range folders {
			if path, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
				return path
			}
		}
		return ""
	}
	found := mysqlPrograms{find("mariadbd"), find("mariadb-install-db")}
	if found.server == "" || found.install == "" {
		return found, &setupError{"no MariaDB server found, which instances of MySQL need: run `apt-get install mariadb-server-core mariadb-client-core`, " +
			"or name the folder of its programs, mariadbd and mariadb-install-db, with --mysql-bin"}
	}
	return found, nil
}

// mysqlAdmin is the name of the servers' administrator: that of the emulator's own user, by which the socket knows it.
func mysqlAdmin() string {
	current, err := user.Current()
	if err != nil {
		return "root"
	}
	return current.Username
}

// start starts the server, after making its data directory when there is none.
func (s *mysqlServer) start(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.prepare, s.initialise, s.run, s.waitReady} {
		if err := step(ctx); err != nil {
			s.stop()
			return err
		}
	}
	return nil
}

// prepare makes the server's folder. MariaDB should not run as root, so root gives it to nobody.
func (s *mysqlServer) prepare(context.Context) error {
	const longest = 107 - len("/socket") // of a Unix socket's path
	if len(s.dir) > longest {
		return &setupError{fmt.Sprintf("the path %s is too long for a Unix socket in it: name a directory with --data that is %d bytes shorter", s.dir, len(s.dir)-longest)}
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(s.dir), 0o711), os.MkdirAll(s.dir, 0o700)); err != nil {
		return fmt.Errorf("making the MariaDB folder: %w", err)
	}
	if err := s.writeCertificate(); err != nil {
		return err
	}
	s.attributes = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C in a terminal reaches the emulator alone
	endWithParent(s.attributes, syscall.SIGTERM)
	if os.Geteuid() != 0 {
		return nil
	}
	owner, err := user.Lookup("nobody")
	if err != nil {
		return &setupError{"MariaDB should not run as root, and there is no user nobody to run it as: start awsemu as another user"}
	}
	uid, gid := atoi(owner.Uid), atoi(owner.Gid)
	s.attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if closed := closedParent(s.dir); closed != "" {
		return &setupError{fmt.Sprintf("the user nobody, as whom MariaDB runs, cannot enter %s: run `chmod o+x %s`, or name another directory with --data", closed, closed)}
	}
	return errors.Join(os.Chown(s.dir, uid, gid), os.Chown(s.file("cert.pem"), uid, gid), os.Chown(s.file("key.pem"), uid, gid))
}

func (s *mysqlServer) file(name string) string { return filepath.Join(s.dir, name) }

// writeCertificate makes a certificate for clients that want encryption and verify nobody.
func (s *mysqlServer) writeCertificate() error {
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(s.file("cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}), 0o600),
		os.WriteFile(s.file("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600),
	)
}

func (s *mysqlServer) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	small := []string{"--no-defaults", "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M", "--skip-name-resolve"}
	cmd := exec.CommandContext(ctx, program, append(small, args...)...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.attributes
	cmd.Env = append(os.Environ(), "TMPDIR="+s.dir) // a server that starts deletes the temporary tables of all others there
	return cmd
}

// initialise makes the data directory. It does so under another name and renames it: a half-made one is never started.
func (s *mysqlServer) initialise(ctx context.Context) error {
	if _, err := os.Stat(s.file("data")); err == nil {
		return nil
	}
	half := s.file("data.new")
	if err := os.RemoveAll(half); err != nil {
		return fmt.Errorf("removing a half-made MariaDB data directory: %w", err)
	}
	output, err := s.command(ctx, s.programs.install, "--datadir="+half, "--auth-root-authentication-method=socket",
		"--auth-root-socket-user="+mysqlAdmin(), "--skip-test-db").CombinedOutput()
	if err != nil {
		return fmt.Errorf("running mariadb-install-db in %s: %w\n%s", s.dir, err, output)
	}
	return os.Rename(half, s.file("data"))
}

// run starts the server's process, after the end of one that a killed emulator has left behind.
func (s *mysqlServer) run(ctx context.Context) error {
	s.waitPredecessor(ctx)
	cmd := s.command(context.WithoutCancel(ctx), s.programs.server, "--datadir="+s.file("data"), "--socket="+s.file("socket"),
		"--pid-file="+s.file("pid"), "--bind-address="+s.host, "--port="+strconv.Itoa(s.port),
		"--ssl-cert="+s.file("cert.pem"), "--ssl-key="+s.file("key.pem"),
		"--performance-schema=OFF", "--key-buffer-size=1M", "--aria-pagecache-buffer-size=1M", "--skip-log-bin",
		"--innodb-flush-log-at-trx-commit=2") // an end of the process loses nothing; an end of the machine may
	var err error
	s.server, err = startProcess(cmd, s.logFile())
	return err
}

// waitPredecessor waits for the end of a server that a killed emulator has left behind, and asks for it where the kernel
// has not done so.
func (s *mysqlServer) waitPredecessor(ctx context.Context) {
	data, err := os.ReadFile(s.file("pid"))
	if err != nil {
		return
	}
	_ = s.execute(ctx, "SHUTDOWN") // an error means that it ends already
	pid := atoi(strings.TrimSpace(string(data)))
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && syscall.Kill(pid, 0) == nil; {
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *mysqlServer) logFile() string { return s.file("server.log") }

func (s *mysqlServer) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := s.execute(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.server.exited:
			return fmt.Errorf("MariaDB ended while starting, see %s", s.logFile())
		case <-ctx.Done():
			return fmt.Errorf("waiting for MariaDB, see %s: %w", s.logFile(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the server and waits for its end. It may be called at any time, also twice.
func (s *mysqlServer) stop() {
	if s.server != nil {
		s.server.end(syscall.SIGTERM)
	}
}

// free tells whether nobody listens on a port.
func free(host string, port int) bool {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
