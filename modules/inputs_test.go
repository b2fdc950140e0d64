package modules

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const inputsTF = `
variable "string" {
  type    = string
  default = null
}
variable "number" {
  type    = number
  default = 1
}
variable "bool" {
  type    = bool
  default = null
}
variable "any" {
  default = null
}
variable "list" {
  type    = list(string)
  default = null
}
variable "numbers" {
  type    = list(number)
  default = null
}
variable "set" {
  type    = set(number)
  default = null
}
variable "map" {
  type    = map(number)
  default = null
}
variable "maps" {
  type    = map(any)
  default = null
}
variable "tuple" {
  type    = tuple([string, number])
  default = null
}
variable "object" {
  type = list(object({
    port = number
    name = optional(string, "http")
    note = optional(string)
  }))
  default = null
}
variable "strict" {
  type     = number
  default  = 7
  nullable = false
}
variable "secret" {
  type      = number
  default   = null
  sensitive = true
}
variable "secrets" {
  type      = map(number)
  default   = null
  sensitive = true
}
`

// given is a value from spec.variables.
func given(name, json string) Input {
	return Input{JSON: []byte(json), Source: "spec.variables[" + name + "]"}
}

// text is a value from a Secret.
func text(value string) Input {
	return Input{Text: &value, Source: `spec.variablesFrom[0] (key "k" of Secret "s")`, Secret: true}
}

