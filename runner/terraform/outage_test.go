package terraform

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// outage is how long the API server is away: longer than Terraform waits between
// two writes of its state (20 s).
const outage = 30 * time.Second

// TestRunner_Run_outage stops the API server while three runs apply, and starts
// it again.
func TestRunner_Run_outage(t *testing.T) {
	server := startStoppable(t)
	cases := map[string]struct {
		reason    string
		steps     []int
		want      v1alpha1.RunReason
		resources int
		late      bool
	}{
		"middle": {
			"An apply that does not need the API server meanwhile does not notice.",
			[]int{35, 0}, v1alpha1.RunReasonSucceeded, 2, false,
		},
		"write": {
			"An apply that cannot write its state in between stops; what it has made is saved.",
			[]int{3, 21, 60}, v1alpha1.RunReasonApplyFailed, 2, true,
		},
		"end": {
			"An apply that ends meanwhile has its state saved once the API server is back.",
			[]int{4, 0}, v1alpha1.RunReasonSucceeded, 2, true,
		},
	}
	var applying, finished sync.WaitGroup
	for name, tc := range cases {
		f := newFixture(t, server.config, server.kubeconfig)
		cfg := f.run(name, f.request(steps(tc.steps...)))
		applying.Add(1)
		finished.Go(func() {
			o := f.execute(t.Context(), cfg, when("Provisioning with", applying.Done))
			f.wantReason(o, tc.want)
			if got := f.addresses(); len(got) != tc.resources {
				t.Errorf("%s: %s\nwant %d resources in the state, got %s", name, tc.reason, tc.resources, got)
			}
			if id := f.lockHolder(); id != "" {
				t.Errorf("%s: %s\nthe lock %s is still held", name, tc.reason, id)
			}
			if late := strings.Contains(o.run.Status.Message, "saved late"); late != tc.late {
				t.Errorf("%s: %s\nwant late %v, got the message %q", name, tc.reason, tc.late, o.run.Status.Message)
			}
			if _, err := os.Stat(cfg.path(moduleDir, erroredState)); (err == nil) != tc.late {
				t.Errorf("%s: %s\nwant %s there: %v, got %v", name, tc.reason, erroredState, tc.late, err)
			}
		})
	}
	applying.Wait()
	server.stop(t)
	time.Sleep(outage)
	server.start(t)
	finished.Wait()
}

// steps returns a module whose resources are made one after the other and take so
// many seconds.
func steps(seconds ...int) map[string]string {
	var main strings.Builder
	for i, n := range seconds {
		fmt.Fprintf(&main, `
resource "terraform_data" "step_%d" {
  depends_on = [%s]
  provisioner "local-exec" {
    interpreter = ["env", "sleep"]
    command     = %d
  }
}
`, i, previous(i), n)
	}
	return map[string]string{"main.tf": main.String()}
}

func previous(i int) string {
	if i == 0 {
		return ""
	}
	return fmt.Sprintf("terraform_data.step_%d", i-1)
}

// stoppable is an API server that keeps its address, certificates and data when
// it is stopped and started again.
type stoppable struct {
	env        *envtest.Environment
	config     *rest.Config
	kubeconfig string
}

func startStoppable(t *testing.T) *stoppable {
	t.Helper()
	s := &stoppable{env: &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "deploy", "chart", "files", "crds")},
		ErrorIfCRDPathMissing: true,
	}}
	s.env.ControlPlane.GetAPIServer().CertDir = t.TempDir()
	var err error
	if s.config, err = s.env.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.env.Stop(); err != nil {
			t.Error(err)
		}
	})
	s.kubeconfig = filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(s.kubeconfig, s.env.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stoppable) stop(t *testing.T) {
	t.Helper()
	if err := s.env.ControlPlane.GetAPIServer().Stop(); err != nil {
		t.Fatal(err)
	}
}

func (s *stoppable) start(t *testing.T) {
	t.Helper()
	if err := s.env.ControlPlane.GetAPIServer().Start(); err != nil {
		t.Fatal(err)
	}
}
