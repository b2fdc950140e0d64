package modules

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

const (
	beginGenerated = "<!-- BEGIN GENERATED -->\n"
	endGenerated   = "<!-- END GENERATED -->"
)

// Readme returns the text of a README with the tables of the module's variables
// and outputs between its two markers, each of them on a line of its own. It
// fails when the text does not have them.
func (m *Module) Readme(text []byte) ([]byte, error) {
	before, rest, found := bytes.Cut(text, []byte(beginGenerated))
	_, after, foundEnd := bytes.Cut(rest, []byte(endGenerated))
	if !found || !foundEnd {
		return nil, errors.New("has no lines <!-- BEGIN GENERATED --> and <!-- END GENERATED -->")
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(beginGenerated)
	b.WriteString(m.tables())
	b.WriteString(endGenerated)
	b.Write(after)
	return b.Bytes(), nil
}

// tables returns the module's variables and outputs as Markdown.
func (m *Module) tables() string {
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
	return b.String()
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
