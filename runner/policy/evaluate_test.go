package policy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func load(t *testing.T, files map[string]string) *Policies {
	t.Helper()
	p, err := Load(source(files))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicies_Evaluate(t *testing.T) {
	cases := map[string]struct {
		files map[string]string
		plan  string
		want  Findings
	}{
		"Results are strings or objects, sorted by address, and each told once.": {
			files: map[string]string{
				"b.rego": says("deny", "the plan") + "deny contains {\"msg\": \"twice\", \"address\": \"b\", \"n\": n} if some n in [1, 2]\n",
				"a.rego": "package main\n\nwarn contains {\"msg\": \"a\", \"address\": input.address, \"severity\": \"low\"}\n\nwarn_c contains \"c\"\n",
			},
			plan: `{"address": "x"}`,
			want: Findings{
				Denials:  []Finding{{"b", "", "the plan"}, {"b", "b", "twice"}},
				Warnings: []Finding{{"c", "", "c"}, {"a", "x", "a"}},
			},
		},
		"Each result is known by its file.": {
			files: map[string]string{"a.rego": says("deny", "a"), "b.rego": says("deny", "b")},
			want:  Findings{Denials: []Finding{{"a", "", "a"}, {"b", "", "b"}}},
		},
		"A rule may ask for the results of all files.": {
			files: map[string]string{
				"a.rego": says("deny", "a"), "b.rego": says("deny", "b"),
				"c.rego": "package main\n\nwarn contains sprintf(\"%d denials\", [count(deny)])\n",
			},
			want: Findings{Denials: []Finding{{"a", "", "a"}, {"b", "", "b"}}, Warnings: []Finding{{"c", "", "2 denials"}}},
		},
		"An exception takes away the rule that it names, as in conftest.": {
			files: map[string]string{
				"a.rego": says("deny_a", "a"), "b.rego": says("deny_b", "b"), "c.rego": says("deny", "c"),
				"exceptions.rego": "package main\n\nexception contains [\"a\"] if input.name == \"shop\"\n\nexception contains [\"\"] if input.name == \"none\"\n",
			},
			plan: `{"name": "shop"}`,
			want: Findings{Denials: []Finding{{"b", "", "b"}, {"c", "", "c"}}},
		},
		"An exception without a name is for the rules without.": {
			files: map[string]string{
				"a.rego": says("deny_a", "a"), "c.rego": says("warn", "c"),
				"exceptions.rego": "package main\n\nexception contains [\"\"]\n",
			},
			want: Findings{Denials: []Finding{{"a", "", "a"}}},
		},
		"What is printed goes nowhere.": {
			files: map[string]string{"a.rego": "package main\n\ndeny contains \"a\" if print(input)\n"},
			want:  Findings{Denials: []Finding{{"a", "", "a"}}},
		},
		"A rule that does not hold says nothing.": {
			files: map[string]string{"a.rego": "package main\n\ndeny contains \"a\" if input.gone.a == 1\n"},
		},
		"No policy has nothing against it.": {files: map[string]string{}, plan: "not looked at"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.plan == "" {
				c.plan = "{}"
			}
			got, err := load(t, c.files).Evaluate(t.Context(), []byte(c.plan))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

func TestPolicies_Evaluate_bounded(t *testing.T) {
	p := load(t, map[string]string{"a.rego": "package main\n\ndeny contains sprintf(\"%03d\", [n]) if some n in numbers.range(1, 50)\n\nwarn contains sprintf(\"%03d\", [n]) if some n in numbers.range(1, 21)\n"})
	f, err := p.Evaluate(t.Context(), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%d %d %d %d %s", len(f.Denials), f.MoreDenials, len(f.Warnings), f.MoreWarnings, f.Denials[19].Message)
	if want := "20 30 20 1 020"; got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}

func TestPolicies_Evaluate_faults(t *testing.T) {
	const unsaid = "policy a.rego: the rule deny gives a result without a message"
	cases := map[string]struct{ text, plan, want string }{
		"A result that is a number.":        {"package main\n\ndeny contains 1\n", "{}", unsaid},
		"A result without a message.":       {"package main\n\ndeny contains {\"message\": \"a\"}\n", "{}", unsaid},
		"A message that is empty.":          {says("deny", " "), "{}", unsaid},
		"Rules that contradict themselves.": {says("deny", "a") + "x := 1 if input\n\nx := 2 if input\n\ndeny contains x\n", "{}", "a.rego"},
		"A plan that is no JSON.":           {says("deny", "a"), `{"password": "hunter2`, "the plan is not JSON"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, map[string]string{"a.rego": c.text}).Evaluate(t.Context(), []byte(c.plan))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

// A policy that takes for ever ends with the context, which says why.
func TestPolicies_Evaluate_ends(t *testing.T) {
	p := load(t, map[string]string{"a.rego": `package main

deny contains "a" if {
	some a in numbers.range(1, 100000)
	some b in numbers.range(1, 100000)
	a * b < 0
}
`})
	why := errors.New("that is enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, why)
	defer cancel()
	started := time.Now()
	_, err := p.Evaluate(ctx, []byte("{}"))
	if !errors.Is(err, why) {
		t.Errorf("want %v, got %v", why, err)
	}
	if took := time.Since(started); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

// A schema may refer to another one, which is not fetched.
func TestPolicies_Evaluate_staysOffTheNetwork(t *testing.T) {
	asked := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		_, _ = w.Write([]byte("{}"))
	}))
	defer server.Close()
	p := load(t, map[string]string{"a.rego": "package main\n\ndeny contains \"a\" if json.match_schema({}, {\"$ref\": \"" + server.URL + "/schema\"})[0]\n"})
	f, err := p.Evaluate(t.Context(), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Denials) > 0 || len(asked) > 0 {
		t.Errorf("want no request, got %d and %v", len(asked), f.Denials)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(Library()); err != nil {
			b.Fatal(err)
		}
	}
}
