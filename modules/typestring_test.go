package modules

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVariable_TypeString(t *testing.T) {
	cases := map[string]struct{ tf, want string }{
		"A primitive.":                         {`string`, `string`},
		"Any.":                                 {`any`, `any`},
		"A bare list is one of anything.":      {`list`, `list(any)`},
		"A bare map is one of anything.":       {`map`, `map(any)`},
		"Collections nest.":                    {`map(list(set(bool)))`, `map(list(set(bool)))`},
		"A tuple.":                             {`tuple([string,number])`, `tuple([string, number])`},
		"An empty tuple and object.":           {`tuple([tuple([]), object({})])`, `tuple([tuple([]), object({})])`},
		"Attributes are sorted.":               {`object({b=string,a=number})`, `object({a = number, b = string})`},
		"Optional attributes show defaults.":   {`object({ a = optional(number), b = optional(string, "x|y") })`, `object({a = optional(number), b = optional(string, "x|y")})`},
		"Defaults inside collections show.":    {`map(object({ a = optional(list(string), ["x"]) }))`, `map(object({a = optional(list(string), ["x"])}))`},
		"Defaults inside tuples show.":         {`tuple([string, object({ a = optional(bool, true) })])`, `tuple([string, object({a = optional(bool, true)})])`},
		"Defaults inside attributes show.":     {`object({ a = optional(object({ b = optional(number, 1) }), {}) })`, `object({a = optional(object({b = optional(number, 1)}), {"b":1})})`},
		"A type over several lines is on one.": {"object({\n    a = string\n  })", `object({a = string})`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := loadModule(t, "variable \"v\" {\n  type = "+c.tf+"\n}\n")
			if diff := cmp.Diff(c.want, m.Variables[0].TypeString()); diff != "" {
				t.Errorf("TypeString() (-want +got):\n%s", diff)
			}
			// What it says is a type in Terraform's syntax, the same one.
			again := loadModule(t, "variable \"v\" {\n  type = "+m.Variables[0].TypeString()+"\n}\n")
			if diff := cmp.Diff(m.Variables[0].constraint, again.Variables[0].constraint, valueEqual()); diff != "" {
				t.Errorf("the type that TypeString() says (-want +got):\n%s", diff)
			}
		})
	}
}
