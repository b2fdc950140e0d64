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

// maxMismatches is how many places in one value a message names.
const maxMismatches = 10

// mismatch is a place in a value that does not fit the type.
type mismatch struct {
	path string
	want string
	got  string
}

// mismatches says where a value that does not convert departs from the type. The
// conversion itself has decided that it does.
func (v *Variable) mismatches(in Input, value cty.Value) []InputFault {
	d := differ{secret: in.Secret || v.Sensitive, left: maxMismatches}
	var faults []InputFault
	for _, m := range d.compare(value, v.constraint, "") {
		faults = append(faults, v.fault(in, m.path, fmt.Sprintf("want %s, got %s", m.want, m.got)))
	}
	if d.left == 0 {
		faults = append(faults, v.fault(in, "", "there may be more wrong with it"))
	}
	return faults
}

// differ finds mismatches.
type differ struct {
	// secret values are not quoted, only their types told.
	secret bool
	// left is how many mismatches are still worth finding.
	left int
}

// compare returns the deepest mismatches; none when the value converts.
func (d *differ) compare(value cty.Value, want cty.Type, path string) []mismatch {
	if d.left == 0 {
		return nil
	}
	if value, err := convert.Convert(value, want); err == nil && checkNumbers(value) == nil {
		return nil
	}
	inside, sameKind := d.inside(value, want, path)
	here := mismatch{path, typeString(want, nil), d.describe(value)}
	switch {
	case len(inside) > 0 || d.left == 0:
		return inside
	case sameKind && want.IsTupleType():
		here.got = fmt.Sprintf("%d elements", value.LengthInt())
	case sameKind:
		here.got = "elements of types that have none in common"
	}
	return d.found(here)
}

// inside returns the mismatches of a value's parts, and whether it has the parts
// that the type asks for.
func (d *differ) inside(value cty.Value, want cty.Type, path string) (found []mismatch, sameKind bool) {
	switch got := value.Type(); {
	case want.IsObjectType() && got.IsObjectType():
		return d.insideObject(value, want, path), true
	case want.IsMapType() && got.IsObjectType():
		for _, name := range slices.Sorted(maps.Keys(got.AttributeTypes())) {
			found = append(found, d.compare(value.GetAttr(name), want.ElementType(), path+d.key(name))...)
		}
		return found, true
	case (want.IsListType() || want.IsSetType()) && got.IsTupleType():
		for i, element := range value.AsValueSlice() {
			found = append(found, d.compare(element, want.ElementType(), path+index(i))...)
		}
		return found, true
	case want.IsTupleType() && got.IsTupleType():
		if want.Length() != got.Length() {
			return nil, true
		}
		for i, element := range value.AsValueSlice() {
			found = append(found, d.compare(element, want.TupleElementType(i), path+index(i))...)
		}
		return found, true
	default:
		return nil, false
	}
}

// found counts a mismatch.
func (d *differ) found(m mismatch) []mismatch {
	if d.left == 0 {
		return nil
	}
	d.left--
	return []mismatch{m}
}

// insideObject compares the attributes that the type has; Terraform ignores
// others.
func (d *differ) insideObject(value cty.Value, want cty.Type, path string) []mismatch {
	var inside []mismatch
	attrs := want.AttributeTypes()
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		switch at := path + attribute(name); {
		case value.Type().HasAttribute(name):
			inside = append(inside, d.compare(value.GetAttr(name), attrs[name], at)...)
		case !want.AttributeOptional(name):
			inside = append(inside, d.found(mismatch{at, typeString(attrs[name], nil), "nothing"})...)
		}
	}
	return inside
}

// describe names a value's type, and quotes a short value that is not secret.
func (d *differ) describe(value cty.Value) string {
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
func (d *differ) key(name string) string {
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
