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
	"strings"
	"text/template"

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

// checkTemplate parses a template and runs it over outputs that are all there, to
// find names that are not.
func checkTemplate(text string, outputs []string) error {
	t, err := parseTemplate(text)
	if err != nil {
		return err
	}
	for _, field := range templateFields(t) {
		if !slices.Contains(outputs, field) {
			return fmt.Errorf("the module has no output %q; it has %q", field, outputs)
		}
	}
	return nil
}

// parseTemplate parses a template of spec.outputs.templates. A template that
// refers to an output that is not there fails when it is run.
func parseTemplate(text string) (*template.Template, error) {
	t, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the template does not parse: %s", strings.TrimPrefix(err.Error(), "template: :"))
	}
	return t, nil
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
		t, err := parseTemplate(text)
		if err != nil {
			return nil, fmt.Errorf("spec.outputs.templates[%s]: %w", key, err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, values); err != nil {
			// The error of the template package can quote a value.
			return nil, fmt.Errorf("spec.outputs.templates[%s]: the template fails on the module's outputs; an output that it uses is null, or not of the kind that it expects", key)
		}
		data[key] = b.Bytes()
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

// valuesDocument is all outputs as one YAML document, sorted by name. JSON is YAML,
// and a YAML parser keeps the type and the digits of each value that it reads as
// JSON; only the layout is made anew.
func valuesDocument(outputs map[string]state.Output) ([]byte, error) {
	doc := make(map[string]json.RawMessage, len(outputs))
	for name, output := range outputs {
		b, err := ctyjson.Marshal(output.Value, output.Value.Type())
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
		doc[name] = b
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encode the values: %w", err)
	}
	var node yaml.Node
	if err := yaml.Unmarshal(b, &node); err != nil {
		return nil, fmt.Errorf("read the values as YAML: %w", err)
	}
	setBlockStyle(&node)
	return yaml.Marshal(&node)
}

// setBlockStyle lays a document out in lines. Scalars keep their style: a quoted
// one is a string for good.
func setBlockStyle(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		n.Style = 0
	}
	for _, child := range n.Content {
		setBlockStyle(child)
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
