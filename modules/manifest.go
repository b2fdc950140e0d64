package modules

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const manifestFile = "module.yaml"

// ManifestSchema is the JSON Schema of module.yaml.
//
//go:embed module.schema.json
var ManifestSchema []byte

// Manifest is the content of module.yaml.
type Manifest struct {
	// Version is the semantic version.
	Version string `json:"version"`
	// Summary is what the module makes, in one line.
	Summary string `json:"summary"`
	// StatefulTypes are the resource types whose deletion or replacement loses
	// data, or an identity that others know.
	StatefulTypes []string `json:"statefulTypes"`
	// HarmlessDrift are attributes that come to differ without harm, each as
	// TYPE.ATTRIBUTE.
	HarmlessDrift []string `json:"harmlessDrift"`
	// Durations are what runs usually take; nil when the module does not say.
	Durations *Durations `json:"durations"`
	// Permissions are the least that plan, apply and destroy need.
	Permissions []Permission `json:"permissions"`
	// Notes are what a move to a version asks of users, by version.
	Notes map[string]string `json:"notes"`
}

// Durations are what the runs of a module usually take.
type Durations struct {
	Create  metav1.Duration `json:"create"`
	Destroy metav1.Duration `json:"destroy"`
}

// minTimeout is what a run is given at least.
const minTimeout = 30 * time.Minute

// Timeout is what a run of the module is given when its object does not say: three
// times the longer duration, and 30 minutes at least.
func (m *Manifest) Timeout() time.Duration {
	if m.Durations == nil {
		return minTimeout
	}
	return max(minTimeout, 3*m.Durations.Create.Duration, 3*m.Durations.Destroy.Duration)
}

// readManifest reads module.yaml, which has to be as its schema says.
func (m *Module) readManifest(library fs.FS, faults *faults) {
	file := path.Join(m.Name, manifestFile)
	b, err := fs.ReadFile(library, file)
	if err != nil {
		faults.add(file, 0, "cannot be read: %v", err)
		return
	}
	var doc yaml.Node
	var value any
	if err := errors.Join(yaml.Unmarshal(b, &doc), yaml.Unmarshal(b, &value)); err != nil {
		faults.add(file, 0, "%v", err)
		return
	}
	before := len(*faults)
	checkManifest(file, &doc, value, faults)
	if len(*faults) > before {
		return
	}
	// It is what the schema says, and JSON has a place for all of that.
	document, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(document, &m.Manifest)
	}
	if err != nil {
		faults.add(file, 0, "%v", err)
		return
	}
	m.Summary = strings.TrimSpace(m.Summary)
	if m.version, err = version.NewSemver(m.Version); err != nil {
		faults.add(file, 0, "version %q: %v", m.Version, err)
	}
}

// manifestSchema is the compiled schema of module.yaml.
var manifestSchema = sync.OnceValue(func() *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(ManifestSchema))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(manifestFile, doc); err != nil {
		panic(err)
	}
	return c.MustCompile(manifestFile)
})

// checkManifest reports where the file is not as the schema says, with the line and
// what is wanted there.
func checkManifest(file string, doc *yaml.Node, value any, faults *faults) {
	err := manifestSchema().Validate(value)
	wrong := (*jsonschema.ValidationError)(nil)
	if err == nil {
		return
	}
	if !errors.As(err, &wrong) {
		faults.add(file, 0, "%v", err)
		return
	}
	english := message.NewPrinter(language.English)
	for _, leaf := range leaves(wrong) {
		at := leaf.InstanceLocation
		problem := leaf.ErrorKind.LocalizedString(english) + " (" + wanted(at) + ")"
		if len(at) > 0 {
			problem = strings.Join(at, ".") + ": " + problem
		}
		if unknown, ok := leaf.ErrorKind.(*kind.AdditionalProperties); ok {
			at = append(slices.Clone(at), unknown.Properties[0])
		}
		faults.add(file, lineOf(doc, at), "%s", problem)
	}
}

// leaves are the faults that are not just the sum of others.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var all []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

// wanted is what the schema says of the field that a place is in.
func wanted(at []string) string {
	fields := manifestSchema().Properties
	if len(at) == 0 || fields[at[0]] == nil {
		return "the fields are " + strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
	}
	return fields[at[0]].Description
}

// lineOf returns the line of a place in a document, or of what is nearest to it.
func lineOf(doc *yaml.Node, at []string) int {
	node := doc
	for node.Kind == yaml.DocumentNode {
		node = node.Content[0]
	}
	for _, step := range at {
		next := nodeAt(node, step)
		if next == nil {
			break
		}
		node = next
	}
	return max(node.Line, 1)
}

// nodeAt returns what a mapping has for a key, or a sequence at an index.
func nodeAt(node *yaml.Node, step string) *yaml.Node {
	if node.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(step); err == nil && i < len(node.Content) {
			return node.Content[i]
		}
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == step {
			return node.Content[i+1]
		}
	}
	return nil
}
