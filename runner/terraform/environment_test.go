package terraform

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnvironment(t *testing.T) {
	cases := map[string]struct {
		reason string
		cfg    Config
		want   map[string]string
	}{
		"inherited": {
			"Credentials are inherited; what would change how Terraform works is not, and the runner's own settings win.",
			Config{WorkDir: "/w", Environ: []string{"AWS_SECRET_ACCESS_KEY=a=b", "TF_VAR_name=x", "TF_LOG=TRACE", "TF_CLI_ARGS_plan=-destroy", "TF_WORKSPACE=x", "HOME=/root"}},
			map[string]string{
				"AWS_SECRET_ACCESS_KEY": "a=b", "TF_CLI_CONFIG_FILE": "/w/terraform.rc", "CHECKPOINT_DISABLE": "1",
				"HOME": "/w/home", "TMPDIR": "/w/tmp", "GOGC": "400",
			},
		},
		"limited": {
			"With a memory limit Terraform and a provider stay below it together.",
			Config{WorkDir: "/w", MemoryLimit: 1000},
			map[string]string{
				"TF_CLI_CONFIG_FILE": "/w/terraform.rc", "CHECKPOINT_DISABLE": "1",
				"HOME": "/w/home", "TMPDIR": "/w/tmp", "GOGC": "400", "GOMEMLIMIT": "400",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, environment(tc.cfg)); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
