package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Sensitive stands for a value that is never shown.
const Sensitive = "(sensitive)"

// Resource is one object of a resource instance in a state, of a managed resource or a
// data source.
type Resource struct {
	// Address is the instance's, as Terraform writes it:
	// module.queues["a"].aws_sqs_queue.this[0].
	Address string
	// Deposed is the key of an object that was replaced and not destroyed yet; empty for
	// the current one.
	Deposed string
	// Tainted says that it is only half made, and replaced by the next apply.
	Tainted bool
	// Attributes are in their JSON form, numbers as json.Number. What the configuration
	// or the provider's schema calls sensitive is Sensitive. What a provider copies of it
	// to another attribute is not, as Terraform does not know of that.
	Attributes map[string]any
}

// Resources returns what is in a state, in its order. It fails as Read does.
func (s *Store) Resources(ctx context.Context, key string) ([]Resource, error) {
	content, parts, err := s.load(ctx, key)
	if err != nil {
		return nil, err
	}
	resources, err := parseResources(content)
	if err != nil {
		return nil, s.object("Secret", parts[0].Name).unreadable("%v", err)
	}
	return resources, nil
}

// resourceFile is the part of a state file that has the resources.
// Source: https://github.com/hashicorp/terraform/blob/v1.11.4/internal/states/statefile/version4.go
type resourceFile struct {
	Version   int `json:"version"`
	Resources []struct {
		Module    string         `json:"module"`
		Mode      string         `json:"mode"`
		Type      string         `json:"type"`
		Name      string         `json:"name"`
		Instances []fileInstance `json:"instances"`
	} `json:"resources"`
}

type fileInstance struct {
	IndexKey   any    `json:"index_key"`
	Status     string `json:"status"`
	Deposed    string `json:"deposed"`
	Attributes any    `json:"attributes"`
	// SensitiveAttributes are paths of the configuration's and, as of Terraform 1.11 and
	// OpenTofu 1.10, those of the provider's schema.
	SensitiveAttributes [][]fileStep `json:"sensitive_attributes"`
}

// fileStep is a step of the path to an attribute.
type fileStep struct {
	// Type is get_attr or index.
	Type string `json:"type"`
	// Value is the attribute's name, or the index with its type.
	Value json.RawMessage `json:"value"`
}

// parseResources reads the resources of a state file. Its errors quote nothing of it.
func parseResources(b []byte) ([]Resource, error) {
	var f resourceFile
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	if err := decoder.Decode(&f); err != nil {
		return nil, errors.New("its resources are not of the form that Terraform writes; restore it from a backup")
	}
	if err := checkVersion(f.Version); err != nil {
		return nil, err
	}
	var resources []Resource
	for _, r := range f.Resources {
		names := []string{r.Module, r.Type, r.Name}
		if r.Mode == "data" {
			names = slices.Insert(names, 1, "data")
		}
		address := strings.TrimPrefix(strings.Join(names, "."), ".")
		for _, instance := range r.Instances {
			resources = append(resources, Resource{
				Address: address + instance.index(), Deposed: instance.Deposed, Tainted: instance.Status == "tainted",
				Attributes: instance.masked(),
			})
		}
	}
	return resources, nil
}

// index is the instance's part of the address, empty for a single one.
func (i fileInstance) index() string {
	switch key := i.IndexKey.(type) {
	case nil:
		return ""
	case string:
		return fmt.Sprintf("[%q]", key)
	default:
		return fmt.Sprintf("[%v]", key)
	}
}

// masked are the attributes without sensitive values.
func (i fileInstance) masked() map[string]any {
	all := i.Attributes
	for _, path := range i.SensitiveAttributes {
		all = mask(all, path)
	}
	attributes, _ := all.(map[string]any)
	return attributes
}

// mask replaces what a path leads to; null needs no mask. Where the path does not fit the
// value, all from there on is replaced.
func mask(value any, path []fileStep) any {
	if value == nil {
		return nil
	}
	if len(path) == 0 {
		return Sensitive
	}
	switch v := value.(type) {
	case map[string]any:
		name, ok := path[0].key().(string)
		inner, there := v[name]
		if !ok || !there || dynamic(v) {
			return Sensitive
		}
		v[name] = mask(inner, path[1:])
		return v
	case []any:
		number, ok := path[0].key().(float64)
		if n := int(number); ok && n >= 0 && n < len(v) {
			v[n] = mask(v[n], path[1:])
			return v
		}
	}
	return Sensitive
}

// dynamic tells whether a value may be one with its type beside it, as of an attribute
// whose type is only known from its value; paths do not tell of that.
func dynamic(v map[string]any) bool {
	_, hasType := v["type"]
	_, hasValue := v["value"]
	return len(v) == 2 && hasType && hasValue
}

// key is the name or the index of the step, nil when it is of another form.
func (s fileStep) key() any {
	if s.Type == "get_attr" {
		var name string
		if json.Unmarshal(s.Value, &name) != nil {
			return nil
		}
		return name
	}
	var index struct {
		Value any `json:"value"`
	}
	if json.Unmarshal(s.Value, &index) != nil {
		return nil
	}
	return index.Value
}
