package policy

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// source is a folder with files.
func source(files map[string]string) fs.FS {
	dir := fstest.MapFS{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return dir
}

// says is a policy with one rule, which always gives a message.
func says(rule, message string) string {
	return fmt.Sprintf("package main\n\n%s contains msg if msg := %q\n", rule, message)
}

func TestLoad(t *testing.T) {
	cases := map[string]struct {
		sources []fs.FS
		want    []string // policies and messages of the denials
	}{
		"No source has no policies.": {},
		"A folder that is not there has none.": {
			sources: []fs.FS{os.DirFS("testdata/gone"), source(map[string]string{"a.rego": says("deny", "a")})},
			want:    []string{"a: a"},
		},
		"A file replaces the one of the same name before it.": {
			sources: []fs.FS{
				source(map[string]string{"a.rego": says("deny", "a"), "b.rego": says("deny", "b")}),
				source(map[string]string{"a.rego": says("deny", "other")}),
			},
			want: []string{"a: other", "b: b"},
		},
		"A file of comments takes it away.": {
			sources: []fs.FS{
				source(map[string]string{"a.rego": says("deny", "a"), "b.rego": says("deny", "b")}),
				source(map[string]string{"a.rego": "# Not here.\n\n  # Nor there.\n", "b.rego": ""}),
			},
		},
		"Tests, folders and other files are left alone.": {
			sources: []fs.FS{source(map[string]string{
				"a.rego": says("deny", "a"), "a_test.rego": "no Rego", "README.md": "no Rego", "more/b.rego": "no Rego", "c.rego/d": "",
			})},
			want: []string{"a: a"},
		},
		"Rego before v1 is taken.": {
			sources: []fs.FS{source(map[string]string{
				"old.rego":    "package main\n\ndeny[msg] {\n\tmsg = \"old\"\n\tany([false, true])\n}\n",
				"future.rego": "package main\n\nimport future.keywords\n\ndeny contains msg if {\n\tmsg := \"future\"\n}\n",
				"new.rego":    "package main\n\nimport rego.v1\n\ndeny contains \"new\" if true\n",
			})},
			want: []string{"future: future", "new: new", "old: old"},
		},
		"A file may use another's package.": {
			sources: []fs.FS{
				source(map[string]string{"lib.rego": "package lib.greet\n\nhello := \"hello\"\n"}),
				source(map[string]string{"a.rego": "package main\n\nimport data.lib.greet\n\ndeny contains greet.hello\n"}),
			},
			want: []string{"a: hello"},
		},
		"A suffix names the policy, as in conftest.": {
			sources: []fs.FS{source(map[string]string{"a.rego": says("deny_no_way", "a"), "b.rego": says("violation", "b")})},
			want:    []string{"b: b", "no_way: a"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := Load(c.sources...)
			if err != nil {
				t.Fatal(err)
			}
			f, err := p.Evaluate(t.Context(), []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range f.Denials {
				got = append(got, d.Policy+": "+d.Message)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

func TestLoad_faults(t *testing.T) {
	const head = "package main\n\n"
	calls := func(call string) string { return head + "deny contains msg if {\n\tmsg := " + call + "\n}\n" }
	cases := map[string]struct {
		text string
		want []string
	}{
		"Not Rego.":                                     {head + "deny contains msg if {\n", []string{"policy a.rego:", "rego"}},
		"A variable that has no value.":                 {head + "deny contains msg if {\n\tx == 1\n}\n", []string{"policy a.rego:", "var msg is unsafe"}},
		"A function that is not there.":                 {calls("shout(1)"), []string{"policy a.rego:4: undefined function shout"}},
		"A call to the network.":                        {calls(`http.send({"method": "get", "url": "http://x"})`), []string{"policy a.rego:4: undefined function http.send: policies cannot reach the network"}},
		"A name look-up.":                               {calls(`net.lookup_ip_addr("x")`), []string{"policy a.rego:4: undefined function net.lookup_ip_addr: policies cannot"}},
		"The environment.":                              {calls(`opa.runtime().env.AWS_SECRET_ACCESS_KEY`), []string{"policy a.rego:4: undefined function opa.runtime: policies cannot"}},
		"A package that is not evaluated.":              {"package terraform\n\ndeny contains \"a\"\n", []string{"policy a.rego:3: the rule deny is in the package terraform", "write `package main`"}},
		"A rule that is true or not.":                   {head + "deny if input.a\n", []string{"policy a.rego:3: the rule deny is not a set of messages: write `deny contains msg if { … }`"}},
		"A rule that is a map in v1.":                   {head + "warn_a[msg] if msg := \"a\"\n", []string{"the rule warn_a is not a set"}},
		"A rule that is a list.":                        {head + "deny := [\"a\"]\n", []string{"the rule deny is not a set"}},
		"A rule that is a function.":                    {head + "deny_a(x) := x\n", []string{"the rule deny_a is not a set"}},
		"A rule inside another name.":                   {head + "deny.a contains \"a\"\n", []string{"the rule deny is not a set"}},
		"Metadata that names no types.":                 {head + "# METADATA\n# custom:\n#   resource_types: aws_s3_bucket\ndeny contains \"a\"\n", []string{"policy a.rego:6: resource_types in the rule's metadata: got aws_s3_bucket, wanted a list"}},
		"Metadata with an empty list.":                  {head + "# METADATA\n# custom:\n#   resource_types: []\ndeny contains \"a\"\n", []string{"got [], wanted a list"}},
		"Metadata with a pattern that is none.":         {head + "# METADATA\n# custom:\n#   resource_types: [\"aws_[\"]\ndeny contains \"a\"\n", []string{"got aws_[, wanted a list"}},
		"Metadata of the package in two files.":         {"# METADATA\n# title: a\n" + head + "deny contains \"a\"\n", []string{"package annotation redeclared", "annotate the rules instead"}},
		"More faults than are told, and each told once": {head + "deny contains a(1)\n\ndeny contains b(1)\n\ndeny contains c(1)\n\ndeny contains d(1)\n", []string{"undefined function a; policy a.rego:5: undefined function b; policy a.rego:7: undefined function c; and 1 more"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Load(source(map[string]string{"a.rego": c.text, "b.rego": "# METADATA\n# title: b\n" + head + "deny contains \"b\"\n"}))
			if err == nil {
				t.Fatal("want an error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("want %q in %q", want, err)
				}
			}
		})
	}
}

func TestPolicies_Concern(t *testing.T) {
	annotated := func(rule, types string) string {
		return "# METADATA\n# custom:\n#   resource_types: " + types + "\n" + rule + " contains \"a\"\n\n"
	}
	cases := map[string]struct {
		text  string
		types []string
		want  bool
	}{
		"A rule without metadata looks at everything.":          {says("deny", "a"), []string{"aws_s3_bucket"}, true},
		"But not at nothing.":                                   {says("deny", "a"), nil, false},
		"A rule looks at the types that it names.":              {"package main\n\n" + annotated("deny", "[aws_db_instance, aws_s3_bucket]"), []string{"aws_kms_key", "aws_s3_bucket"}, true},
		"And at no other.":                                      {"package main\n\n" + annotated("deny", "[aws_db_instance]"), []string{"aws_s3_bucket"}, false},
		"Types may be patterns.":                                {"package main\n\n" + annotated("deny", `["aws_*"]`), []string{"aws_s3_bucket"}, true},
		"Rules of one name are taken together.":                 {"package main\n\n" + annotated("deny", "[a]") + annotated("deny", "[b]"), []string{"b"}, true},
		"One of them without metadata looks at everything.":     {"package main\n\n" + annotated("deny", "[a]") + "deny contains \"b\"\n", []string{"c"}, true},
		"Each name counts.":                                     {"package main\n\n" + annotated("deny", "[a]") + annotated("warn", "[b]"), []string{"b"}, true},
		"A file without rules that judge looks at nothing.":     {"package main\n\nx := 1\n", []string{"aws_s3_bucket"}, false},
		"Metadata of a whole document too.":                     {"package main\n\n# METADATA\n# scope: document\n# custom:\n#   resource_types: [a]\ndeny contains \"a\"\n\ndeny contains \"b\"\n", []string{"b"}, true},
		"Metadata of another kind leaves a rule to everything.": {"package main\n\n# METADATA\n# title: a\ndeny contains \"a\"\n", []string{"aws_s3_bucket"}, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := Load(source(map[string]string{"a.rego": c.text}))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Concern(c.types); got != c.want {
				t.Errorf("want %v, got %v", c.want, got)
			}
		})
	}
}
