//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// The people of TestCLI: anna of the app team has edit in the namespace shop, peter of the
// platform team the chart's roles.
const (
	anna  = "anna"
	peter = "peter"
)

// terminal runs command lines as somebody, in a folder of its own.
type terminal struct {
	*testing.T
	dir string
	env []string
	// lines are those that were run, as the help has them, by who ran them.
	lines map[string][]string
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	cli.once.Do(buildCLI)
	if cli.err != nil {
		t.Fatal(cli.err)
	}
	path, err := stage.ToolPath(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	path = cli.dir + ":" + path
	if servers, _ := filepath.Glob("/usr/lib/postgresql/*/bin"); len(servers) > 0 {
		path = servers[0] + ":" + path // Debian has psql there.
	}
	dir := t.TempDir()
	return &terminal{T: t, dir: dir, env: append(os.Environ(), "HOME="+dir, "PATH="+path), lines: map[string][]string{}}
}

// kubeconfig writes one for a person.
func (m *terminal) kubeconfig(who string) string {
	m.Helper()
	config, err := clientcmd.LoadFromFile(stage.Kubeconfig)
	if err != nil {
		m.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate = who
	}
	file := filepath.Join(m.dir, who+".kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		m.Fatal(err)
	}
	return file
}

// write writes a file into the folder.
func (m *terminal) write(name, content string) {
	m.Helper()
	file := filepath.Join(m.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o600)); err != nil {
		m.Fatal(err)
	}
}

// step is a command line, and what is to come of it.
type step struct {
	who  string
	line string
	// with replaces what stands for something in the line, such as a plan's id.
	with map[string]string
	// input is typed at a terminal.
	input string
	code  int
	// want are parts of all that it prints.
	want []string
}

// run runs a command line with bash.
func (m *terminal) run(s step) string {
	m.Helper()
	m.lines[s.who] = append(m.lines[s.who], s.line)
	var replaced []string
	for placeholder, value := range s.with {
		replaced = append(replaced, placeholder, value)
	}
	line := strings.NewReplacer(replaced...).Replace(s.line) // in one pass: a value can hold another's placeholder
	cmd := exec.CommandContext(m.Context(), "bash", "-c", line)
	if s.input != "" {
		cmd = exec.CommandContext(m.Context(), "script", "--quiet", "--return", "--command", line, os.DevNull)
		cmd.Stdin = strings.NewReader(s.input)
	}
	cmd.Dir = m.dir
	cmd.Env = slices.Concat(m.env, []string{"KUBECONFIG=" + m.kubeconfig(s.who)})
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		m.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != s.code {
		m.Errorf("%s: %s\nexit code %d, want %d\n%s", s.who, line, code, s.code, out)
	}
	for _, part := range s.want {
		if !strings.Contains(string(out), part) {
			m.Errorf("%s: %s\nwant %q in\n%s", s.who, line, part, out)
		}
	}
	return string(out)
}

// command is what the help says of a command.
type command struct {
	path     string
	examples []string
}

var subcommand = regexp.MustCompile(`^  ([a-z]+) +\S`)

// commands are those with examples, as the help has them, from a path on; those of other
// leave the cluster alone.
func (m *terminal) commands(path string, other ...string) []command {
	m.Helper()
	cmd := exec.CommandContext(m.Context(), "bash", "-c", path+" --help")
	cmd.Env = m.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.Fatalf("%s --help: %v\n%s", path, err, out)
	}
	var found []command
	section, c := "", command{path: path}
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		sub := subcommand.FindStringSubmatch(line)
		switch {
		case !strings.HasPrefix(line, " "):
			section = line
		case section == "Examples:":
			c.examples = append(c.examples, strings.TrimSpace(line))
		case strings.HasSuffix(section, "Commands:") && sub != nil && !slices.Contains(other, sub[1]):
			found = append(found, m.commands(path+" "+sub[1], other...)...)
		}
	}
	if len(c.examples) > 0 {
		found = append(found, c)
	}
	return found
}

// wantExamples makes sure that each example was run by somebody.
func (m *terminal) wantExamples(commands []command) {
	m.Helper()
	for _, c := range commands {
		for _, example := range c.examples {
			if !slices.Contains(m.lines[anna], example) && !slices.Contains(m.lines[peter], example) {
				m.Errorf("nobody has run the example %q of %s", example, c.path)
			}
		}
	}
}

