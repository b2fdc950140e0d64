package modules

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Variable is an input of a module.
type Variable struct {
	// Name is the variable's name.
	Name string
	// Type is the type of its values.
	Type cty.Type
	// Default is the value when none is given; cty.NilVal when one is required.
	Default cty.Value
	// Description is the module's own.
	Description string
	// Sensitive says that its value is never shown.
	Sensitive bool
	// Nullable says that null is a value like others; otherwise null stands for
	// the default.
	Nullable bool
	// Required says that it has no default.
	Required bool
	// Validations are the messages of its validations: what a value has to be
	// beside its type, checked by Terraform in a run.
	Validations []string

	// constraint is Type with the optional attributes of objects.
	constraint cty.Type
	// defaults are the defaults of optional attributes; nil without any.
	defaults *typeexpr.Defaults
}

// variable reads a variable block as Terraform does.
// Source: https://github.com/hashicorp/terraform/blob/v1.11.4/internal/configs/named_values.go
func (r *configReader) variable(block *hcl.Block) Variable {
	v := Variable{
		Name:       block.Labels[0],
		Type:       cty.DynamicPseudoType,
		Nullable:   true,
		Required:   true,
		constraint: cty.DynamicPseudoType,
	}
	attrs := r.attributes(block, "type", "default", "description", "sensitive", "nullable")
	if attr := attrs["type"]; attr != nil {
		v.constraint, v.defaults = r.typeConstraint(attr.Expr)
		v.Type = v.constraint.WithoutOptionalAttributesDeep()
	}
	r.decode(attrs["description"], &v.Description)
	r.decode(attrs["sensitive"], &v.Sensitive)
	r.decode(attrs["nullable"], &v.Nullable)
	if attr := attrs["default"]; attr != nil {
		v.Required = false
		v.Default = r.defaultValue(&v, attr)
	}
	v.Validations = r.validations(block)
	return v
}

// validations returns the messages of a variable's validations, but for those that
// are put together when Terraform runs.
func (r *configReader) validations(block *hcl.Block) []string {
	var messages []string
	for _, validation := range r.blocks(block.Body, hcl.BlockHeaderSchema{Type: "validation"}) {
		attr := r.attributes(validation, "error_message")["error_message"]
		if attr == nil || len(attr.Expr.Variables()) > 0 {
			continue
		}
		if text, diags := attr.Expr.Value(nil); !diags.HasErrors() && text.Type() == cty.String {
			messages = append(messages, text.AsString())
		}
	}
	return messages
}

// typeConstraint reads a type; "list" and "map" alone are those of any elements.
func (r *configReader) typeConstraint(expr hcl.Expression) (cty.Type, *typeexpr.Defaults) {
	switch hcl.ExprAsKeyword(expr) {
	case "list":
		return cty.List(cty.DynamicPseudoType), nil
	case "map":
		return cty.Map(cty.DynamicPseudoType), nil
	}
	ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(expr)
	r.faults.diagnostics(diags)
	return ty, defaults
}

// defaultValue reads a default and converts it to the variable's type.
func (r *configReader) defaultValue(v *Variable, attr *hcl.Attribute) cty.Value {
	value, diags := attr.Expr.Value(nil)
	r.faults.diagnostics(diags)
	if diags.HasErrors() {
		return cty.NullVal(v.Type)
	}
	value, err := v.convert(value)
	switch {
	case err != nil:
		r.faults.at(attr.Range, "the default of variable %q is not of its type, %s: %v", v.Name, v.TypeString(), err)
		return cty.NullVal(v.Type)
	case value.IsNull() && !v.Nullable:
		r.faults.at(attr.Range, "the default of variable %q is null, and nullable is false", v.Name)
	}
	return value
}

// convert converts a value to the variable's type: defaults of optional
// attributes, then the conversion. A value that is null gets no defaults.
// Source: https://github.com/hashicorp/terraform/blob/v1.11.4/internal/terraform/eval_variable.go
func (v *Variable) convert(value cty.Value) (cty.Value, error) {
	if v.defaults != nil {
		value = v.defaults.Apply(value)
	}
	return convert.Convert(value, v.constraint)
}

// TypeString returns the type in Terraform's syntax, on one line, with the
// optional attributes and their defaults.
func (v *Variable) TypeString() string { return typeString(v.constraint, v.defaults) }

// object returns the variable as the cluster's catalogue has it. A null default
// is left out, as the API server would drop it.
func (v *Variable) object() v1alpha1.ModuleVariable {
	return v1alpha1.ModuleVariable{
		Name:        v.Name,
		Type:        v.TypeString(),
		Description: v.Description,
		Required:    v.Required,
		Default:     v.shownDefault(),
		Sensitive:   v.Sensitive,
		Validations: v.Validations,
	}
}

// shownDefault returns the default as JSON; nil for one that is null or not shown.
func (v *Variable) shownDefault() *apiextensionsv1.JSON {
	if v.Required || v.Sensitive || v.Default.IsNull() {
		return nil
	}
	return &apiextensionsv1.JSON{Raw: toJSON(v.Default)}
}

// toJSON returns a value as JSON in its own type: compact, sorted, every digit.
func toJSON(value cty.Value) []byte {
	b, err := ctyjson.Marshal(value, value.Type())
	if err != nil {
		panic(err) // only for unknown or marked values, and a value is of its own type
	}
	return b
}
