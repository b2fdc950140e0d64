package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
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

func TestExplain(t *testing.T) {
	plain := errors.New("something else")
	cases := map[string]struct {
		err  error
		want string
		code int
	}{
		"Another error.":              {plain, "something else", exitFailed},
		"A person ended the command.": {fmt.Errorf("watch: %w", context.Canceled), "interrupted", exitInterrupted},
		"The kind is not there.":      {&meta.NoKindMatchError{}, "Groundwork is not installed in it", exitFailed},
		"An exit code of its own.":    {exitError{exitStalled, plain}, "something else", exitStalled},
		"The user lacks a right.": {
			apierrors.NewForbidden(schema.GroupResource{Resource: "runs"}, "", errors.New(`User "anna" cannot list resource "runs" in API group "infra.groundwork.dev" in the namespace "s"`)),
			"history: you (anna) may not list runs in namespace s: that is for platform engineers", exitFailed,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := (&cluster{system: "s"}).explain("history", c.err)
			if !strings.Contains(err.Error(), c.want) || exitCode(err) != c.code {
				t.Errorf("got %v with the exit code %d, want %q, %d", err, exitCode(err), c.want, c.code)
			}
		})
	}
	if err := (&cluster{}).explain("get", nil); err != nil {
		t.Errorf("no error is explained as %v", err)
	}
}

// TestGet_notInstalled lists in a cluster without the CRDs.
func TestGet_notInstalled(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	s := &session{config: &rest.Config{Host: server.URL}}
	if _, err := s.table(t.Context(), nil, labels.Everything()); !meta.IsNoMatchError(err) {
		t.Errorf("got %v, want that the kind is not there", err)
	}
}