// wantEverybody makes sure that each command was run by both people.
func (m *terminal) wantEverybody(commands []command) {
	m.Helper()
	if len(commands) < 15 {
		m.Errorf("found only %d commands in the help: %v", len(commands), commands)
	}
	for _, c := range commands {
		for who, lines := range m.lines {
			if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, c.path+" ") }) {
				m.Errorf("%s has not run %s", who, c.path)
			}
		}
	}
}

// bindPeople gives anna and peter their roles.
func bindPeople(t *testing.T, namespace string) {
	t.Helper()
	subject := func(who string) []rbacv1.Subject {
		return []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: who}}
	}
	for _, binding := range []client.Object{
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "app-team"}, Subjects: subject(anna),
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "e2e-platform"}, Subjects: subject(peter),
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "groundwork-platform"},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: "e2e-operator"}, Subjects: subject(peter),
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "groundwork-operator"},
		},
	} {
		if err := stage.Client.Create(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := stage.Client.Delete(context.Background(), binding); client.IgnoreNotFound(err) != nil {
				t.Error(err)
			}
		})
	}
}

// TestCLI takes a database from the first plan to its end, on the command line: every
// command as app team and as platform engineer, every example of the help.
func TestCLI(t *testing.T) {
	t.Parallel()
	needsOwnCluster(t, "the examples' namespace shop may be somebody's")
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	if err := stage.Client.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stage.Client.Delete(context.Background(), ns); client.IgnoreNotFound(err) != nil {
			t.Error(err)
		}
	})
	bindPeople(t, ns.Name)
	m := newTerminal(t)
	infra := newInfra(t, ns.Name, "orders-db", "aws-rds-postgres",
		map[string]any{"name": "cli-orders", "storage_gb": 20, "final_snapshot": false, "deletion_protection": false},
		func(i *v1alpha1.Infrastructure) {
			i.Spec.Outputs.Templates = map[string]string{
				"DATABASE_URL": "postgresql://{{ .username }}:{{ .password | urlquery }}@{{ .host }}:{{ .port }}/{{ .database }}",
			}
		})
	m.planIt(infra)
	if err := stage.Client.Create(t.Context(), infra); err != nil {
		t.Fatal(err)
	}
	m.run(step{who: anna, line: "groundwork watch orders-db -n shop", want: []string{"aws_db_subnet_group.this: created after", "aws_db_instance.this: creating", "Ready is True"}})
	m.look(infra)
	m.answer(infra)
	m.state(infra)

	if err := stage.Client.Delete(t.Context(), infra); err != nil {
		t.Fatal(err)
	}
	m.run(step{who: anna, line: "groundwork wait orders-db -n shop --for gone"})
	m.run(step{who: peter, line: "groundwork get -n shop", want: []string{"There is no Infrastructure in namespace shop."}})
	commands := m.commands("groundwork", "modules", "bundle", "completion", "help")
	m.wantExamples(commands)
	m.wantEverybody(commands)
}

// planIt plans the object before it is there.
func (m *terminal) planIt(infra *v1alpha1.Infrastructure) {
	m.Helper()
	object := map[string]any{
		"apiVersion": v1alpha1.GroupVersion().String(), "kind": "Infrastructure",
		"metadata": map[string]any{"name": infra.Name}, "spec": infra.Spec,
	}
	text, err := yaml.Marshal(object)
	if err != nil {
		m.Fatal(err)
	}
	m.write("orders-db.yaml", string(text))
	m.write("chart/Chart.yaml", "apiVersion: v2\nname: orders\nversion: 1.0.0\n")
	m.write("chart/templates/infrastructure.yaml", string(text))
	m.write("chart/templates/other.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n")
	m.run(step{who: anna, line: "groundwork plan -f orders-db.yaml -n shop", want: []string{"# aws_db_instance.this will be created", "cli-orders"}})
	m.run(step{who: anna, line: "helm template orders ./chart | groundwork plan -f - -n shop --exit-code", code: 6, want: []string{"# aws_db_instance.this will be created"}})
}

