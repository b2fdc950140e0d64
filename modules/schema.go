package modules

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Schema returns the OpenAPI v3 schema of an Infrastructure's spec.variables. It is
// for people and editors and has values in their own type; what is really taken is
// what Terraform takes, such as a number written as a text.
func (m *Module) Schema() *apiextensionsv1.JSONSchemaProps {
	s := object()
	for _, v := range m.Variables {
		property := schemaOf(v.constraint, v.defaults)
		property.Description = strings.Join(append([]string{v.Description}, v.Validations...), "\n\n")
		property.Nullable = v.Nullable
		if v.Sensitive {
			property.Format = "password"
		}
		property.Default = v.shownDefault()
		s.Properties[v.Name] = property
		if v.Required {
			s.Required = append(s.Required, v.Name)
		}
	}
	return &s
}

// InfrastructureSchema returns a JSON Schema of Infrastructures of the module, with which an
// editor completes and checks them.
func (m *Module) InfrastructureSchema() map[string]any {
	variables := jsonSchema(m.Schema())
	required := variables["required"]
	delete(variables, "required")
	spec := map[string]any{
		"type":     "object",
		"required": []string{"module"},
		"properties": map[string]any{
			"module":    map[string]any{"const": m.Name, "description": m.Summary},
			"variables": variables,
		},
	}
	if required != nil {
		// They may come from elsewhere.
		spec["if"] = map[string]any{"not": map[string]any{"required": []string{"variablesFrom"}}}
		spec["then"] = map[string]any{
			"required":   []string{"variables"},
			"properties": map[string]any{"variables": map[string]any{"required": required}},
		}
	}
	return map[string]any{
		"$schema":     "https://json-schema.org/draft-07/schema#",
		"title":       "Infrastructure of module " + m.Name + " " + m.Version,
		"description": m.Summary,
		"type":        "object",
		"required":    []string{"apiVersion", "kind", "metadata", "spec"},
		"properties": map[string]any{
			"apiVersion": map[string]any{"const": v1alpha1.GroupVersion().String()},
			"kind":       map[string]any{"const": "Infrastructure"},
			"spec":       spec,
		},
	}
}

// schemaOf returns the schema of values of a type.
func schemaOf(ty cty.Type, defaults *typeexpr.Defaults) apiextensionsv1.JSONSchemaProps {
	switch {
	case ty == cty.String:
		return apiextensionsv1.JSONSchemaProps{Type: "string"}
	case ty == cty.Number:
		return apiextensionsv1.JSONSchemaProps{Type: "number"}
	case ty == cty.Bool:
		return apiextensionsv1.JSONSchemaProps{Type: "boolean"}
	case ty.IsListType(), ty.IsSetType():
		return array(schemaOf(ty.ElementType(), child(defaults, "")))
	case ty.IsMapType():
		values := schemaOf(ty.ElementType(), child(defaults, ""))
		return apiextensionsv1.JSONSchemaProps{Type: "object", AdditionalProperties: &apiextensionsv1.JSONSchemaPropsOrBool{Allows: true, Schema: &values}}
	case ty.IsTupleType():
		return tupleSchema(ty, defaults)
	case ty.IsObjectType():
		return objectSchema(ty, defaults)
	default: // any
		return apiextensionsv1.JSONSchemaProps{XPreserveUnknownFields: ptr.To(true)}
	}
}

func objectSchema(ty cty.Type, defaults *typeexpr.Defaults) apiextensionsv1.JSONSchemaProps {
	s := object()
	// Terraform takes and drops attributes that an object type does not have.
	s.AdditionalProperties = nil
	for name, attr := range ty.AttributeTypes() {
		property := schemaOf(attr, child(defaults, name))
		if ty.AttributeOptional(name) {
			property.Nullable = true
			if value, ok := defaultOf(defaults, name); ok {
				property.Default = &apiextensionsv1.JSON{Raw: toJSON(value)}
			}
		} else {
			s.Required = append(s.Required, name)
		}
		s.Properties[name] = property
	}
	slices.Sort(s.Required)
	return s
}

// tupleSchema says how many elements there are, and what each of them may be:
// OpenAPI has no types by position.
func tupleSchema(ty cty.Type, defaults *typeexpr.Defaults) apiextensionsv1.JSONSchemaProps {
	var anyOne apiextensionsv1.JSONSchemaProps
	for i, element := range ty.TupleElementTypes() {
		anyOne.AnyOf = append(anyOne.AnyOf, schemaOf(element, child(defaults, strconv.Itoa(i))))
	}
	s := array(anyOne)
	s.MinItems = ptr.To(int64(ty.Length()))
	s.MaxItems = s.MinItems
	return s
}

func array(items apiextensionsv1.JSONSchemaProps) apiextensionsv1.JSONSchemaProps {
	return apiextensionsv1.JSONSchemaProps{Type: "array", Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &items}}
}

// object is the schema of an object without properties.
func object() apiextensionsv1.JSONSchemaProps {
	return apiextensionsv1.JSONSchemaProps{
		Type:                 "object",
		Properties:           map[string]apiextensionsv1.JSONSchemaProps{},
		AdditionalProperties: &apiextensionsv1.JSONSchemaPropsOrBool{},
	}
}

// jsonSchema returns an OpenAPI v3.0 schema as a JSON Schema, which has null among
// the types instead of nullable.
func jsonSchema(s *apiextensionsv1.JSONSchemaProps) map[string]any {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // it has nothing that JSON has no place for
	}
	var schema map[string]any
	if err := json.Unmarshal(b, &schema); err != nil {
		panic(err)
	}
	return withNull(schema).(map[string]any)
}

func withNull(value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = withNull(value[i])
		}
	case map[string]any:
		for _, key := range slices.Collect(maps.Keys(value)) {
			value[key] = withNull(value[key])
		}
		if ty, ok := value["type"].(string); ok && value["nullable"] == true {
			value["type"] = []any{ty, "null"}
		}
		delete(value, "nullable")
		delete(value, "x-kubernetes-preserve-unknown-fields")
	}
	return value
}