func TestModule_Inputs(t *testing.T) {
	m := loadModule(t, inputsTF)
	// output is a value from another Infrastructure.
	output := func(json string, secret bool) Input {
		return Input{JSON: []byte(json), Output: true, Secret: secret, Source: `spec.variablesFrom[2] (output "o" of Infrastructure "i")`}
	}
	fromConfigMap := Input{Text: new("x"), Source: `spec.variablesFrom[1] (key "k" of ConfigMap "c")`}
	cases := map[string]struct {
		name string
		in   Input
		want string // the value, or empty
		err  string // the fault, or empty
	}{
		"A string stays as it is.":                       {name: "string", in: given("string", `"<a & \"b\">\n"`), want: `"<a & \"b\">\n"`},
		"A number for a string is its digits.":           {name: "string", in: given("string", `1e3`), want: `"1000"`},
		"A bool for a string is its word.":               {name: "string", in: given("string", `true`), want: `"true"`},
		"A template in a string is not one.":             {name: "string", in: given("string", `"${path.root} %{if}"`), want: `"${path.root} %{if}"`},
		"A number keeps every digit.":                    {name: "number", in: given("number", `12345678901234567890`), want: `12345678901234567890`},
		"A large number is written out.":                 {name: "number", in: given("number", `1e20`), want: `100000000000000000000`},
		"A decimal stays exact.":                         {name: "number", in: given("number", `0.10`), want: `0.1`},
		"A string with a number is one.":                 {name: "number", in: given("number", `"12345678901234567890"`), want: `12345678901234567890`},
		"A string with a bool is one.":                   {name: "bool", in: given("bool", `"true"`), want: `true`},
		"Null is null where that is allowed.":            {name: "number", in: given("number", `null`), want: `null`},
		"Null is the default where it is not.":           {name: "strict", in: given("strict", `null`), want: `7`},
		"Anything goes for any, in its exact digits.":    {name: "any", in: given("any", `{"b": [1, "a", null, 100000000000000000000], "a": {}}`), want: `{"a":{},"b":[1,"a",null,100000000000000000000]}`},
		"Elements are converted.":                        {name: "list", in: given("list", `[1, true, "a", null]`), want: `["1","true","a",null]`},
		"A set is sorted and each value there once.":     {name: "set", in: given("set", `[2, "1", 1.0]`), want: `[1,2]`},
		"A map's values take a common type.":             {name: "maps", in: given("maps", `{"b": 1, "a": "x"}`), want: `{"a":"x","b":"1"}`},
		"Defaults of optional attributes are filled in.": {name: "object", in: given("object", `[{"port": "80"}, {"port": 1, "name": null, "other": 1}]`), want: `[{"name":"http","note":null,"port":80},{"name":"http","note":null,"port":1}]`},
		"A text for a string is taken as it is.":         {name: "string", in: text("null\n"), want: `"null\n"`},
		"A text for a number is its digits.":             {name: "number", in: text("12345678901234567890"), want: `12345678901234567890`},
		"A text for a bool is its word.":                 {name: "bool", in: text("false"), want: `false`},
		"A text for a list is JSON.":                     {name: "list", in: text(`["a"]`), want: `["a"]`},
		"A text for any is JSON.":                        {name: "any", in: text(`"a"`), want: `"a"`},
		"An output for a string is taken as it is.":      {name: "string", in: output(`"sg-1"`, false), want: `"sg-1"`},
		"An output that is one value is all of a list.":  {name: "list", in: output(`"sg-1"`, false), want: `["sg-1"]`},
		"It is converted as an element.":                 {name: "set", in: output(`"1"`, true), want: `[1]`},
		"An output that is an object is one element.":    {name: "object", in: output(`{"port": 1}`, false), want: `[{"name":"http","note":null,"port":1}]`},
		"An output that is a list is not put in one.":    {name: "list", in: output(`["sg-1","sg-2"]`, false), want: `["sg-1","sg-2"]`},
		"Nor is one that is null.":                       {name: "list", in: output(`null`, false), want: `null`},
		"An output for any stays as it is.":              {name: "any", in: output(`"a"`, false), want: `"a"`},
		"A value that is no output is not put in a list.": {
			name: "list", in: given("list", `"a"`),
			err: `spec.variables[list]: want list(string), got the string "a"`,
		},
		"An output of a wrong type names the variable.": {
			name: "number", in: output(`"many"`, false),
			err: `spec.variablesFrom[2] (output "o" of Infrastructure "i"): for variable number: want number, got the string "many"`,
		},
		"A sensitive output is not quoted.": {
			name: "numbers", in: output(`"hunter2"`, true),
			err: `spec.variablesFrom[2] (output "o" of Infrastructure "i"): for variable numbers[0]: want number, got a string`,
		},
		"A wrong type names the field, both types and the value.": {
			name: "number", in: given("number", `"many"`),
			err: `spec.variables[number]: want number, got the string "many"`,
		},
		"A long value is not quoted.": {
			name: "number", in: given("number", `"`+strings.Repeat("x", 40)+`"`),
			err: `spec.variables[number]: want number, got a string`,
		},
		"A value of a sensitive variable is not quoted.": {
			name: "secret", in: given("secret", `"hunter2"`),
			err: `spec.variables[secret]: want number, got a string`,
		},
		"The keys of a sensitive map are not quoted.": {
			name: "secrets", in: given("secrets", `{"hunter2": "x"}`),
			err: `spec.variables[secrets][…]: want number, got a string`,
		},
		"A value from a Secret is not quoted.": {
			name: "number", in: text("hunter2"),
			err: `spec.variablesFrom[0] (key "k" of Secret "s"): for variable number: want number, got a string`,
		},
		"A value from a ConfigMap is quoted.": {
			name: "number", in: fromConfigMap,
			err: `spec.variablesFrom[1] (key "k" of ConfigMap "c"): for variable number: want number, got the string "x"`,
		},
		"A text that should be JSON and is not says so.": {
			name: "list", in: text("hunter2"),
			err: `spec.variablesFrom[0] (key "k" of Secret "s"): for variable list: want list(string) as JSON; the value is not JSON, or nested too deep`,
		},
		"A binary text is refused.": {
			name: "string", in: text("\xff\xfe"),
			err: `spec.variablesFrom[0] (key "k" of Secret "s"): for variable string: the value is not UTF-8 text; give binary data as base64`,
		},
		"The path inside a text is told.": {
			name: "object", in: text(`[{"port": 1}, {"port": "hunter2"}]`),
			err: `spec.variablesFrom[0] (key "k" of Secret "s"): for variable object[1].port: want number, got a string`,
		},
		"Every wrong place in a value is told.": {
			name: "object", in: given("object", `[{"port": "x"}, {"name": []}, 3]`),
			err: `spec.variables[object][0].port: want number, got the string "x"; ` +
				`spec.variables[object][1].name: want string, got a list; ` +
				`spec.variables[object][1].port: want number, got nothing; ` +
				`spec.variables[object][2]: want object({name = optional(string), note = optional(string), port = number}), got the number 3`,
		},
		"Null for a required attribute of a type is fine.": {
			name: "object", in: given("object", `[{"port": null}]`), want: `[{"name":"http","note":null,"port":null}]`,
		},
		"At most ten places are told.": {
			name: "numbers", in: given("numbers", `[{},{},{},{},{},{},{},{},{},{},{}]`),
			err: strings.Join([]string{
				"spec.variables[numbers][0]: want number, got an object", "spec.variables[numbers][1]: want number, got an object",
				"spec.variables[numbers][2]: want number, got an object", "spec.variables[numbers][3]: want number, got an object",
				"spec.variables[numbers][4]: want number, got an object", "spec.variables[numbers][5]: want number, got an object",
				"spec.variables[numbers][6]: want number, got an object", "spec.variables[numbers][7]: want number, got an object",
				"spec.variables[numbers][8]: want number, got an object", "spec.variables[numbers][9]: want number, got an object",
				"spec.variables[numbers]: there may be more wrong with it",
			}, "; "),
		},
		"A map's key is told.": {
			name: "map", in: given("map", `{"a b": {}}`),
			err: `spec.variables[map]["a b"]: want number, got an object`,
		},
		"A tuple has a length.": {
			name: "tuple", in: given("tuple", `["a"]`),
			err: `spec.variables[tuple]: want tuple([string, number]), got 1 elements`,
		},
		"A place in a tuple is told.": {
			name: "tuple", in: given("tuple", `["a", "b"]`),
			err: `spec.variables[tuple][1]: want number, got the string "b"`,
		},
		"Elements without a common type are told.": {
			name: "maps", in: given("maps", `{"a": 1, "b": []}`),
			err: `spec.variables[maps]: want map(any), got elements of types that have none in common`,
		},
		"A list is not an object.": {
			name: "map", in: given("map", `[]`),
			err: `spec.variables[map]: want map(number), got a list`,
		},
		"What is no JSON is refused.": {
			name: "list", in: given("list", `nul`),
			err: `spec.variables[list]: want list(string) as JSON; the value is not JSON, or nested too deep`,
		},
		"A key twice is refused.": {
			name: "map", in: given("map", `{"a": 1, "a": 2}`),
			err: `spec.variables[map]: want map(number) as JSON; an object in it has a key twice`,
		},
		"A number that would take a gigabyte is refused.": {
			name: "any", in: given("any", `[1e600000000]`),
			err: `spec.variables[any]: want any as JSON; a number in it has too many digits`,
		},
		"Such a number in a string is refused.": {
			name: "numbers", in: given("numbers", `["1e600000000"]`),
			err: `spec.variables[numbers][0]: want number, got the string "1e600000000"`,
		},
		"So many values have no common type in time.": {
			name: "maps", in: given("maps", `{"a": [1`+strings.Repeat(`,1`, 4000)+`]}`),
			err: `spec.variables[maps]: want map(any) of at most 4000 values, got 4003`,
		},
		"For a known type there may be more.": {
			name: "numbers", in: given("numbers", `[1`+strings.Repeat(`,1`, 4000)+`]`),
			want: `[1` + strings.Repeat(`,1`, 4000) + `]`,
		},
		"Values nested too deep are refused.": {
			name: "any", in: given("any", strings.Repeat("[", 20000)+strings.Repeat("]", 20000)),
			err: `spec.variables[any]: want any as JSON; the value is not JSON, or nested too deep`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := m.Inputs(map[string]Input{c.name: c.in})
			message, want := "", ""
			if err != nil {
				message = err.Error()
			}
			if c.want != "" {
				want = `{"` + c.name + `":` + c.want + `}`
			}
			if diff := cmp.Diff(want, strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(got))); diff != "" {
				t.Errorf("Inputs() (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.err, message); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if strings.Contains(message, "hunter2") {
				t.Error("the error quotes a secret")
			}
		})
	}
}

