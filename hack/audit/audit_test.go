package audit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	controller = "system:serviceaccount:system:controller"

	roles = `
kind: Deployment
metadata: {name: other}
---
kind: ClusterRole
metadata: {name: apps}
rules:
# Outputs.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, patch]
---
kind: ClusterRoleBinding
metadata: {name: apps}
roleRef: {kind: ClusterRole, name: apps}
subjects: [{kind: ServiceAccount, namespace: system, name: controller}, {kind: Group, name: system:authenticated}]
---
kind: Role
metadata: {name: system}
rules:
# Requests.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
# Some clusters ask for it;
# unused (update): in others.
- apiGroups: [infra]
  resources: [runs/finalizers]
  verbs: [update]
---
kind: RoleBinding
metadata: {name: system}
roleRef: {kind: Role, name: system}
subjects: [{kind: ServiceAccount, namespace: system, name: controller}]
`
)

func line(verb, resource, namespace, name, decision string) string {
	group, subresource := "", ""
	if resource == "runs/finalizers" {
		group, resource, subresource = "infra", "runs", "finalizers"
	}
	return `{"verb":"` + verb + `","user":{"username":"` + controller + `"},"objectRef":{"resource":"` + resource + `","subresource":"` + subresource +
		`","apiGroup":"` + group + `","namespace":"` + namespace + `","name":"` + name + `"},"annotations":{"authorization.k8s.io/decision":"` + decision + `"}}`
}

func TestCompare(t *testing.T) {
	all := []string{
		line("get", "secrets", "shop", "a", "allow"), line("patch", "secrets", "shop", "a", "allow"), line("get", "secrets", "system", "b", "allow"),
		`{"verb":"get","requestURI":"/readyz","user":{"username":"` + controller + `"}}`,
	}
	cases := map[string]struct{ log, want []string }{
		"What is used and granted is right.": {log: all},
		"A grant that is not used is told.":  {log: all[:2], want: []string{"never used, and its comment does not say why it is there: Role system: get secrets"}},
		"A use in the system namespace does not count for a grant that holds everywhere.": {
			log: all[1:], want: []string{"never used, and its comment does not say why it is there: ClusterRole apps: get secrets"},
		},
		"A refusal is told.": {
			log:  append([]string{line("list", "pods", "shop", "", "forbid")}, all...),
			want: []string{"refused: " + controller + `: list pods in namespace "shop"`},
		},
		"A refusal of what is granted is from a time without the role.": {log: append([]string{line("get", "secrets", "shop", "a", "forbid")}, all...)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			grants, err := ParseRoles(strings.NewReader(roles), "system")
			if err != nil {
				t.Fatal(err)
			}
			uses, err := ReadLog(strings.NewReader(strings.Join(tc.log, "\n")))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, Compare(grants, uses)); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

func TestParseRoles_withoutComment(t *testing.T) {
	_, err := ParseRoles(strings.NewReader(strings.Replace(roles, "# Requests.\n", "", 1)), "system")
	if want := "Role system: the rule for secrets has no comment that says why"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestUnnamed(t *testing.T) {
	uses, err := ReadLog(strings.NewReader(strings.Join([]string{
		line("get", "secrets", "shop", "a", "allow"), line("list", "secrets", "system", "", "allow"),
		line("watch", "secrets", "", "", "allow"), line("list", "pods", "shop", "", "allow"),
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"not by name: " + controller + `: watch secrets in namespace ""`}
	if diff := cmp.Diff(want, Unnamed(uses, controller, "system", "secrets", "configmaps")); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}
