package modules

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
)

// typeString returns a type constraint in Terraform's syntax. The HCL library's
// own TypeString knows neither optional attributes nor their defaults.
func typeString(ty cty.Type, defaults *typeexpr.Defaults) string {
	switch {
	case ty.IsListType():
		return "list(" + typeString(ty.ElementType(), child(defaults, "")) + ")"
	case ty.IsSetType():
		return "set(" + typeString(ty.ElementType(), child(defaults, "")) + ")"
	case ty.IsMapType():
		return "map(" + typeString(ty.ElementType(), child(defaults, "")) + ")"
	case ty.IsTupleType():
		var elements []string
		for i, element := range ty.TupleElementTypes() {
			elements = append(elements, typeString(element, child(defaults, strconv.Itoa(i))))
		}
		return "tuple([" + strings.Join(elements, ", ") + "])"
	case ty.IsObjectType():
		return objectString(ty, defaults)
	default:
		return typeexpr.TypeString(ty)
	}
}

func objectString(ty cty.Type, defaults *typeexpr.Defaults) string {
	attrs := ty.AttributeTypes()
	if len(attrs) == 0 {
		return "object({})"
	}
	var fields []string
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		field := typeString(attrs[name], child(defaults, name))
		if ty.AttributeOptional(name) {
			if value, ok := defaultOf(defaults, name); ok {
				field += ", " + string(toJSON(value))
			}
			field = "optional(" + field + ")"
		}
		fields = append(fields, name+" = "+field)
	}
	return "object({" + strings.Join(fields, ", ") + "})"
}

// child returns the defaults inside an attribute, or inside the elements for "".
func child(defaults *typeexpr.Defaults, name string) *typeexpr.Defaults {
	if defaults == nil {
		return nil
	}
	return defaults.Children[name]
}

// defaultOf returns the default of an attribute, the defaults inside it applied.
func defaultOf(defaults *typeexpr.Defaults, name string) (cty.Value, bool) {
	if defaults == nil {
		return cty.NilVal, false
	}
	value, ok := defaults.DefaultValues[name]
	if inside := child(defaults, name); ok && inside != nil {
		value = inside.Apply(value)
	}
	return value, ok
}
