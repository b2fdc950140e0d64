package terraform

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/groundwork-dev/groundwork/runner"
)

func TestConfigFromEnvironment(t *testing.T) {
	contract := []string{runner.EnvRun + "=r", runner.EnvNamespace + "=n", runner.EnvPodUID + "=u"}
	type result struct {
		Run           types.NamespacedName
		PodUID        types.UID
		MemoryLimit   int64
		GracePeriod   time.Duration
		Terraform     time.Duration
		RunnerTotally time.Duration
	}
	base := result{
		Run: types.NamespacedName{Namespace: "n", Name: "r"}, PodUID: "u",
		GracePeriod: 30 * time.Second, Terraform: 15 * time.Second, RunnerTotally: 28 * time.Second,
	}
	full := base
	full.MemoryLimit, full.GracePeriod, full.Terraform, full.RunnerTotally = 1<<30, 600*time.Second, 580*time.Second, 598*time.Second
	cases := map[string]struct {
		reason  string
		environ []string
		want    result
		wantErr bool
	}{
		"minimal": {"Limits are optional; of a short grace period Terraform gets half.", contract, base, false},
		"full":    {"Terraform ends in time for the runner to say so.", append(contract[:3:3], runner.EnvMemoryLimit+"=1073741824", runner.EnvGracePeriod+"=600"), full, false},
		"missing": {"The run must be named.", contract[1:], result{}, true},
		"number":  {"A limit is a number.", append(contract[:3:3], runner.EnvMemoryLimit+"=1Gi"), result{}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cfg, err := ConfigFromEnvironment(tc.environ)
			if (err != nil) != tc.wantErr {
				t.Fatalf("%s\nwant an error: %v, got %v", tc.reason, tc.wantErr, err)
			}
			got := result{cfg.Run, cfg.PodUID, cfg.MemoryLimit, cfg.GracePeriod, cfg.waitDelay(), cfg.lifetime()}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestOOMKills(t *testing.T) {
	cases := map[string]struct {
		reason, content string
		want            int
	}{
		"v2":     {"cgroup v2 counts in memory.events.", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n", 2},
		"v1":     {"cgroup v1 counts in memory.oom_control.", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", 1},
		"silent": {"An old kernel does not count.", "oom_kill_disable 0\nunder_oom 0\n", 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "events")
			if err := os.WriteFile(file, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := oomKills(file); got != tc.want {
				t.Errorf("%s\nwant %d, got %d", tc.reason, tc.want, got)
			}
		})
	}
	if got := oomKills("/nonexistent"); got != 0 {
		t.Errorf("want 0 without a file, got %d", got)
	}
}
