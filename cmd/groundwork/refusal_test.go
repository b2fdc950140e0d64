package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestMissingRight(t *testing.T) {
	refused := func(resource, message string) error {
		return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "x", errors.New(message))
	}
	cases := map[string]struct {
		err  error
		want string // empty when it is none
		who  string
	}{
		"A state's Secret.": {
			fmt.Errorf("get Secret: %w", refused("secrets", `User "anna" cannot get resource "secrets" in API group "" in the namespace "groundwork-system"`)),
			"get secrets in namespace groundwork-system", "that is for those who look after groundwork-system",
		},
		"Runs.": {
			refused("runs", `User "anna" cannot list resource "runs" in API group "infra.groundwork.dev" in the namespace "groundwork-system"`),
			"list runs in namespace groundwork-system", "ClusterRole groundwork-platform",
		},
		"Reading an Infrastructure.": {
			refused("infrastructures", `User "anna" cannot get resource "infrastructures" in API group "infra.groundwork.dev" in the namespace "shop"`),
			"get infrastructures in namespace shop", "ClusterRole view",
		},
		"Changing an Infrastructure.": {
			refused("infrastructures", `User "anna" cannot patch resource "infrastructures" in API group "infra.groundwork.dev" in the namespace "shop"`),
			"patch infrastructures in namespace shop", "ClusterRole edit",
		},
		"An output Secret.": {
			refused("secrets", `User "anna" cannot get resource "secrets" in API group "" in the namespace "shop"`),
			"get secrets in namespace shop", "ClusterRole edit",
		},
		"All namespaces.": {
			refused("infrastructures", `User "anna" cannot list resource "infrastructures" in API group "infra.groundwork.dev" at the cluster scope`),
			"list infrastructures in all namespaces", "name one namespace with -n",
		},
		"The catalogue.": {
			refused("modules", `User "anna" cannot list resource "modules" in API group "infra.groundwork.dev" at the cluster scope`),
			"list modules in all namespaces", "ClusterRole groundwork-catalogue",
		},
		"An admission policy refuses for another reason.": {refused("infrastructures", "the object is protected"), "", ""},
		"Another error.": {errors.New(`User "anna" cannot get resource "secrets" in API group ""`), "", ""},
		"None.":          {nil, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := missingRight(c.err)
			if ok != (c.want != "") {
				t.Fatalf("got %v, %t", got, ok)
			}
			if !ok {
				return
			}
			if diff := cmp.Diff(c.want, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if who := got.whoHas("groundwork-system"); got.user != "anna" || !strings.Contains(who, c.who) {
				t.Errorf("%s, %q; want anna, %q", got.user, who, c.who)
			}
		})
	}
}
