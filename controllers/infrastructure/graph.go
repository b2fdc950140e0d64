package infrastructure

import (
	"fmt"
	"slices"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// need is an Infrastructure that another one of its namespace needs, and the field
// that says so.
type need struct{ name, field string }

// needs are those that a spec names in dependsOn and in variablesFrom, each once.
func needs(spec *v1alpha1.InfrastructureSpec) []need {
	var all []need
	add := func(name, format string, i int) {
		if !slices.ContainsFunc(all, func(n need) bool { return n.name == name }) {
			all = append(all, need{name, fmt.Sprintf(format, i)})
		}
	}
	for i, ref := range spec.DependsOn {
		add(ref.Name, "spec.dependsOn[%d].name", i)
	}
	for i, from := range spec.VariablesFrom {
		if from.OutputRef != nil {
			add(from.OutputRef.Name, "spec.variablesFrom[%d].outputRef.name", i)
		}
	}
	return all
}

// needsOther tells whether an object needs the one of that name.
func needsOther(infra *v1alpha1.Infrastructure, name string) bool {
	return slices.ContainsFunc(needs(&infra.Spec), func(n need) bool { return n.name == name })
}

// graph is what the Infrastructures of one namespace need: name to names.
type graph map[string][]string

func newGraph(objects []v1alpha1.Infrastructure) graph {
	g := graph{}
	for i := range objects {
		g.set(&objects[i])
	}
	return g
}

// set makes the graph one with the object as it is given.
func (g graph) set(infra *v1alpha1.Infrastructure) {
	names := []string{}
	for _, n := range needs(&infra.Spec) {
		names = append(names, n.name)
	}
	g[infra.Name] = names
}

// path is the shortest way from one object to another that it needs, itself or through
// others, both ends included; nil when there is none.
func (g graph) path(from, to string) []string {
	seen := map[string]bool{from: true}
	for paths := [][]string{{from}}; len(paths) > 0; paths = paths[1:] {
		path := paths[0]
		last := path[len(path)-1]
		if last == to {
			return path
		}
		for _, next := range g[last] {
			if !seen[next] {
				seen[next] = true
				paths = append(paths, append(slices.Clone(path), next))
			}
		}
	}
	return nil
}
