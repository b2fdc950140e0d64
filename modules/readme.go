package modules

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"
	"k8s.io/apimachinery/pkg/util/duration"
)

const (
	beginGenerated = "<!-- BEGIN GENERATED -->\n"
	endGenerated   = "<!-- END GENERATED -->"
)

// Readme returns the text of a README with the tables of the module's variables
// and outputs, and what its module.yaml says, between its two markers, each of them
// on a line of its own. It fails when the text does not have them.
func (m *Module) Readme(text []byte) ([]byte, error) { return generated(text, m.Reference()) }

// Readme returns the text of a library's README with the list of its modules between
// the two markers. It fails when the text does not have them.
func (c *Catalogue) Readme(text []byte) ([]byte, error) {
	var b strings.Builder
	row(&b, "Module", "Version", "What it makes")
	row(&b, "---", "---", "---")
	for _, m := range c.modules {
		row(&b, fmt.Sprintf("[%s](%s)", m.Name, m.Name), m.Version, m.Summary)
	}
	return generated(text, b.String())
}

// generated puts a part between the two markers of a text.
func generated(text []byte, part string) ([]byte, error) {
	before, rest, found := bytes.Cut(text, []byte(beginGenerated))
	_, after, foundEnd := bytes.Cut(rest, []byte(endGenerated))
	if !found || !foundEnd {
		return nil, errors.New("has no lines <!-- BEGIN GENERATED --> and <!-- END GENERATED -->")
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(beginGenerated)
	b.WriteString(part)
	b.WriteString(endGenerated)
	b.Write(after)
	return b.Bytes(), nil
}

// Reference returns what users and platform engineers have to know of the module,
// as Markdown: variables, outputs, and what its module.yaml says.
func (m *Module) Reference() string {
	var b strings.Builder
	b.WriteString("### Variables\n\n")
	row(&b, "Name", "Type", "Default", "Description")
	row(&b, "---", "---", "---", "---")
	for _, v := range m.Variables {
		row(&b, code(v.Name), code(v.TypeString()), v.defaultCell(), v.Description)
	}
	b.WriteString("\n### Outputs\n\n")
	row(&b, "Name", "Description", "Sensitive")
	row(&b, "---", "---", "---")
	for _, o := range m.Outputs {
		sensitive := "no"
		if o.Sensitive {
			sensitive = "yes"
		}
		row(&b, code(o.Name), o.Description, sensitive)
	}
	m.writeRuns(&b)
	m.writePermissions(&b)
	m.writeNotes(&b)
	return b.String()
}

// writeRuns says how long runs take, and what they ask about first.
func (m *Module) writeRuns(b *strings.Builder) {
	if m.Durations == nil && len(m.StatefulTypes) == 0 {
		return
	}
	b.WriteString("\n### Runs\n")
	if d := m.Durations; d != nil {
		fmt.Fprintf(b, "\nA create usually takes %s, a destroy %s. A run is stopped after %s unless `timeout` says otherwise; give a HelmRelease that waits for it no less.\n",
			duration.HumanDuration(d.Create.Duration), duration.HumanDuration(d.Destroy.Duration), duration.HumanDuration(m.Timeout()))
	}
	if len(m.StatefulTypes) > 0 {
		types := make([]string, len(m.StatefulTypes))
		for i, t := range m.StatefulTypes {
			types[i] = code(t)
		}
		fmt.Fprintf(b, "\nData, or what others know it by, goes with: %s.\n", strings.Join(types, ", "))
	}
}

// writePermissions writes the IAM policy, ready to be copied.
func (m *Module) writePermissions(b *strings.Builder) {
	if len(m.Permissions) > 0 {
		fmt.Fprintf(b, "\n### IAM policy\n\nThe least that plan, apply and destroy need:\n\n```json\n%s\n```\n", m.Policy())
	}
}

// writeNotes writes what a move to each version asks for, the newest first.
func (m *Module) writeNotes(b *strings.Builder) {
	if len(m.Notes) == 0 {
		return
	}
	b.WriteString("\n### Upgrades\n\n")
	versions := slices.SortedFunc(maps.Keys(m.Notes), func(a, b string) int {
		return version.Must(version.NewSemver(b)).Compare(version.Must(version.NewSemver(a)))
	})
	for _, v := range versions {
		fmt.Fprintf(b, "- **%s**: %s\n", v, strings.Join(strings.Fields(m.Notes[v]), " "))
	}
}

func (v *Variable) defaultCell() string {
	switch {
	case v.Required:
		return "required"
	case v.Sensitive && !v.Default.IsNull():
		return "sensitive"
	default:
		return code(string(toJSON(v.Default)))
	}
}

// row writes a row of a Markdown table.
func row(b *strings.Builder, cells ...string) {
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(strings.Join(strings.Fields(cell), " "), "|", `\|`)
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func code(s string) string { return "`" + s + "`" }
