package infrastructure

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
)

// checkOutputs reports every fault of spec.outputs that can be seen before the
// module is applied. module is nil when it is not known, nor are its outputs then.
func checkOutputs(spec v1alpha1.OutputsSpec, module *modules.Module) field.ErrorList {
	var faults field.ErrorList
	add := func(kind field.ErrorType, at, format string, args ...any) {
		faults = append(faults, newFault(kind, at, v1alpha1.ReasonInvalidOutputs, format, args...))
	}
	var known []string
	if module != nil {
		for _, output := range module.Outputs {
			known = append(known, output.Name)
		}
	}
	claimed := map[string]string{}
	claim := func(key, at string) {
		if problems := validation.IsConfigMapKey(key); len(problems) > 0 {
			add(field.ErrorTypeInvalid, at, "%q cannot be a Secret's key: %s", key, strings.Join(problems, ", "))
		}
		if other, ok := claimed[key]; ok {
			add(field.ErrorTypeDuplicate, at, "key %q is also made by %s; use another key for one of them", key, other)
		}
		claimed[key] = at
	}
	for _, name := range slices.Sorted(maps.Keys(keysOf(spec, known))) {
		at := fmt.Sprintf("spec.outputs.keys[%s]", name)
		if module != nil && !slices.Contains(known, name) {
			add(field.ErrorTypeInvalid, at, "module %s has no output %q; it has %q", module.Name, name, known)
		}
		claim(keysOf(spec, known)[name], at)
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Templates)) {
		at := fmt.Sprintf("spec.outputs.templates[%s]", key)
		claim(key, at)
		_, outputs, err := parseTemplate(spec.Templates[key])
		if err != nil {
			add(field.ErrorTypeInvalid, at, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		for _, name := range distinct(outputs) {
			if module != nil && !slices.Contains(known, name) {
				add(field.ErrorTypeInvalid, at, "the module has no output %q; it has %q", name, known)
			}
		}
	}
	if spec.ValuesKey != "" {
		claim(spec.ValuesKey, "spec.outputs.valuesKey")
	}
	return faults
}

// keysOf maps output names to Secret keys: what the spec selects, or else every
// output under its own name.
func keysOf(spec v1alpha1.OutputsSpec, outputs []string) map[string]string {
	if len(spec.Keys) > 0 {
		return spec.Keys
	}
	keys := make(map[string]string, len(outputs))
	for _, name := range outputs {
		keys[name] = name
	}
	return keys
}

// distinct leaves of each name the first.
func distinct(names []string) []string {
	var once []string
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

// render returns the data of the output Secret.
func render(spec v1alpha1.OutputsSpec, outputs map[string]state.Output) (map[string][]byte, error) {
	data := map[string][]byte{}
	for name, key := range keysOf(spec, slices.Collect(maps.Keys(outputs))) {
		output, ok := outputs[name]
		if !ok || output.Value.IsNull() {
			continue
		}
		text, err := renderValue(output.Value)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
		data[key] = text
	}
	values := make(map[string]any, len(outputs))
	for name, output := range outputs {
		if output.Value.IsNull() {
			// Left out, so that a template that uses it fails rather than says "<nil>".
			continue
		}
		value, err := plainValue(output.Value)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
		values[name] = value
	}
	for key, text := range spec.Templates {
		b, err := renderTemplate(text, values)
		if err != nil {
			return nil, fmt.Errorf("spec.outputs.templates[%s]: %w", key, err)
		}
		data[key] = b
	}
	if spec.ValuesKey != "" {
		b, err := valuesDocument(outputs)
		if err != nil {
			return nil, err
		}
		data[spec.ValuesKey] = b
	}
	return data, nil
}

// renderValue writes a string as it is, a number in its exact digits, anything
// else as compact JSON without HTML escapes.
func renderValue(v cty.Value) ([]byte, error) {
	switch {
	case v.Type() == cty.String:
		return []byte(v.AsString()), nil
	case v.Type() == cty.Number:
		return []byte(v.AsBigFloat().Text('f', -1)), nil
	}
	plain, err := plainValue(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(plain); err != nil {
		return nil, fmt.Errorf("encode as JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// plainValue turns a value into maps, slices, strings, bools, nil and json.Number,
// which keeps every digit.
func plainValue(v cty.Value) (any, error) {
	b, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return nil, fmt.Errorf("encode as JSON: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var plain any
	if err := dec.Decode(&plain); err != nil {
		return nil, fmt.Errorf("decode as JSON: %w", err)
	}
	return plain, nil
}

// valuesDocument is all outputs as one YAML document, sorted by name. It is built
// of nodes rather than of values, so that a number keeps every digit.
func valuesDocument(outputs map[string]state.Output) ([]byte, error) {
	doc := make(map[string]any, len(outputs))
	for name, output := range outputs {
		value, err := plainValue(output.Value)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
		doc[name] = value
	}
	b, err := yaml.Marshal(valuesNode(doc))
	if err != nil {
		return nil, fmt.Errorf("encode the values: %w", err)
	}
	return b, nil
}

// valuesNode is a plain value as YAML. Texts are quoted, so that no reader takes
// one for something else.
func valuesNode(plain any) *yaml.Node {
	scalar := func(tag, value string, style yaml.Style) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value, Style: style}
	}
	switch v := plain.(type) {
	case map[string]any:
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			node.Content = append(node.Content, scalar("!!str", key, yaml.DoubleQuotedStyle), valuesNode(v[key]))
		}
		return node
	case []any:
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for _, element := range v {
			node.Content = append(node.Content, valuesNode(element))
		}
		return node
	case string:
		return scalar("!!str", v, yaml.DoubleQuotedStyle)
	case json.Number:
		return scalar("", v.String(), 0)
	case bool:
		return scalar("!!bool", strconv.FormatBool(v), 0)
	default: // nil
		return scalar("!!null", "null", 0)
	}
}

// checksum is the SHA-256 over the sorted data, "sha256:<hex>".
func checksum(data map[string][]byte) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(data)) {
		fmt.Fprintf(h, "%d:%s=%d:", len(key), key, len(data[key]))
		h.Write(data[key])
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
