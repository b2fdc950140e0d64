//go:build e2e

package e2e

import (
	"path/filepath"
	"testing"

	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// TestCLI_modules is a platform engineer's way from an empty folder to a bundle, by the
// examples of the help. What they name that this machine does not have (a registry,
// folders, the published bundle) is put in its place.
func TestCLI_modules(t *testing.T) {
	t.Parallel()
	mirror, err := testenv.FindMirror()
	if err != nil {
		t.Fatal(err)
	}
	m, team, tofu := newTerminal(t), newPlatformTeam(t), openTofu(t)
	m.dir = filepath.Join(m.dir, "work")
	m.write(".gitignore", "*.kubeconfig\n")
	run := func(line string, want ...string) {
		t.Helper()
		m.run(step{who: peter, line: line, want: want, with: map[string]string{
			"/opt/providers": mirror, "/tmp/released": filepath.Join(m.dir, "released"), "/usr/local/bin/tofu": tofu,
			"registry.example.com": team.registry, "bundle build ./modules": "bundle build --from " + stage.BundleFile() + " ./modules",
			"dist/bundle.tar": stage.BundleFile(),
		}})
	}
	run("groundwork modules list", "aws-rds-postgres", "aws-s3-bucket")
	run("groundwork modules show aws-rds-postgres", "storage_gb")
	run("groundwork modules show aws-rds-postgres -o example > orders-db.yaml")
	run("grep module: orders-db.yaml", "aws-rds-postgres")
	run("groundwork modules show aws-rds-postgres -o policy > policy.json")
	run("groundwork modules show aws-s3-bucket -o schema > aws-s3-bucket.schema.json")

	run("groundwork modules new team-cache", "team-cache is there")
	run("mkdir modules && mv team-cache modules")
	run("groundwork modules new team-cache --library ~/platform/modules", "team-cache is there")
	run("groundwork modules list --library ./modules", "team-cache")
	run("groundwork modules test modules/team-cache", "team-cache")
	run("groundwork modules test modules --providers /opt/providers", "team-cache")
	run("groundwork modules docs modules")
	run("groundwork modules docs --check modules")
	run("git init --quiet && git add --all && git -c user.name=peter -c user.email=peter@example.com commit --quiet -m first && git tag v1.4.0")
	run("git worktree add /tmp/released v1.4.0 && groundwork modules test modules --previous /tmp/released/modules", "team-cache")

	run("groundwork modules new team-network --library ../network/modules", "team-network is there")
	run("groundwork bundle build ./modules -t registry.example.com/platform/bundle:1.0.0 --push", "sha256:")
	run("groundwork bundle build ./modules ../network/modules --providers /opt/providers -t bundle:dev -o bundle.tar", "sha256:")
	run("groundwork bundle build ./modules --terraform /usr/local/bin/tofu -t registry.example.com/platform/bundle:1.0.0-tofu --push", "sha256:")
	run("groundwork bundle build ./modules --from dist/bundle.tar -t bundle:dev -o bundle-dev.tar", "sha256:")
	m.wantExamples(append(m.commands("groundwork modules"), m.commands("groundwork bundle")...))
}
