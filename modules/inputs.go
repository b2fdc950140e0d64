package modules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Input is a value that a user gives for a variable: JSON or Text, not both.
type Input struct {
	// JSON is the value as JSON.
	JSON []byte
	// Text is the value as a Secret or a ConfigMap holds it: for a string variable
	// as it is, for a number or bool its text, for any other type JSON.
	Text *string
	// Output says that JSON is another module's output. One that is neither a list nor
	// a set is taken as the one element of a variable of a list or set type.
	Output bool
	// Source is where the value comes from, in messages: `spec.variables[size]`.
	Source string
	// Secret says that the value is never quoted.
	Secret bool
}

// InputsError lists everything that is wrong with the inputs of a module.
type InputsError struct {
	// Module is the module's name.
	Module string
	// Faults are sorted by variable.
	Faults []InputFault
}

// InputFault is something wrong with one input. It quotes no secret.
type InputFault struct {
	// Variable is the variable's name.
	Variable string
	// Field is what is at fault: an input's source, with the path inside its value
	// (`spec.variables[rules][0].port`); spec.variables for a missing one.
	Field string
	// Message says what is wrong, what was given and what is wanted.
	Message string
	// Missing says that the variable is required and nothing is given for it.
	Missing bool
}

func (e *InputsError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "; ")
}

func (f InputFault) String() string { return f.Field + ": " + f.Message }

// Inputs converts the given values, by variable name, to the variables' types as
// Terraform does, and returns the content of a terraform.tfvars.json with just
// those variables: compact, sorted, numbers with every digit, so that equal
// inputs are equal bytes. It fails with an InputsError.
func (m *Module) Inputs(in map[string]Input) (json.RawMessage, error) {
	values, faults := m.values(in, func(string) bool { return false })
	if len(faults) > 0 {
		return nil, &InputsError{Module: m.Name, Faults: faults}
	}
	b, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("encode the inputs of module %s: %w", m.Name, err)
	}
	return b, nil
}

// Check returns what is wrong with the given values when others are still to come,
// sorted by variable: toCome tells whether one may come for the variable of a name.
func (m *Module) Check(in map[string]Input, toCome func(variable string) bool) []InputFault {
	_, faults := m.values(in, toCome)
	return faults
}

// CheckName returns what there is instead of a variable that the module does not
// have; empty when it has one of that name.
func (m *Module) CheckName(variable string) string {
	if m.variable(variable) != nil {
		return ""
	}
	return m.unknown(variable)
}

// CheckOutput returns what there is instead of an output that the module does not
// have; empty when it has one of that name.
func (m *Module) CheckOutput(output string) string {
	if _, found := m.Output(output); found {
		return ""
	}
	names := make([]string, len(m.Outputs))
	for i, o := range m.Outputs {
		names[i] = o.Name
	}
	return fmt.Sprintf("module %s has no output %q; %s", m.Name, output, instead(output, "its outputs are", "it has none", names))
}

// values converts what is given, and says what is wrong with it, sorted by variable.
func (m *Module) values(in map[string]Input, toCome func(variable string) bool) (map[string]json.RawMessage, []InputFault) {
	var faults []InputFault
	values := map[string]json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		v := m.variable(name)
		if v == nil {
			faults = append(faults, InputFault{Variable: name, Field: in[name].Source, Message: m.unknown(name)})
			continue
		}
		value, wrong := v.input(in[name])
		if len(wrong) == 0 {
			values[name] = toJSON(value)
		}
		faults = append(faults, wrong...)
	}
	for _, v := range m.Variables {
		if _, given := in[v.Name]; v.Required && !given && !toCome(v.Name) {
			faults = append(faults, m.missing(v))
		}
	}
	slices.SortStableFunc(faults, func(a, b InputFault) int { return strings.Compare(a.Variable, b.Variable) })
	return values, faults
}

// unknown says what there is instead of a variable that the module does not have.
func (m *Module) unknown(name string) string {
	names := make([]string, len(m.Variables))
	for i, v := range m.Variables {
		names[i] = v.Name
	}
	return fmt.Sprintf("module %s has no variable %q; %s", m.Name, name, instead(name, "its variables are", "it has none", names))
}

// missing is the fault of a required variable that is not given.
func (m *Module) missing(v Variable) InputFault {
	return InputFault{
		Variable: v.Name, Field: "spec.variables", Missing: true,
		Message: fmt.Sprintf("variable %q of module %s is required (%s) and is not given", v.Name, m.Name, v.TypeString()),
	}
}

// input converts what is given for the variable, or says what is wrong with it.
func (v *Variable) input(in Input) (cty.Value, []InputFault) {
	value, problem := v.parse(in)
	if problem != "" {
		return cty.NilVal, []InputFault{v.fault(in, "", problem)}
	}
	converted, err := v.convert(value)
	if err == nil {
		err = checkNumbers(converted)
	}
	switch {
	case err != nil:
		return cty.NilVal, v.mismatches(in, value)
	case !converted.IsNull() || v.Nullable:
		return converted, nil
	case v.Required:
		return cty.NilVal, []InputFault{v.fault(in, "", fmt.Sprintf("want %s, got null; the variable is required", v.TypeString()))}
	default:
		return v.Default, nil
	}
}

// fault makes a fault of the input. The source of a text or an output does not name
// the variable.
func (v *Variable) fault(in Input, path, message string) InputFault {
	if in.Text == nil && !in.Output {
		return InputFault{Variable: v.Name, Field: in.Source + path, Message: message}
	}
	return InputFault{Variable: v.Name, Field: in.Source, Message: fmt.Sprintf("for variable %s%s: %s", v.Name, path, message)}
}