// look looks at the object, which is Ready.
func (m *terminal) look(infra *v1alpha1.Infrastructure) {
	m.Helper()
	both := func(line string, want ...string) {
		m.Helper()
		for _, who := range []string{anna, peter} {
			m.run(step{who: who, line: line, want: want})
		}
	}
	both("groundwork get -n shop", "orders-db", "aws-rds-postgres", "True")
	both("groundwork get orders-db -n shop -o yaml", "kind: Infrastructure", "storage_gb: 20")
	m.run(step{who: peter, line: "groundwork get -A -o wide", want: []string{"shop", "orders-db", "VERSION"}})
	m.run(step{who: anna, line: "groundwork get -A -o wide", code: 1, want: []string{"you (anna) may not list infrastructures"}})
	both("groundwork describe orders-db -n shop", "Ready:", "InSync", "DATABASE_URL", "Last runs:")
	both("groundwork wait orders-db -n shop --timeout 15m", "orders-db is ready.")
	m.run(step{who: peter, line: "groundwork watch orders-db -n shop", want: []string{"Ready is True"}})
	m.run(step{who: peter, line: "groundwork wait orders-db -n shop --for gone --timeout 1s", code: 3})
	m.run(step{who: anna, line: "groundwork outputs orders-db -n shop", want: []string{"DATABASE_URL", "(hidden)"}})
	m.run(step{who: peter, line: "groundwork outputs orders-db -n shop", want: []string{"DATABASE_URL", "(hidden)"}})
	m.run(step{who: peter, line: "groundwork outputs orders-db DATABASE_URL --show -n shop", code: 1, want: []string{"you (peter) may not get secrets in namespace shop"}})
	get(m.T, infra)
	url := outputs(m.T, infra)["DATABASE_URL"]
	for _, who := range []string{anna, peter} {
		if out := m.run(step{who: who, line: "groundwork get orders-db -n shop -o yaml"}); strings.Contains(out, url) {
			m.Errorf("%s sees the value of an output without asking", who)
		}
	}
	psql := `psql "$(groundwork outputs orders-db DATABASE_URL --show -n shop)"`
	m.run(step{who: anna, line: psql})
	m.run(step{who: anna, line: psql + ` --command "SELECT 6 * 7"`, want: []string{"42"}})

	both("groundwork history orders-db -n shop", "Apply", "Succeeded")
	m.run(step{who: peter, line: "groundwork history orders-db -n shop -o json", want: []string{`"trigger": "Change"`}})
	m.run(step{who: anna, line: "groundwork history orders-db -n shop -o json", want: []string{"the last five", "you may not list runs"}})
	m.run(step{who: peter, line: "groundwork logs orders-db -n shop -f", want: []string{"aws_db_instance.this: Creation complete", "Succeeded"}})
	m.run(step{who: anna, line: "groundwork logs orders-db -n shop -f", code: 1, want: []string{"you (anna) may not", "in namespace " + devenv.Namespace}})
	m.run(step{who: anna, line: "groundwork plan orders-db -n shop", want: []string{"No changes"}})
	m.run(step{who: peter, line: "groundwork plan orders-db -n shop", code: 1, want: []string{"you (peter) may not create previews in namespace shop"}})
}

