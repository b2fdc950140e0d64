package infrastructure

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
)

// checkOutputs reports every fault of spec.outputs that can be seen before the
// module is applied.
func checkOutputs(spec v1alpha1.OutputsSpec, module *modules.Module) error {
	var faults []error
	known := make([]string, len(module.Outputs))
	for i, output := range module.Outputs {
		known[i] = output.Name
	}
	claimed := map[string]string{}
	claim := func(key, field string) {
		if problems := validation.IsConfigMapKey(key); len(problems) > 0 {
			faults = append(faults, fmt.Errorf("%s: %q cannot be a Secret's key: %s", field, key, strings.Join(problems, ", ")))
		}
		if other, ok := claimed[key]; ok {
			faults = append(faults, fmt.Errorf("%s: key %q is also made by %s; use another key for one of them", field, key, other))
		}
		claimed[key] = field
	}
	for _, name := range slices.Sorted(maps.Keys(keysOf(spec, known))) {
		field := fmt.Sprintf("spec.outputs.keys[%s]", name)
		if !slices.Contains(known, name) {
			faults = append(faults, fmt.Errorf("%s: module %s has no output %q; it has %q", field, module.Name, name, known))
		}
		claim(keysOf(spec, known)[name], field)
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Templates)) {
		field := fmt.Sprintf("spec.outputs.templates[%s]", key)
		claim(key, field)
		if err := checkTemplate(spec.Templates[key], known); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", field, err))
		}
	}
	if spec.ValuesKey != "" {
		claim(spec.ValuesKey, "spec.outputs.valuesKey")
	}
	return errors.Join(faults...)
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

// checkTemplate parses a template and looks for names of outputs that are not there.
func checkTemplate(text string, outputs []string) error {
	_, fields, err := parseTemplate(text)
	if err != nil {
		return err
	}
	for _, field := range fields {
		if !slices.Contains(outputs, field) {
			return fmt.Errorf("the module has no output %q; it has %q", field, outputs)
		}
	}
	return nil
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
