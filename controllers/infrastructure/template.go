package infrastructure

import (
	"text/template"
	"text/template/parse"
)

// templateFields are the top-level names that a template reads: .host, and the
// .tags of .tags.owner. Those within range and with are left out: there the dot is
// something else.
func templateFields(t *template.Template) []string {
	var fields []string
	var walk func(parse.Node)
	list := func(l *parse.ListNode) {
		if l != nil {
			for _, n := range l.Nodes {
				walk(n)
			}
		}
	}
	walk = func(n parse.Node) {
		switch n := n.(type) {
		case *parse.ActionNode:
			walk(n.Pipe)
		case *parse.PipeNode:
			for _, cmd := range n.Cmds {
				walk(cmd)
			}
		case *parse.CommandNode:
			for _, arg := range n.Args {
				walk(arg)
			}
		case *parse.ChainNode:
			walk(n.Node)
		case *parse.FieldNode:
			fields = append(fields, n.Ident[0])
		case *parse.IfNode:
			walk(n.Pipe)
			list(n.List)
			list(n.ElseList)
		case *parse.RangeNode:
			walk(n.Pipe)
			list(n.ElseList)
		case *parse.WithNode:
			walk(n.Pipe)
			list(n.ElseList)
		}
	}
	list(t.Root)
	return fields
}
