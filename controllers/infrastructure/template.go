package infrastructure

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// maxRendered is what a Secret holds in bytes; no template may make more.
const maxRendered = 1 << 20

// templateFunctions are the functions of text/template that a template may use.
// The others can make a short template fill the controller's memory.
func templateFunctions() []string {
	return []string{"and", "eq", "ge", "gt", "index", "le", "len", "lt", "ne", "not", "or", "slice", "urlquery"}
}

// parseTemplate parses a template of spec.outputs.templates and returns the outputs
// that it reads by name: .host, the .tags of .tags.owner, and $.host. Within range
// and with only the last: there the dot is something else.
//
// A template that refers to an output that is not there fails when it is run. One
// that could take more time or memory than its size explains is refused: the
// controller serves others as well.
func parseTemplate(text string) (*template.Template, []string, error) {
	t, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, nil, fmt.Errorf("the template does not parse: %s", strings.TrimPrefix(err.Error(), "template: :"))
	}
	if t.Tree == nil {
		return t, nil, nil
	}
	var w templateWalk
	w.list(t.Root, place{outputs: true})
	return t, w.fields, errors.Join(w.faults...)
}

// renderTemplate runs a template over the values of the outputs.
func renderTemplate(text string, values map[string]any) ([]byte, error) {
	t, _, err := parseTemplate(text)
	if err != nil {
		return nil, err
	}
	var b boundedBuffer
	if err := t.Execute(&b, values); errors.Is(err, errTooLong) {
		return nil, err
	} else if err != nil {
		// The error of the template package can quote a value.
		return nil, errors.New("the template fails on the module's outputs; an output that it uses is null, or not of the kind that it expects")
	}
	return b.Bytes(), nil
}

var errTooLong = errors.New("the template makes more than the 1 MiB that a Secret holds")

// boundedBuffer takes maxRendered bytes.
type boundedBuffer struct{ bytes.Buffer }

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}

// templateWalk goes through the nodes of a template.
type templateWalk struct {
	// fields are the outputs that it reads.
	fields []string
	// faults are what it may not do.
	faults []error
}

// place is where in a template a node is.
type place struct {
	// outputs: the dot is the map of outputs.
	outputs bool
	// looped: within a range.
	looped bool
}

func (w *templateWalk) refuse(format string, args ...any) {
	w.faults = append(w.faults, fmt.Errorf(format, args...))
}

func (w *templateWalk) list(l *parse.ListNode, at place) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		w.node(n, at)
	}
}

func (w *templateWalk) node(n parse.Node, at place) {
	switch n := n.(type) {
	case *parse.ActionNode:
		w.pipe(n.Pipe, at)
	case *parse.TemplateNode:
		w.refuse("the template may not use template or block")
	case *parse.IfNode:
		w.branch(&n.BranchNode, at, at)
	case *parse.WithNode:
		w.branch(&n.BranchNode, at, place{looped: at.looped})
	case *parse.RangeNode:
		if at.looped || !isField(n.Pipe) {
			w.refuse("the template may range over an output or a part of one, such as {{ range .hosts }}, and not within another range")
		}
		w.branch(&n.BranchNode, at, place{looped: true})
	}
}

func (w *templateWalk) branch(n *parse.BranchNode, at, inside place) {
	w.pipe(n.Pipe, at)
	w.list(n.List, inside)
	w.list(n.ElseList, at)
}

func (w *templateWalk) pipe(p *parse.PipeNode, at place) {
	for _, cmd := range p.Cmds {
		for _, arg := range cmd.Args {
			w.arg(arg, at)
		}
	}
}

func (w *templateWalk) arg(n parse.Node, at place) {
	switch n := n.(type) {
	case *parse.PipeNode:
		w.pipe(n, at)
	case *parse.ChainNode:
		w.arg(n.Node, at)
	case *parse.IdentifierNode:
		if !slices.Contains(templateFunctions(), n.Ident) {
			w.refuse("the template may not use the function %s; it may use %s", n.Ident, strings.Join(templateFunctions(), ", "))
		}
	case *parse.FieldNode:
		if at.outputs {
			w.fields = append(w.fields, n.Ident[0])
		}
	case *parse.VariableNode:
		if n.Ident[0] == "$" && len(n.Ident) > 1 {
			w.fields = append(w.fields, n.Ident[1])
		}
	}
}

// isField tells whether a pipe is nothing but a field, which is as long as an
// output is; a number would be counted up to.
func isField(p *parse.PipeNode) bool {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return false
	}
	switch n := p.Cmds[0].Args[0].(type) {
	case *parse.FieldNode, *parse.DotNode:
		return true
	case *parse.VariableNode:
		return n.Ident[0] == "$"
	}
	return false
}
