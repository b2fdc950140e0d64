package terraform

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/groundwork-dev/groundwork/runner"
)

// Config says which Run to carry out, and where everything is.
type Config struct {
	// Run is the Run's name and namespace.
	Run types.NamespacedName
	// PodUID is the UID that takes the Run.
	PodUID types.UID
	// MemoryLimit is the container's memory limit in bytes, for messages; 0 when
	// it is not known.
	MemoryLimit int64
	// GracePeriod is how long the process lives after SIGTERM. Kubernetes' own
	// default stands in for one that the pod does not tell.
	GracePeriod time.Duration
	// RequestDir holds the request, one file per key.
	RequestDir string
	// WorkDir is writable and empty.
	WorkDir string
	// TerraformBinary is the Terraform to use.
	TerraformBinary string
	// ProvidersDir is an unpacked filesystem mirror of providers.
	ProvidersDir string
	// PolicyDirs are folders with policies beside the default set; a file in a later
	// one wins. They need not exist.
	PolicyDirs []string
	// TerminationLog is the file that kubelet reads the termination message from.
	TerminationLog string
	// MemoryEvents is the file that counts the container's processes killed for
	// want of memory, as cgroup v2 (memory.events) and v1 (memory.oom_control)
	// have it; it need not exist.
	MemoryEvents string
	// Environ is the environment that Terraform inherits, credentials included.
	Environ []string
}

// ConfigFromEnvironment returns the config of a runner in its pod. It fails when
// a variable of the contract is missing or malformed.
func ConfigFromEnvironment(environ []string) (Config, error) {
	env := environMap(environ)
	for _, name := range []string{runner.EnvRun, runner.EnvNamespace, runner.EnvPodUID} {
		if env[name] == "" {
			return Config{}, fmt.Errorf("the environment has no %s: the runner is started by a pod that the controller makes", name)
		}
	}
	limit, err := optionalInt(env, runner.EnvMemoryLimit)
	if err != nil {
		return Config{}, err
	}
	grace, err := optionalInt(env, runner.EnvGracePeriod)
	if err != nil {
		return Config{}, err
	}
	if grace == 0 {
		grace = corev1.DefaultTerminationGracePeriodSeconds
	}
	return Config{
		Run:             types.NamespacedName{Namespace: env[runner.EnvNamespace], Name: env[runner.EnvRun]},
		PodUID:          types.UID(env[runner.EnvPodUID]),
		MemoryLimit:     limit,
		GracePeriod:     time.Duration(grace) * time.Second,
		RequestDir:      runner.RequestDir,
		WorkDir:         runner.WorkDir,
		TerraformBinary: runner.TerraformBinary,
		ProvidersDir:    runner.ProvidersDir,
		PolicyDirs:      []string{runner.PoliciesDir, runner.PoliciesConfigDir},
		TerminationLog:  "/dev/termination-log",
		MemoryEvents:    memoryEvents("/sys/fs/cgroup"),
		Environ:         environ,
	}, nil
}

// waitDelay is how long Terraform may take to stop before it is killed: the
// grace period but for what the runner needs to say how it ended.
func (c Config) waitDelay() time.Duration {
	const reserve = 20 * time.Second
	return max(c.GracePeriod-reserve, c.GracePeriod/2)
}

// lifetime is how long the runner itself goes on after SIGTERM.
func (c Config) lifetime() time.Duration {
	const reserve = 2 * time.Second
	return max(c.GracePeriod-reserve, 0)
}

func optionalInt(env map[string]string, name string) (int64, error) {
	if env[name] == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(env[name], 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("the environment variable %s is %q: want a number, 0 or more", name, env[name])
	}
	return n, nil
}

func environMap(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	return env
}

// path joins the working directory with elements.
func (c Config) path(elem ...string) string {
	return filepath.Join(append([]string{c.WorkDir}, elem...)...)
}
