package modules

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// maxExponent bounds numbers, as a power of two: about 1200 digits. Terraform has
// a far larger bound, but 1e600000000 would be written out digit by digit.
const maxExponent = 4096

// maxUnified bounds the values inside a value for a list, set or map of any:
// finding the type that all elements have in common takes time quadratic in their
// number, half a second for this one.
const maxUnified = 4000

const notJSON = "the value is not JSON, or nested too deep"

var errNumberTooLarge = errors.New("a number in it has too many digits")

// parse reads what is given for the variable, not yet converted. The problem is
// empty when it could be read.
func (v *Variable) parse(in Input) (value cty.Value, problem string) {
	switch {
	case in.Text == nil:
		value, problem = parseJSON(in.JSON)
	case !utf8.ValidString(*in.Text):
		return cty.NilVal, "the value is not UTF-8 text; give binary data as base64"
	case v.constraint.IsPrimitiveType():
		return cty.StringVal(*in.Text), ""
	default:
		value, problem = parseJSON([]byte(*in.Text))
	}
	switch {
	case problem != "":
		return cty.NilVal, "want " + v.TypeString() + " as JSON; " + problem
	case unifies(v.constraint) && count(value) > maxUnified:
		return cty.NilVal, fmt.Sprintf("want %s of at most %d values, got %d", v.TypeString(), maxUnified, count(value))
	}
	if in.Output {
		value = v.only(value)
	}
	return value, ""
}

// only makes an output the one element of what a variable of a list or set type takes:
// the id of one security group fits a variable that takes several.
func (v *Variable) only(output cty.Value) cty.Value {
	collection := v.constraint.IsListType() || v.constraint.IsSetType()
	if !collection || output.IsNull() || output.Type().IsTupleType() {
		return output
	}
	return cty.TupleVal([]cty.Value{output})
}

// unifies tells whether a conversion to the type looks for a type that all
// elements of a collection have in common.
func unifies(ty cty.Type) bool {
	switch {
	case ty.IsCollectionType():
		return ty.ElementType().HasDynamicTypes()
	case ty.IsObjectType():
		return slices.ContainsFunc(slices.Collect(maps.Values(ty.AttributeTypes())), unifies)
	case ty.IsTupleType():
		return slices.ContainsFunc(ty.TupleElementTypes(), unifies)
	default:
		return false
	}
}

// count returns the number of values inside a value, and itself.
func count(value cty.Value) int {
	n := 0
	_ = cty.Walk(value, func(cty.Path, cty.Value) (bool, error) {
		n++
		return true, nil
	})
	return n
}

// parseJSON reads JSON with the library with which Terraform reads a
// terraform.tfvars.json. The problem quotes nothing of it.
func parseJSON(b []byte) (value cty.Value, problem string) {
	// This also bounds the depth, which the parser below does not.
	if !json.Valid(b) {
		return cty.NilVal, notJSON
	}
	expr, diags := hcljson.ParseExpression(b, "")
	if diags.HasErrors() {
		return cty.NilVal, notJSON
	}
	value, diags = expr.Value(nil)
	if diags.HasErrors() {
		return cty.NilVal, "an object in it has a key twice"
	}
	if err := checkNumbers(value); err != nil {
		return cty.NilVal, err.Error()
	}
	return value, ""
}

// checkNumbers refuses numbers that would take too many digits to write.
func checkNumbers(value cty.Value) error {
	return cty.Walk(value, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.IsNull() || v.Type() != cty.Number {
			return true, nil
		}
		if e := v.AsBigFloat().MantExp(nil); e > maxExponent || e < -maxExponent {
			return false, errNumberTooLarge
		}
		return true, nil
	})
}
