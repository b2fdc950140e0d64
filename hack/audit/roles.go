// Package audit compares what roles allow with what an API server's audit log says
// was used.
package audit

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Grant is one verb on one resource that a ServiceAccount has.
type Grant struct {
	// Subject is the user name of the ServiceAccount.
	Subject string
	// Namespace is where the grant holds; empty is everywhere.
	Namespace string
	// Role is the role's kind and name.
	Role string
	// Group, Resource (with its subresource, if any) and Verb are what is allowed.
	Group, Resource, Verb string
	// Unused tells that the rule's comment says why it may not be used.
	Unused bool
}

func (g Grant) String() string {
	return fmt.Sprintf("%s: %s %s", g.Role, g.Verb, schema.GroupResource{Group: g.Group, Resource: g.Resource})
}

// allows tells whether the grant is enough for the use.
func (g Grant) allows(u Use) bool {
	return g.Subject == u.User && (g.Namespace == "" || g.Namespace == u.Namespace) &&
		g.Group == u.Group && g.Resource == u.Resource && g.Verb == u.Verb
}

// object is what matters here of an RBAC object. Rules stay nodes for the sake of
// their comments.
type object struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Rules    []yaml.Node
	RoleRef  struct{ Kind, Name string } `yaml:"roleRef"`
	Subjects []struct{ Kind, Name, Namespace string }
}

type rule struct {
	APIGroups []string `yaml:"apiGroups"`
	Resources []string
	Verbs     []string
}

// unused finds the verbs of which a comment says that the tests need not use them:
// "unused (update, patch): why".
var unused = regexp.MustCompile(`unused \(([a-z, ]+)\): .`)

// ParseRoles reads the roles and bindings in YAML documents; other objects are
// passed over. Roles without a Namespace are in the given one. A rule of a role that
// is bound to a ServiceAccount and has no comment is an error.
func ParseRoles(documents io.Reader, namespace string) ([]Grant, error) {
	var objects []object
	for decoder := yaml.NewDecoder(documents); ; {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the roles: %w", err)
		}
		objects = append(objects, o)
	}
	var grants []Grant
	for _, binding := range objects {
		scope := ""
		switch binding.Kind {
		case "RoleBinding":
			scope = cmp.Or(binding.Metadata.Namespace, namespace)
		case "ClusterRoleBinding":
		default:
			continue
		}
		for _, subject := range binding.Subjects {
			if subject.Kind != "ServiceAccount" {
				continue
			}
			user := "system:serviceaccount:" + subject.Namespace + ":" + subject.Name
			i := slices.IndexFunc(objects, func(o object) bool {
				return o.Kind == binding.RoleRef.Kind && o.Metadata.Name == binding.RoleRef.Name
			})
			if i < 0 {
				return nil, fmt.Errorf("%s %s refers to %s %s, which is not there", binding.Kind, binding.Metadata.Name, binding.RoleRef.Kind, binding.RoleRef.Name)
			}
			of, err := objects[i].grants(user, scope)
			if err != nil {
				return nil, err
			}
			grants = append(grants, of...)
		}
	}
	return grants, nil
}

// grants are what a role allows the user in a namespace.
func (o *object) grants(user, namespace string) ([]Grant, error) {
	var grants []Grant
	for i := range o.Rules {
		var r rule
		if err := o.Rules[i].Decode(&r); err != nil {
			return nil, err
		}
		comment := commentOf(&o.Rules[i])
		if comment == "" {
			return nil, fmt.Errorf("%s %s: the rule for %s has no comment that says why", o.Kind, o.Metadata.Name, strings.Join(r.Resources, ", "))
		}
		var without []string
		if m := unused.FindStringSubmatch(comment); m != nil {
			without = strings.Split(m[1], ", ")
		}
		for _, group := range r.APIGroups {
			for _, resource := range r.Resources {
				for _, verb := range r.Verbs {
					grants = append(grants, Grant{
						Subject: user, Namespace: namespace, Role: o.Kind + " " + o.Metadata.Name,
						Group: group, Resource: resource, Verb: verb, Unused: slices.Contains(without, verb),
					})
				}
			}
		}
	}
	return grants, nil
}

// commentOf returns the comment above a node, which the parser may have put at its
// first child, on one line.
func commentOf(n *yaml.Node) string {
	text := n.HeadComment
	if text == "" && len(n.Content) > 0 {
		text = n.Content[0].HeadComment
	}
	var words []string
	for line := range strings.Lines(text) {
		words = append(words, strings.Fields(strings.TrimLeft(line, "# "))...)
	}
	return strings.Join(words, " ")
}
