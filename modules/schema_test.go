package modules

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

func TestModule_Schema(t *testing.T) {
	cases := map[string]struct {
		declaration string
		want        string // the property v, as YAML
		required    bool
	}{
		"A required variable is among the required ones.": {
			"type = string\n nullable = false", "type: string", true,
		},
		"A default and a description are the variable's.": {
			"type = number\n default = 20\n nullable = false\n description = \"How large.\"", "{type: number, default: 20, description: How large.}", false,
		},
		"What a validation says is said.": {
			"type = bool\n default = true\n nullable = false\n description = \"D.\"\n validation {\n condition = var.v\n error_message = \"Must be on.\"\n }",
			"{type: boolean, default: true, description: \"D.\\n\\nMust be on.\"}", false,
		},
		"A message that is put together in a run is left out.": {
			"type = bool\n nullable = false\n validation {\n condition = var.v\n error_message = \"Got ${var.v}.\"\n }", "type: boolean", true,
		},
		"Null is a value of a nullable variable.": {
			"type = string\n default = null", "{type: string, nullable: true}", false,
		},
		"The default of a sensitive variable stays out.": {
			"type = string\n default = \"x\"\n sensitive = true\n nullable = false", "{type: string, format: password}", false,
		},
		"Lists and sets are arrays.": {
			"type = set(list(number))\n nullable = false", "{type: array, items: {type: array, items: {type: number}}}", true,
		},
		"A map has values of one type.": {
			"type = map(bool)\n nullable = false", "{type: object, additionalProperties: {type: boolean}}", true,
		},
		"Attributes may be optional, with a default.": {
			"type = object({ a = number, b = optional(string), c = optional(object({ d = optional(bool, true) }), {}) })\n nullable = false",
			"{type: object, required: [a], properties: {a: {type: number}, b: {type: string, nullable: true}, " +
				"c: {type: object, nullable: true, default: {d: true}, properties: {d: {type: boolean, nullable: true, default: true}}}}}", true,
		},
		"A tuple has so many elements.": {
			"type = tuple([string, number])\n nullable = false",
			"{type: array, minItems: 2, maxItems: 2, items: {anyOf: [{type: string}, {type: number}]}}", true,
		},
		"Any is anything.": {
			"nullable = false", "x-kubernetes-preserve-unknown-fields: true", true,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := loadModule(t, block("v", c.declaration)).Schema()
			var want, got any
			if err := yaml.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(s.Properties["v"])
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("property (-want +got):\n%s", diff)
			}
			if required := len(s.Required) == 1; required != c.required {
				t.Errorf("required: %v, want %v", required, c.required)
			}
		})
	}
}

// TestModule_InfrastructureSchema_values gives a whole table of types and values to
// the schema that editors have: what it lets pass, Terraform takes.
func TestModule_InfrastructureSchema_values(t *testing.T) {
	passed := 0
	for _, declaration := range declarations() {
		m := loadModule(t, block("v", declaration))
		if strings.Contains(declaration, "tuple") || unifies(m.Variables[0].constraint) {
			continue // a schema has no types by position, and none in common
		}
		schema := compile(t, m.InfrastructureSchema())
		for _, value := range jsonValues() {
			infrastructure := `{"apiVersion": "infra.groundwork.dev/v1alpha1", "kind": "Infrastructure", "metadata": {}, "spec": {"module": "` + m.Name + `", "variables": {"v": ` + value + `}}}`
			if schema.Validate(parse(t, infrastructure)) != nil {
				continue
			}
			passed++
			if _, err := m.Inputs(map[string]Input{"v": given("v", value)}); err != nil {
				t.Errorf("variable with %q, value %s: an editor lets it pass, and we refuse it: %v", declaration, value, err)
			}
		}
	}
	if passed < 200 {
		t.Errorf("only %d pairs pass; the schema is too strict for this to say much", passed)
	}
}

func TestModule_InfrastructureSchema(t *testing.T) {
	m := loadModule(t, block("size", "type = number\n nullable = false")+block("note", "type = string\n default = null"))
	schema := compile(t, m.InfrastructureSchema())
	const head = `{"apiVersion": "infra.groundwork.dev/v1alpha1", "kind": "Infrastructure", "metadata": {"name": "a"}, "spec": `
	cases := map[string]struct {
		spec string
		want bool
	}{
		"All that is required is there.":                {`{"module": "x", "variables": {"size": 1, "note": null}}`, true},
		"A required variable is missing.":               {`{"module": "x", "variables": {}}`, false},
		"All variables are missing.":                    {`{"module": "x"}`, false},
		"A required variable may come from elsewhere.":  {`{"module": "x", "variablesFrom": [{}]}`, true},
		"Another module is not this one.":               {`{"module": "y", "variables": {"size": 1}}`, false},
		"A variable that there is not is refused.":      {`{"module": "x", "variables": {"size": 1, "sise": 1}}`, false},
		"A value of another type is refused.":           {`{"module": "x", "variables": {"size": "large"}}`, false},
		"Other fields of the spec are not its business": {`{"module": "x", "variables": {"size": 1}, "suspend": true}`, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := schema.Validate(parse(t, head+c.spec+"}")); (err == nil) != c.want {
				t.Errorf("valid: %v, want %v: %v", err == nil, c.want, err)
			}
		})
	}
}

func compile(t *testing.T, doc map[string]any) *jsonschema.Schema {
	t.Helper()
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("x", parse(t, string(b))); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("x")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func parse(t *testing.T, text string) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return value
}
