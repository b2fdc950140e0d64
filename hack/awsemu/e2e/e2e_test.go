// Package e2e runs Terraform with the real AWS provider against awsemu: what is applied must plan without changes, and
// a destroy must leave nothing behind. Most of its time are the provider's fixed waits for RDS and SQS, so run it with
// -parallel 8.
package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

func TestTerraform(t *testing.T) {
	emulator := startEmulator(t)

	for name, test := range map[string]struct {
		vars    []string
		changes []string
		// uses looks at what was made, and returns a function that tells whether it is still there after the destroy.
		uses func(w *workspace) (gone func() error)
	}{
		"cluster":  {changes: []string{"-var=retention=14"}, uses: usesPostgres},
		"database": {vars: []string{"-var=port=" + strconv.Itoa(emulator.postgresPort)}, changes: []string{"-var=owner=payments"}, uses: usesPostgres},
		"mysql":    {changes: []string{"-var=insist=1"}, uses: usesMySQL},
		"network":  {changes: []string{"-var=owner=payments", "-var=cidr=10.1.0.0/16", "-var=versioning=Suspended"}},
		"queue":    {changes: []string{"-var=owner=payments", "-var=visibility=60"}},
		"role":     {changes: []string{"-var=owner=payments", "-var=action=s3:PutObject"}},
		"secret":   {changes: []string{"-var=owner=payments"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "network" { // the provider repeats calls that AWS was too busy for
				emulator.put(t, "/_emu/faults", `{"action": "s3:CreateBucket", "code": "SlowDown", "status": 503, "times": 2}`)
			}
			w := newWorkspace(t, emulator, name, test.vars...)
			w.terraform("apply", "-auto-approve")
			w.wantNoChanges()
			if got := w.terraform(append([]string{"apply", "-auto-approve"}, test.changes...)...); !strings.Contains(got, " 0 destroyed.") || strings.Contains(got, " 0 changed") {
				t.Errorf("not changed in place:\n%s", got)
			}
			w.wantNoChanges(test.changes...)
			gone := func() error { return errors.New("nothing was looked at") }
			if test.uses != nil {
				gone = test.uses(w)
			}
			w.terraform("destroy", "-auto-approve")
			if gone() == nil {
				t.Error("it is still there")
			}
		})
	}

	t.Cleanup(func() { emulator.wantNothingLeft(t) })
}

// wantNothingLeft looks at what is there after all workspaces were destroyed: the final snapshots that were asked for.
func (e *emulator) wantNothingLeft(t *testing.T) {
	t.Helper()
	left := e.get(t, "/_emu/resources")
	for _, snapshot := range []string{
		`{"service":"rds","type":"db-cluster-snapshot","id":"stock-final","tags":{"owner":"shop"}}`,
		`{"service":"rds","type":"db-snapshot","id":"orders-final","tags":{"owner":"payments"}}`,
	} {
		if flag.Lookup("test.run").Value.String() == "" && !strings.Contains(left, snapshot) {
			t.Errorf("the final snapshot is missing: %s", snapshot)
		}
		left = strings.ReplaceAll(left, snapshot, "")
	}
	if diff := cmp.Diff("[]\n", strings.ReplaceAll(left, ",", "")); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
	if diff := cmp.Diff("[]\n", e.get(t, "/_emu/faults")); diff != "" {
		t.Errorf("faults that were not met: %s", diff)
	}
	if log := e.log.String(); strings.Contains(log, "awsemu does not") {
		t.Errorf("the provider asked for what is not there:\n%s", log)
	}
}

// usesPostgres logs in with the output uri.
func usesPostgres(w *workspace) (gone func() error) {
	w.t.Helper()
	uri := w.output("uri")
	connect := func() error {
		conn, err := pgx.Connect(context.Background(), uri)
		if err != nil {
			return err
		}
		return conn.Close(context.Background())
	}
	if err := connect(); err != nil {
		w.t.Errorf("%v", err)
	}
	return connect
}

// usesMySQL logs in with the output uri, over TLS; without, it has to be refused.
func usesMySQL(w *workspace) (gone func() error) {
	w.t.Helper()
	uri, err := url.Parse(w.output("uri"))
	if err != nil {
		w.t.Fatal(err)
	}
	connect := func(tls string) error {
		config := mysql.NewConfig()
		config.User, config.Net, config.Addr, config.DBName, config.TLSConfig = uri.User.Username(), "tcp", uri.Host, strings.Trim(uri.Path, "/"), tls
		config.Passwd, _ = uri.User.Password()
		db, err := sql.Open("mysql", config.FormatDSN())
		if err != nil {
			return err
		}
		return errors.Join(db.Ping(), db.Close())
	}
	if err := connect("skip-verify"); err != nil {
		w.t.Errorf("over TLS: %v", err)
	}
	if connect("false") == nil {
		w.t.Error("logged in without TLS")
	}
	return func() error { return connect("skip-verify") }
}

// emulator is a running awsemu.
type emulator struct {
	url          string
	postgresPort int
	mysqlPort    int
	process      *os.Process
	log          *bytes.Buffer
}