// answer asks for changes and runs, approves, cancels and suspends.
func (m *terminal) answer(infra *v1alpha1.Infrastructure) {
	m.Helper()
	grow := func(gigabytes int, approval v1alpha1.ApprovalMode) {
		m.Helper()
		update(m.T, infra, func(i *v1alpha1.Infrastructure) {
			i.Spec.Approval = approval
			i.Spec.Variables["storage_gb"] = values(m.T, map[string]any{"": gigabytes})[""]
		})
	}
	grow(30, v1alpha1.ApprovalManual)
	m.run(step{who: anna, line: "groundwork wait orders-db -n shop", code: 5})
	m.run(step{who: anna, line: "groundwork describe orders-db -n shop", want: []string{"What to do: Look at the plan; then approve it: groundwork approve orders-db -n shop", "allocated_storage"}})
	m.run(step{who: anna, line: "groundwork approve orders-db -n shop", code: 2, want: []string{"--yes"}})
	m.run(step{who: anna, line: "groundwork approve orders-db -n shop", input: "y\n", want: []string{"allocated_storage"}})
	m.run(step{who: anna, line: "groundwork wait orders-db -n shop"})
	m.run(step{who: peter, line: "groundwork logs orders-db shop-orders-db-fpghkjfxwspjeqnx-3 -n shop", want: []string{"Modifications complete", "Succeeded"}})
	grow(40, v1alpha1.ApprovalManual)
	id := waitsForApproval(m.T, infra, "")
	m.run(step{who: peter, line: "groundwork approve orders-db 5d1f0c22a9 -n shop --yes --wait", with: map[string]string{"5d1f0c22a9": id}})
	if got := m.run(step{who: anna, line: "groundwork get orders-db -n shop -o yaml"}); !strings.Contains(got, id+" peter") {
		m.Errorf("who has approved %s is not noted in\n%s", id, got)
	}

	for i, who := range []string{anna, peter} {
		grow(50+10*i, v1alpha1.ApprovalAuto)
		eventually(m.T, time.Minute, "a run is under way", func(context.Context) (bool, string) {
			get(m.T, infra)
			return infra.Status.Run != nil && infra.Status.Run.Phase != v1alpha1.RunPending, fmt.Sprintf("%+v", infra.Status.Run)
		})
		m.run(step{who: who, line: "groundwork cancel orders-db -n shop"})
		waitCondition(m.T, infra, 2*time.Minute, v1alpha1.ConditionStalled, v1alpha1.ReasonCancelled)
		m.run(step{who: who, line: "groundwork wait orders-db -n shop", code: 4})
		m.run(step{who: who, line: "groundwork reconcile orders-db -n shop --wait"})
	}
	for _, who := range []string{anna, peter} {
		m.run(step{who: who, line: "groundwork suspend orders-db -n shop"})
		if get(m.T, infra); !infra.Spec.Suspend {
			m.Errorf("%s has not suspended it", who)
		}
		m.run(step{who: who, line: "groundwork resume orders-db -n shop"})
		if get(m.T, infra); infra.Spec.Suspend {
			m.Errorf("%s has not resumed it", who)
		}
	}
	m.run(step{who: anna, line: "groundwork wait orders-db -n shop"})
}

// state looks at the state, unlocks it and puts earlier ones back.
func (m *terminal) state(infra *v1alpha1.Infrastructure) {
	m.Helper()
	database := []string{"aws_db_instance.this"}
	m.run(step{who: peter, line: "groundwork state list orders-db -n shop", want: database})
	m.run(step{who: peter, line: "groundwork state show orders-db aws_db_instance.this -n shop", want: []string{"engine: postgres", "password: (sensitive)"}})
	m.run(step{who: peter, line: "groundwork state show orders-db aws_db_instance.this -n shop -o json", want: []string{`"engine": "postgres"`}})
	m.run(step{who: peter, line: "groundwork state history orders-db -n shop", want: []string{"SERIAL"}})
	var copies []struct {
		Serial int64 `json:"serial"`
	}
	out := m.run(step{who: peter, line: "groundwork state history orders-db -n shop -o json"})
	if err := json.Unmarshal([]byte(out), &copies); err != nil || len(copies) != 3 {
		m.Fatalf("want the last three states, got %v\n%s", err, out)
	}
	lockByHand(m.T, infra)
	older := map[string]string{" 12 ": " " + strconv.FormatInt(copies[1].Serial, 10) + " "}
	m.run(step{who: peter, line: "groundwork state restore orders-db 12 -n shop", with: older, input: "y\n", code: 1, want: []string{"ada@workstation"}})
	m.run(step{who: peter, line: "groundwork state unlock orders-db -n shop", input: "y\n", want: []string{"ada@workstation", "is released"}})
	m.run(step{who: peter, line: "groundwork state restore orders-db 12 -n shop --yes", with: older})
	m.run(step{who: peter, line: "groundwork state restore orders-db -n shop", input: "y\n"})
	m.run(step{who: peter, line: "groundwork reconcile orders-db -n shop --wait"})
	for _, verb := range []string{"list orders-db", "show orders-db aws_db_instance.this", "history orders-db", "unlock orders-db", "restore orders-db --yes"} {
		m.run(step{who: anna, line: "groundwork state " + verb + " -n shop", code: 1, want: []string{"you (anna) may not", "in namespace " + devenv.Namespace}})
	}
}
