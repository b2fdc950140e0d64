package infrastructure

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
)

// number is a cty number with every digit.
func number(digits string) cty.Value { return cty.MustParseNumberVal(digits) }

// outputsOf returns outputs by name.
func outputsOf(values map[string]cty.Value) map[string]state.Output {
	outputs := map[string]state.Output{}
	for name, value := range values {
		outputs[name] = state.Output{Value: value}
	}
	return outputs
}

func TestRender_values(t *testing.T) {
	for _, tc := range []struct {
		name  string
		value cty.Value
		want  string
	}{
		{"A string is as it is.", cty.StringVal("p<a>&\"ss\"\n é"), "p<a>&\"ss\"\n é"},
		{"A string that looks like a number stays a string.", cty.StringVal("007"), "007"},
		{"An empty string is a key without a value.", cty.StringVal(""), ""},
		{"A million has its digits.", number("1000000"), "1000000"},
		{"A number beyond 2^53 has its digits.", number("12345678901234567890"), "12345678901234567890"},
		{"A number beyond 64 bits has its digits.", number("100000000000000000000"), "100000000000000000000"},
		{"A fraction has its digits.", number("0.1"), "0.1"},
		{"A long fraction has its digits.", number("3.141592653589793238462643"), "3.141592653589793238462643"},
		{"A negative number has its sign.", number("-5432"), "-5432"},
		{"A small number has no exponent.", number("0.00000001"), "0.00000001"},
		{"A bool is true or false.", cty.True, "true"},
		{"A list is compact JSON.", cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")}), `["a","b"]`},
		{"An empty list is a list.", cty.ListValEmpty(cty.String), `[]`},
		{"JSON has no HTML escapes.", cty.ListVal([]cty.Value{cty.StringVal("<a>&b")}), `["<a>&b"]`},
		{"Numbers in JSON have their digits.", cty.TupleVal([]cty.Value{number("1000000"), number("100000000000000000000"), number("0.1")}),
			`[1000000,100000000000000000000,0.1]`},
		{"A null within JSON is null.", cty.ObjectVal(map[string]cty.Value{"b": cty.NullVal(cty.String), "a": cty.True}), `{"a":true,"b":null}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := render(v1alpha1.OutputsSpec{}, outputsOf(map[string]cty.Value{"out": tc.value}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string][]byte{"out": []byte(tc.want)}, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRender(t *testing.T) {
	outputs := outputsOf(map[string]cty.Value{
		"host":     cty.StringVal("db.example"),
		"port":     number("5432"),
		"password": cty.StringVal("p@ss w/rd&"),
		"replica":  cty.NullVal(cty.String),
		"zones":    cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")}),
		"tags":     cty.MapVal(map[string]cty.Value{"team": cty.StringVal("shop")}),
	})
	const fails = "spec.outputs.templates[URL]: the template fails on the module's outputs"
	template := func(text string) v1alpha1.OutputsSpec {
		return v1alpha1.OutputsSpec{Keys: map[string]string{"port": "port"}, Templates: map[string]string{"URL": text}}
	}
	rendered := func(text string) map[string]string { return map[string]string{"port": "5432", "URL": text} }
	for _, tc := range []struct {
		name string
		spec v1alpha1.OutputsSpec
		want map[string]string
		err  string
	}{
		{"Without a spec, every output has its own name, but for a null, which has no key.", v1alpha1.OutputsSpec{}, map[string]string{
			"host": "db.example", "port": "5432", "password": "p@ss w/rd&", "zones": `["a","b"]`, "tags": `{"team":"shop"}`}, ""},
		{"Keys select and rename.", v1alpha1.OutputsSpec{Keys: map[string]string{"host": "DB_HOST"}}, map[string]string{"DB_HOST": "db.example"}, ""},
		{"A selected output that is null has no key.", v1alpha1.OutputsSpec{Keys: map[string]string{"host": "h", "replica": "r"}}, map[string]string{"h": "db.example"}, ""},
		{"A selected output that the state does not have has no key.", v1alpha1.OutputsSpec{Keys: map[string]string{"host": "h", "new": "n"}}, map[string]string{"h": "db.example"}, ""},
		{"A template reads outputs by name.", template(`postgres://{{ .host }}:{{ .port }}/{{ $.tags.team }}`), rendered("postgres://db.example:5432/shop"), ""},
		{"A template quotes for a URL.", template(`{{ .password | urlquery }}`), rendered("p%40ss+w%2Frd%26"), ""},
		{"A template goes through a list.", template(`{{ range .zones }}{{ . }}@{{ $.host }};{{ end }}`), rendered("a@db.example;b@db.example;"), ""},
		{"A template picks an element.", template(`{{ index .zones 1 }}`), rendered("b"), ""},
		{"A template of a null output fails rather than says no value.", template(`{{ .replica }}`), nil, fails},
		{"A template of an output that the state does not have fails.", template(`{{ .new }}`), nil, fails},
		{"A template that fails does not quote a value.", template(`{{ index .zones .password }}`), nil, fails},
		{"A template that makes more than a Secret holds fails.", template(strings.Repeat("x", 1<<20) + "{{ .host }}"), nil, "more than the 1 MiB"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, err := render(tc.spec, outputs)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) || strings.Contains(err.Error(), "p@ss") {
					t.Errorf("got %v, want an error with %q and without the password", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for key, value := range data {
				got[key] = string(value)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// The document must mean the same to Helm, which reads it with sigs.k8s.io/yaml,
// and to any other reader of YAML.
func TestRender_valuesKey(t *testing.T) {
	outputs := outputsOf(map[string]cty.Value{
		"host": cty.StringVal("db.example"), "port": number("5432"), "million": number("1000000"),
		"big": number("12345678901234567890"), "ratio": number("0.25"), "on": cty.True, "nothing": cty.NullVal(cty.String),
		"digits": cty.StringVal("0123"), "yes": cty.StringVal("yes"), "empty": cty.StringVal(""), "tilde": cty.StringVal("~"),
		"date": cty.StringVal("2026-01-02"), "text": cty.StringVal("a: <b> & 'c' \"d\" \\e\n\tf # g"),
		"odd":  cty.StringVal("\u0001 \u007f \u0085 \u2028 \ufeff é 😀"),
		"list": cty.ListVal([]cty.Value{number("1"), number("2")}), "none": cty.ListValEmpty(cty.String), "hollow": cty.EmptyObjectVal,
		"nested": cty.ObjectVal(map[string]cty.Value{"no": cty.StringVal("off"), "1": cty.NullVal(cty.Bool), "a b": cty.False}),
	})
	want := map[string]any{
		"host": "db.example", "port": 5432, "million": 1000000, "big": uint64(12345678901234567890), "ratio": 0.25, "on": true, "nothing": nil,
		"digits": "0123", "yes": "yes", "empty": "", "tilde": "~", "date": "2026-01-02", "text": "a: <b> & 'c' \"d\" \\e\n\tf # g",
		"odd": "\u0001 \u007f \u0085 \u2028 \ufeff é 😀", "list": []any{1, 2}, "none": []any{}, "hollow": map[string]any{},
		"nested": map[string]any{"no": "off", "1": nil, "a b": false},
	}
	data, err := render(v1alpha1.OutputsSpec{Keys: map[string]string{"host": "host"}, ValuesKey: "values.yaml"}, outputs)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) != 2 {
		t.Errorf("the Secret has %d keys, want host and values.yaml", len(data))
	}
	t.Run("yaml.v3 reads every value with its type.", func(t *testing.T) {
		var got map[string]any
		if err := yaml.Unmarshal(data["values.yaml"], &got); err != nil {
			t.Fatalf("%v in\n%s", err, data["values.yaml"])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("sigs.k8s.io/yaml reads every value with its type.", func(t *testing.T) {
		got, err := sigsyaml.YAMLToJSON(data["values.yaml"])
		if err != nil {
			t.Fatalf("%v in\n%s", err, data["values.yaml"])
		}
		wanted, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(wanted), string(got)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("Every digit is written, however many a reader keeps.", func(t *testing.T) {
		data, err := render(v1alpha1.OutputsSpec{ValuesKey: "v"}, outputsOf(map[string]cty.Value{"n": number("100000000000000000000")}))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(data["v"]); got != "\"n\": 100000000000000000000\n" {
			t.Errorf("got %q", got)
		}
		var got map[string]any
		if err := yaml.Unmarshal(data["v"], &got); err != nil {
			t.Fatal(err)
		}
		if f, ok := got["n"].(float64); !ok || big.NewFloat(f).Text('f', 0) != "100000000000000000000" {
			t.Errorf("yaml.v3 reads %v", got["n"])
		}
	})
	t.Run("The same outputs make the same document.", func(t *testing.T) {
		again, err := render(v1alpha1.OutputsSpec{Keys: map[string]string{"host": "host"}, ValuesKey: "values.yaml"}, outputs)
		if err != nil || checksum(again) != checksum(data) {
			t.Errorf("error %v, checksums %s and %s", err, checksum(data), checksum(again))
		}
	})
}

func TestCheckOutputs(t *testing.T) {
	module := &modules.Module{Name: "db", Outputs: []modules.Output{{Name: "host"}, {Name: "port"}}}
	type spec = v1alpha1.OutputsSpec
	keys := func(m map[string]string) spec { return spec{Keys: m} }
	templates := func(m map[string]string) spec { return spec{Templates: m} }
	for _, tc := range []struct {
		name string
		spec spec
		// want are parts of the message; none for no error.
		want []string
	}{
		{"Nothing is asked for.", spec{}, nil},
		{"All is asked for.", spec{Keys: map[string]string{"host": "DB_HOST", "port": "DB_PORT"}, Templates: map[string]string{"URL": "{{ .host }}"}, ValuesKey: "values.yaml"}, nil},
		{"An output that the module does not have is told, with those that it has.", keys(map[string]string{"hots": "H"}),
			[]string{`spec.outputs.keys[hots]: module db has no output "hots"; it has ["host" "port"]`}},
		{"A key that a Secret cannot have is told.", keys(map[string]string{"host": "a/b"}), []string{`spec.outputs.keys[host]: "a/b" cannot be a Secret's key`}},
		{"An empty key is told.", keys(map[string]string{"host": ""}), []string{`spec.outputs.keys[host]: "" cannot be a Secret's key`}},
		{"Two outputs of the same key are told.", keys(map[string]string{"host": "A", "port": "A"}), []string{`spec.outputs.keys[port]: key "A" is also made by spec.outputs.keys[host]`}},
		{"A template of the key of an output is told.", templates(map[string]string{"host": "x"}), []string{`spec.outputs.templates[host]: key "host" is also made by spec.outputs.keys[host]`}},
		{"A values document of the key of an output is told.", spec{ValuesKey: "port"}, []string{`spec.outputs.valuesKey: key "port" is also made by`}},
		{"A template that does not parse is told.", templates(map[string]string{"URL": "{{ .host"}), []string{"spec.outputs.templates[URL]: the template does not parse"}},
		{"A template of an unknown function is told.", templates(map[string]string{"URL": "{{ .host | quote }}"}), []string{`the template does not parse: 1: function "quote" not defined`}},
		{"A template of an unknown output is told.", templates(map[string]string{"URL": "{{ .hots }}"}), []string{`spec.outputs.templates[URL]: the module has no output "hots"; it has ["host" "port"]`}},
		{"Each unknown output of a template is told once, and what it may not do.", templates(map[string]string{"URL": "{{ .hots }}{{ .prot }}{{ print .hots }}"}),
			[]string{"may not use the function print", `no output "hots"`, `no output "prot"`}},
		{"Everything wrong is told at once.", spec{Keys: map[string]string{"hots": "A"}, Templates: map[string]string{"b/": "{{ .prot }}"}, ValuesKey: "A"},
			[]string{"keys[hots]: module", "templates[b/]: \"b/\"", `no output "prot"`, "valuesKey: key"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			faults := checkOutputs(tc.spec, module)
			if len(faults) != len(tc.want) {
				t.Fatalf("got %v, want %q", faults, tc.want)
			}
			for i, part := range tc.want {
				if got := faults[i].Field + ": " + faults[i].Detail; !strings.Contains(got, part) {
					t.Errorf("fault %d is %q, want it to contain %q", i, got, part)
				}
			}
		})
	}
}

func TestChecksum(t *testing.T) {
	a := map[string][]byte{"a": []byte("1"), "b": []byte("2")}
	for _, tc := range []struct {
		name string
		data map[string][]byte
		same bool
	}{
		{"The same data has the same sum.", map[string][]byte{"b": []byte("2"), "a": []byte("1")}, true},
		{"Another value has another.", map[string][]byte{"a": []byte("1"), "b": []byte("3")}, false},
		{"What is moved from a value to the next has another.", map[string][]byte{"a": []byte("12"), "b": nil}, false},
		{"What is moved from a key to its value has another.", map[string][]byte{"a": []byte("1"), "": []byte("b2")}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := checksum(a) == checksum(tc.data); got != tc.same {
				t.Errorf("the same: %t, want %t", got, tc.same)
			}
		})
	}
}
