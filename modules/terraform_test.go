package modules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// declarations are bodies of variable blocks.
func declarations() []string {
	bodies := []string{
		"",
		"type = number\n default = 7\n nullable = false",
		"type = string\n nullable = false",
		"type = list(string)\n default = [\"d\"]\n nullable = false",
		"type = object({ a = optional(number, 1) })\n default = {}\n nullable = false",
	}
	for _, ty := range []string{
		"any", "string", "number", "bool",
		"list", "map", "list(any)", "list(string)", "list(number)", "list(list(string))",
		"set(any)", "set(string)", "set(number)", "set(object({ a = optional(string, \"x\") }))",
		"map(any)", "map(string)", "map(number)", "map(list(bool))",
		"tuple([])", "tuple([string, number])", "tuple([any, object({ a = optional(number, 2) })])",
		"object({})", "object({ a = string })", "object({ a = any })", "object({ a = number, b = bool })",
		"object({ a = optional(string) })", "object({ a = optional(number, 5), b = optional(bool) })",
		"object({ a = optional(object({ b = optional(string, \"in\") }), {}) })",
		"list(object({ a = number, b = optional(list(string), [\"x\"]) }))",
		"map(object({ a = optional(map(number), { k = 1 }) }))",
	} {
		bodies = append(bodies, "type = "+ty)
	}
	return bodies
}

// jsonValues are values as a user may write them.
func jsonValues() []string {
	return []string{
		`null`, `true`, `false`, `"true"`, `"false"`, `"True"`, `"1"`, `"0"`, `"yes"`, `""`, `"a"`, `" 1"`, `"1e3"`, `"0x10"`, `"${1}"`, `"é"`,
		`0`, `-0`, `1`, `-1.5`, `0.1`, `1e3`, `1E-7`, `12345678901234567890`, `100000000000000000000`, `0.12345678901234567890123456789`, `1e400`,
		`"12345678901234567890"`, `"0.1000"`, `"1e400"`,
		`[]`, `["a"]`, `[1]`, `[2, 1, 1, "2"]`, `["a", 1]`, `[true, "false"]`, `[null]`, `["a", null]`, `[[]]`, `[["a"], [1]]`, `[["a"], "b"]`, `[{}]`, `[{"a": 1}, {"b": 2}]`, `[{"a": 1}, {"a": "x"}]`, `[1, {"a": "3"}]`, `[1, {}]`,
		`{}`, `{"a": 1}`, `{"a": "1"}`, `{"a": "x"}`, `{"a": null}`, `{"a": true, "b": 1}`, `{"a": 1, "b": "true"}`, `{"a": 1, "b": "x", "c": [1]}`, `{"b": true}`, `{"a": {}}`, `{"a": {"b": 1}}`, `{"a": {"b": null}}`, `{"a": []}`, `{"a": ["true", false]}`, `{"a": {"a": {"k": 2}}, "b": {}}`, `{"a b": 1, "ü": 2}`, `{"a": [1, "2"]}`,
	}
}

// pair is a declaration and a value for it.
type pair struct {
	declaration, value string
	ours               cty.Value // what we convert the value to
	tfvar              json.RawMessage
	err                error
}

// pairs is the table: each declaration with each value, by variable name.
func pairs(t *testing.T) map[string]*pair {
	t.Helper()
	all := map[string]*pair{}
	for _, declaration := range declarations() {
		m := loadModule(t, block("v", declaration))
		for _, value := range jsonValues() {
			p := &pair{declaration: declaration, value: value}
			var tfvars json.RawMessage
			if tfvars, p.err = m.Inputs(map[string]Input{"v": given("v", value)}); p.err == nil {
				p.ours, _ = m.Variables[0].input(given("v", value))
				p.tfvar = only(t, tfvars)
			}
			all[fmt.Sprintf("v%04d", len(all))] = p
		}
	}
	return all
}

func block(name, body string) string { return fmt.Sprintf("variable %q {\n %s\n}\n", name, body) }

// only returns the one value of an object.
func only(t testing.TB, b []byte) json.RawMessage {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal(b, &object); err != nil || len(object) != 1 {
		t.Fatalf("%s is not an object with one value: %v", b, err)
	}
	for _, value := range object {
		return value
	}
	return nil
}

