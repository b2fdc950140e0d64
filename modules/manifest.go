package modules

import (
	"io/fs"
	"path"
	"strings"

	"github.com/hashicorp/go-version"
	"go.yaml.in/yaml/v3"
)

const manifestFile = "module.yaml"

// readManifest reads module.yaml: version and summary, both required, nothing
// else.
func (m *Module) readManifest(library fs.FS, faults *faults) {
	file := path.Join(m.Name, manifestFile)
	b, err := fs.ReadFile(library, file)
	if err != nil {
		faults.add(file, 0, "cannot be read: %v", err)
		return
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		faults.add(file, 0, "%v", err)
		return
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		faults.add(file, 1, "must be a mapping with version and summary")
		return
	}
	fields := doc.Content[0].Content
	for i := 0; i+1 < len(fields); i += 2 {
		m.readField(file, fields[i], fields[i+1], faults)
	}
	if m.Version == "" {
		faults.add(file, 0, "version is required, such as 1.0.0")
	}
	if m.Summary == "" {
		faults.add(file, 0, "summary is required: what the module makes, in one line")
	}
}

// readField reads one field of module.yaml.
func (m *Module) readField(file string, key, value *yaml.Node, faults *faults) {
	switch {
	case key.Value != "version" && key.Value != "summary":
		faults.add(file, key.Line, "unknown field %q; the fields are version and summary", key.Value)
	case value.Kind != yaml.ScalarNode:
		faults.add(file, value.Line, "%s must be a text", key.Value)
	case key.Value == "version":
		m.Version = value.Value
		v, err := version.NewSemver(value.Value)
		if err != nil || v.String() != value.Value {
			faults.add(file, value.Line, "version %q is not a semantic version such as 1.0.0", value.Value)
		}
		m.version = v
	default:
		m.Summary = strings.TrimSpace(value.Value)
		if strings.Contains(m.Summary, "\n") {
			faults.add(file, value.Line, "summary must be one line")
		}
	}
}