func TestModule_Inputs_together(t *testing.T) {
	m := loadModule(t, `
		variable "name" {
		  type = string
		}
		variable "port" {
		  type     = number
		  nullable = false
		}
		variable "size" {
		  type    = number
		  default = 1
		}
	`)
	cases := map[string]struct {
		in   map[string]Input
		want string
		err  *InputsError
	}{
		"The values given are sorted, and the defaults of others left out.": {
			in:   map[string]Input{"port": given("port", "1"), "name": given("name", `"a"`)},
			want: `{"name":"a","port":1}`,
		},
		"All faults are told at once, by variable.": {
			in: map[string]Input{"sise": given("sise", "1"), "size": given("size", `"x"`), "port": given("port", "null"), "a": given("a", "1")},
			err: &InputsError{Module: "x", Faults: []InputFault{
				{Variable: "a", Field: "spec.variables[a]", Message: `module x has no variable "a"; its variables are name, port, size`},
				{Variable: "name", Field: "spec.variables", Message: `variable "name" of module x is required (string) and is not given`, Missing: true},
				{Variable: "port", Field: "spec.variables[port]", Message: "want number, got null; the variable is required"},
				{Variable: "sise", Field: "spec.variables[sise]", Message: `module x has no variable "sise"; did you mean "size"? its variables are name, port, size`},
				{Variable: "size", Field: "spec.variables[size]", Message: `want number, got the string "x"`},
			}},
		},
		"Nothing given leaves what is required.": {
			err: &InputsError{Module: "x", Faults: []InputFault{
				{Variable: "name", Field: "spec.variables", Message: `variable "name" of module x is required (string) and is not given`, Missing: true},
				{Variable: "port", Field: "spec.variables", Message: `variable "port" of module x is required (number) and is not given`, Missing: true},
			}},
		},
		"A required variable may be null when it is nullable.": {
			in:   map[string]Input{"port": given("port", "1"), "name": given("name", `null`)},
			want: `{"name":null,"port":1}`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := m.Inputs(c.in)
			var faults *InputsError
			if err != nil && !errors.As(err, &faults) {
				t.Fatalf("Inputs() error = %v, want an InputsError", err)
			}
			if diff := cmp.Diff(c.err, faults); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("Inputs() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestModule_Inputs_none(t *testing.T) {
	m := loadModule(t, "")
	got, err := m.Inputs(nil)
	if err != nil || string(got) != "{}" {
		t.Errorf("Inputs(nil) = %s, %v, want {}", got, err)
	}
	_, err = m.Inputs(map[string]Input{"a": given("a", "1")})
	want := `spec.variables[a]: module x has no variable "a"; it has none`
	if err == nil || err.Error() != want {
		t.Errorf("Inputs() error = %v, want %s", err, want)
	}
}

// What is to come is neither missing nor of a wrong type; all else is told.
func TestModule_Check(t *testing.T) {
	m := loadModule(t, `
		variable "name" { type = string }
		variable "port" { type = number }
	`)
	given := map[string]Input{"sise": given("sise", "1"), "port": given("port", `"x"`)}
	for name, c := range map[string]struct {
		toCome []string
		want   []string
	}{
		"Nothing is to come.":                    {nil, []string{"spec.variables", "spec.variables[port]", "spec.variables[sise]"}},
		"What is to come is not missing.":        {[]string{"name"}, []string{"spec.variables[port]", "spec.variables[sise]"}},
		"What is given is checked all the same.": {[]string{"port", "sise"}, []string{"spec.variables", "spec.variables[port]", "spec.variables[sise]"}},
	} {
		t.Run(name, func(t *testing.T) {
			var fields []string
			for _, fault := range m.Check(given, func(variable string) bool { return slices.Contains(c.toCome, variable) }) {
				fields = append(fields, fault.Field)
			}
			if diff := cmp.Diff(c.want, fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
	if got, want := m.CheckName("nam"), `module x has no variable "nam"; did you mean "name"? its variables are name, port`; got != want {
		t.Errorf("CheckName() = %q, want %q", got, want)
	}
	if got := m.CheckName("name"); got != "" {
		t.Errorf("CheckName() = %q of a variable that there is", got)
	}
}