// TestModule_Inputs_terraform gives the whole table to Terraform: what it accepts
// is accepted, with the same value, and what it refuses is refused. Our
// conversion's result, given to Terraform, is that value again.
func TestModule_Inputs_terraform(t *testing.T) {
	all := pairs(t)
	terraform := testenv.Terraform(t)
	refused := map[string]bool{}
	// Terraform's time grows with the square of the number of variables.
	for names := range slices.Chunk(slices.Sorted(maps.Keys(all)), 200) {
		maps.Copy(refused, terraformRefuses(t, terraform, all, names))
	}
	accepted := map[string]*pair{}
	for name, p := range all {
		if refused[name] != (p.err != nil) {
			t.Errorf("variable with %q, value %s: Terraform refuses it: %v; we: %v", p.declaration, p.value, refused[name], p.err)
		}
		if !refused[name] && p.err == nil {
			accepted[name] = p
		}
	}
	t.Logf("%d pairs of a type and a value, %d accepted", len(all), len(accepted))
	if len(accepted) < len(all)/10 || len(accepted) > len(all)*9/10 {
		t.Errorf("Terraform accepts %d of %d pairs; the table should have plenty of both", len(accepted), len(all))
	}
	theirs := terraformValues(t, terraform, accepted)
	for name, p := range accepted {
		if got := theirs[name]; !got.RawEquals(p.ours) {
			t.Errorf("variable with %q, value %s: Terraform has %#v, we have %#v", p.declaration, p.value, got, p.ours)
		}
		if got := theirs["w"+name]; !got.RawEquals(p.ours) {
			t.Errorf("variable with %q, value %s: of our %s Terraform makes %#v, we have %#v", p.declaration, p.value, p.tfvar, got, p.ours)
		}
	}
}

// terraformRefuses returns those of the variables whose values Terraform refuses
// in one plan.
func terraformRefuses(t *testing.T, terraform string, all map[string]*pair, names []string) map[string]bool {
	t.Helper()
	var tf strings.Builder
	values := map[string]json.RawMessage{}
	for _, name := range names {
		tf.WriteString(block(name, all[name].declaration))
		values[name] = json.RawMessage(all[name].value)
	}
	out := runTerraform(t, terraform, tf.String(), values, "plan", "-json", "-input=false")
	refused := map[string]bool{}
	variable := regexp.MustCompile(`var\.(v\d{4})\b`)
	for line := range bytes.Lines(out) {
		var message struct {
			Diagnostic struct{ Severity, Summary, Detail string }
		}
		if err := json.Unmarshal(line, &message); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		d := message.Diagnostic
		if d.Severity != "error" {
			continue
		}
		name := variable.FindStringSubmatch(d.Detail)
		if name == nil {
			t.Fatalf("an error that names no variable: %s: %s", d.Summary, d.Detail)
		}
		refused[name[1]] = true
	}
	return refused
}

// terraformValues returns what Terraform makes of the users' values, and, with a
// "w" before the name, of our conversions' results, in one apply.
func terraformValues(t *testing.T, terraform string, accepted map[string]*pair) map[string]cty.Value {
	t.Helper()
	var tf strings.Builder
	values := map[string]json.RawMessage{}
	for name, p := range accepted {
		for twin, value := range map[string]json.RawMessage{name: json.RawMessage(p.value), "w" + name: p.tfvar} {
			tf.WriteString(block(twin, p.declaration))
			// An output that is null itself is not kept.
			fmt.Fprintf(&tf, "output %q {\n value = { v = var.%s }\n}\n", twin, twin)
			values[twin] = value
		}
	}
	out := runTerraform(t, terraform, tf.String(), values, "apply", "-json", "-input=false", "-auto-approve")
	result := map[string]cty.Value{}
	for line := range bytes.Lines(out) {
		var message struct {
			Type    string `json:"type"`
			Outputs map[string]struct {
				Type  json.RawMessage `json:"type"`
				Value json.RawMessage `json:"value"`
			} `json:"outputs"`
		}
		if err := json.Unmarshal(line, &message); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if message.Type != "outputs" {
			continue
		}
		for name, o := range message.Outputs {
			if o.Value == nil {
				continue // the plan's outputs come first, without values
			}
			ty, err := ctyjson.UnmarshalType(o.Type)
			if err != nil {
				t.Fatalf("output %s: %v", name, err)
			}
			value, err := ctyjson.Unmarshal(o.Value, ty)
			if err != nil {
				t.Fatalf("output %s: %v", name, err)
			}
			result[name] = value.GetAttr("v")
		}
	}
	if len(result) != len(values) {
		t.Fatalf("Terraform printed %d outputs, want %d:\n%.2000s", len(result), len(values), out)
	}
	return result
}

// runTerraform runs a command on a root module in a folder of its own and returns
// what it prints, whether or not it fails.
func runTerraform(t *testing.T, terraform, tf string, values map[string]json.RawMessage, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	var tfvars bytes.Buffer
	separator := "{"
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&tfvars, "%s\n%q: %s", separator, name, values[name])
		separator = ","
	}
	tfvars.WriteString("\n}\n")
	for name, content := range map[string][]byte{"main.tf": []byte(tf), "terraform.tfvars.json": tfvars.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), terraform, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out
}