func startEmulator(t *testing.T) *emulator {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil { // the PostgreSQL server has its own user
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "awsemu")
	if output, err := exec.Command("go", "build", "-o", binary, "..").CombinedOutput(); err != nil {
		t.Fatalf("building awsemu: %v\n%s", err, output)
	}
	address, port, mysqlPort := freePort(t), freePort(t), freePort(t)
	e := &emulator{url: fmt.Sprintf("http://127.0.0.1:%d", address), postgresPort: port, mysqlPort: mysqlPort, log: &bytes.Buffer{}}
	cmd := exec.Command(binary, "--data", filepath.Join(dir, "data"),
		"--listen", fmt.Sprintf("127.0.0.1:%d", address), "--postgres-listen", fmt.Sprintf("127.0.0.1:%d", port),
		"--mysql-listen", fmt.Sprintf("127.0.0.1:%d", mysqlPort))
	cmd.Stderr = e.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e.process = cmd.Process
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is ended by a signal
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		<-ended
	})
	for {
		select {
		case <-ended:
			t.Fatalf("awsemu has ended:\n%s", e.log)
		case <-time.After(50 * time.Millisecond):
		}
		if response, err := http.Get(e.url + "/_emu/health"); err == nil {
			response.Body.Close()
			return e
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func (e *emulator) get(t *testing.T, path string) string { return e.do(t, http.MethodGet, path, "") }

func (e *emulator) put(t *testing.T, path, body string) { e.do(t, http.MethodPut, path, body) }

func (e *emulator) do(t *testing.T, method, path, body string) string {
	t.Helper()
	request, err := http.NewRequest(method, e.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %v %s %s", method, path, err, response.Status, data)
	}
	return string(data)
}

// workspace is a configuration in a folder of its own, initialised.
type workspace struct {
	t    *testing.T
	dir  string
	vars []string
}

func newWorkspace(t *testing.T, e *emulator, name string, vars ...string) *workspace {
	t.Helper()
	w := &workspace{t: t, dir: t.TempDir(), vars: append(vars, "-var=endpoint="+e.url)}
	for _, file := range []string{"provider.tf", filepath.Join(name, "main.tf")} {
		data, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(w.dir, filepath.Base(file)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"init"}
	if mirror := providerMirror(); mirror != "" {
		args = append(args, "-plugin-dir="+mirror)
	}
	if output, err := w.run(args...); err != nil {
		t.Fatalf("terraform init: %v\n%s\nThe AWS provider 5.100.0 comes from the registry, or from an unpacked filesystem mirror: "+
			"export GROUNDWORK_PROVIDERS=DIR with DIR/registry.terraform.io/hashicorp/aws/5.100.0 in it.", err, output)
	}
	return w
}

// providerMirror returns a filesystem mirror with the provider: the one that GROUNDWORK_PROVIDERS names, or one in a
// place where mirrors are usual. Empty: Terraform's own configuration decides.
func providerMirror() string {
	if mirror := os.Getenv("GROUNDWORK_PROVIDERS"); mirror != "" {
		return mirror
	}
	home, _ := os.UserHomeDir() // without one, the pattern matches nothing
	for _, parent := range []string{filepath.Join(home, ".terraform.d"), home, "/opt", "/srv", "/usr/local/share/terraform", "/usr/share/terraform"} {
		if found, _ := filepath.Glob(filepath.Join(parent, "*", "registry.terraform.io", "hashicorp", "aws", "5.100.0")); len(found) > 0 {
			return strings.TrimSuffix(found[0], filepath.Join("registry.terraform.io", "hashicorp", "aws", "5.100.0"))
		}
	}
	return ""
}

// terraform runs a command that has to succeed, with the workspace's variables where it takes some.
func (w *workspace) terraform(args ...string) string {
	w.t.Helper()
	if args[0] != "output" {
		args = append(args, w.vars...)
	}
	output, err := w.run(args...)
	if err != nil {
		w.t.Fatalf("terraform %s: %v\n%s", args[0], err, output)
	}
	return output
}

// output returns an output that is a string.
func (w *workspace) output(name string) string {
	w.t.Helper()
	var value string
	if err := json.Unmarshal([]byte(w.terraform("output", "-json", name)), &value); err != nil {
		w.t.Fatal(err)
	}
	return value
}

func (w *workspace) run(args ...string) (string, error) {
	w.t.Helper()
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		w.t.Fatal("terraform is not on the PATH: install 1.11 or later, see https://developer.hashicorp.com/terraform/install")
	}
	cmd := exec.Command(terraform, args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "TF_IN_AUTOMATION=1", "TF_INPUT=0", "TF_CLI_ARGS=-no-color", "CHECKPOINT_DISABLE=1")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	output, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, &problems)
	}
	return string(output), err
}

func (w *workspace) wantNoChanges(vars ...string) {
	w.t.Helper()
	args := append([]string{"plan", "-detailed-exitcode"}, vars...)
	if output, err := w.run(append(args, w.vars...)...); err != nil {
		w.t.Errorf("a second plan wants changes: %v\n%s", err, output)
	}
}
