package devenv

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Ports of the AWS endpoint and of its databases on this machine; the second MySQL
// has the next port, and so on.
const (
	awsPort      = "4566"
	postgresPort = "5432"
	mysqlPort    = "3306"
)

// AWS is a running hack/awsemu.
type AWS struct {
	// URL is the endpoint, for this machine and for pods.
	URL string

	cmd  *exec.Cmd
	done chan struct{}
	dir  string
}

// Resource is something that exists at the AWS endpoint.
type Resource struct {
	Service string            `json:"service"`
	Type    string            `json:"type"`
	ID      string            `json:"id"`
	Tags    map[string]string `json:"tags"`
}

// Fault is what happens to the calls of one action: hack/awsemu/README.md.
type Fault struct {
	Action  string `json:"action"`
	Latency string `json:"latency,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Status  int    `json:"status,omitempty"`
	Times   int    `json:"times,omitempty"`
}

// startAWS builds and starts the endpoint. It ends with this process at the latest.
func (s *Stage) startAWS(ctx context.Context) error {
	ip, err := s.nodeIP(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "groundwork-aws-")
	if err != nil {
		return err
	}
	binary := filepath.Join(dir, "awsemu")
	if err := s.goTool(ctx, "build", "-C", "hack/awsemu", "-o", binary, "."); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // The database servers run as other users.
		return err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	a := &AWS{URL: "http://" + ip + ":" + awsPort, dir: dir, done: make(chan struct{})}
	a.cmd = exec.Command(binary, "--listen="+ip+":"+awsPort, "--data="+filepath.Join(dir, "data"),
		"--postgres-listen="+ip+":"+postgresPort, "--mysql-listen="+ip+":"+mysqlPort)
	a.cmd.Stdout, a.cmd.Stderr = log, log
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := a.cmd.Start(); err != nil {
		return err
	}
	go func() {
		defer close(a.done)
		_ = a.cmd.Wait() // How it ended is in its log.
	}()
	s.AWS = a
	return a.waitHealthy(ctx)
}

func (a *AWS) waitHealthy(ctx context.Context) error {
	for {
		if _, err := a.call(ctx, http.MethodGet, "/_emu/health", nil); err == nil {
			return nil
		}
		select {
		case <-a.done:
			log, _ := os.ReadFile(filepath.Join(a.dir, "log"))
			return fmt.Errorf("the AWS endpoint does not start: %s", bytes.TrimSpace(log))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Pid is the endpoint's process.
func (a *AWS) Pid() int { return a.cmd.Process.Pid }

// stop ends the endpoint and its databases, and forgets what they held.
func (a *AWS) stop() error {
	_ = a.cmd.Process.Signal(syscall.SIGTERM) // It may have ended.
	select {
	case <-a.done:
	case <-time.After(20 * time.Second):
		_ = a.cmd.Process.Kill()
		<-a.done
	}
	return os.RemoveAll(a.dir)
}

// Resources lists what exists in the account, apart from the default VPC.
func (a *AWS) Resources(ctx context.Context) ([]Resource, error) {
	body, err := a.call(ctx, http.MethodGet, "/_emu/resources", nil)
	if err != nil {
		return nil, err
	}
	var list []Resource
	return list, json.Unmarshal(body, &list)
}

// Calls lists the IAM actions that clients with an access key id have needed.
func (a *AWS) Calls(ctx context.Context, accessKey string) ([]string, error) {
	body, err := a.call(ctx, http.MethodGet, "/_emu/calls?access_key="+url.QueryEscape(accessKey), nil)
	if err != nil {
		return nil, err
	}
	var list []string
	return list, json.Unmarshal(body, &list)
}

// SetFault makes calls of an action slow or fail.
func (a *AWS) SetFault(ctx context.Context, f Fault) error {
	_, err := a.call(ctx, http.MethodPut, "/_emu/faults", f)
	return err
}

// ClearFault takes the fault of an action back.
func (a *AWS) ClearFault(ctx context.Context, action string) error {
	_, err := a.call(ctx, http.MethodDelete, "/_emu/faults?action="+action, nil)
	return err
}

// DeleteBucketTags removes a bucket's tags, behind Terraform's back.
func (a *AWS) DeleteBucketTags(ctx context.Context, bucket string) error {
	_, err := a.call(ctx, http.MethodDelete, "/"+bucket+"?tagging", nil)
	return err
}

func (a *AWS) call(ctx context.Context, method, path string, body any) ([]byte, error) {
	var payload bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&payload).Encode(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.URL+path, &payload)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, res.Status, bytes.TrimSpace(answer))
	}
	return answer, err
}
