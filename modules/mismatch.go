package modules

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// maxQuoted is how many bytes of a value a message quotes.
const maxQuoted = 40

// mismatch is a place in a value that does not fit the type.
type mismatch struct {
	path string
	want string
	got  string
}

// mismatches says where a value that does not convert departs from the type. The
// conversion itself has decided that it does.
func (v *Variable) mismatches(in Input, value cty.Value) []InputFault {
	d := differ{secret: in.Secret || v.Sensitive}
	var faults []InputFault
	for _, m := range d.compare(value, v.constraint, "") {
		faults = append(faults, v.fault(in, m.path, fmt.Sprintf("want %s, got %s", m.want, m.got)))
	}
	return faults
}

// differ finds mismatches; of a secret value it tells only types.
type differ struct{ secret bool }

// compare returns the deepest mismatches; none when the value converts.
func (d differ) compare(value cty.Value, want cty.Type, path string) []mismatch {
	if value, err := convert.Convert(value, want); err == nil && checkNumbers(value) == nil {
		return nil
	}
	here := mismatch{path, typeString(want, nil), d.describe(value)}
	var inside []mismatch
	switch got := value.Type(); {
	case want.IsObjectType() && got.IsObjectType():
		inside = d.compareObject(value, want, path)
	case want.IsMapType() && got.IsObjectType():
		for _, name := range slices.Sorted(maps.Keys(got.AttributeTypes())) {
			inside = append(inside, d.compare(value.GetAttr(name), want.ElementType(), path+d.key(name))...)
		}
	case want.IsTupleType() && got.IsTupleType() && want.Length() != got.Length():
		here.got = fmt.Sprintf("%d elements", got.Length())
	case want.IsTupleType() && got.IsTupleType():
		for i, element := range value.AsValueSlice() {
			inside = append(inside, d.compare(element, want.TupleElementType(i), path+index(i))...)
		}
	case (want.IsListType() || want.IsSetType()) && got.IsTupleType():
		for i, element := range value.AsValueSlice() {
			inside = append(inside, d.compare(element, want.ElementType(), path+index(i))...)
		}
		if len(inside) == 0 {
			here.got = "elements of types that have none in common"
		}
	}
	if len(inside) > 0 {
		return inside
	}
	return []mismatch{here}
}

// compareObject compares the attributes that the type has; Terraform ignores
// others.
func (d differ) compareObject(value cty.Value, want cty.Type, path string) []mismatch {
	var inside []mismatch
	attrs := want.AttributeTypes()
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		switch at := path + attribute(name); {
		case value.Type().HasAttribute(name):
			inside = append(inside, d.compare(value.GetAttr(name), attrs[name], at)...)
		case !want.AttributeOptional(name):
			inside = append(inside, mismatch{at, typeString(attrs[name], nil), "nothing"})
		}
	}
	return inside
}

// describe names a value's type, and quotes a short value that is not secret.
func (d differ) describe(value cty.Value) string {
	ty := value.Type()
	var name string
	switch {
	case value.IsNull():
		return "null"
	case ty.IsPrimitiveType():
		name = ty.FriendlyName()
	case ty.IsTupleType():
		return "a list"
	default:
		return "an object"
	}
	if checkNumbers(value) != nil {
		return "a number of too many digits"
	}
	quoted := string(toJSON(value))
	if d.secret || len(quoted) > maxQuoted {
		return "a " + name
	}
	return "the " + name + " " + quoted
}

// key renders a step into a map, whose keys are part of the value.
func (d differ) key(name string) string {
	if d.secret {
		return "[…]"
	}
	return "[" + strconv.Quote(name) + "]"
}

// attribute renders a step into an object.
func attribute(name string) string {
	if hclsyntax.ValidIdentifier(name) {
		return "." + name
	}
	return "[" + strconv.Quote(name) + "]"
}

// index renders a step into a list.
func index(i int) string { return "[" + strconv.Itoa(i) + "]" }
