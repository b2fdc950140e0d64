package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// right is what somebody may not do.
type right struct {
	user, verb, resource, group string
	// namespace is empty for what is in none, or in all.
	namespace string
}

func (r right) String() string {
	where := "in all namespaces"
	if r.namespace != "" {
		where = "in namespace " + r.namespace
	}
	return fmt.Sprintf("%s %s %s", r.verb, r.resource, where)
}

// missingRight returns the right for want of which the API server refused something;
// false when it refused for another reason.
func missingRight(err error) (right, bool) {
	if !apierrors.IsForbidden(err) {
		return right{}, false
	}
	var refusal apierrors.APIStatus
	errors.As(err, &refusal)
	// Source: k8s.io/apiserver, pkg/endpoints/handlers/responsewriters, ForbiddenStatusError
	m := regexp.MustCompile(`User "([^"]*)" cannot (\w+) resource "([^"]*)" in API group "([^"]*)"(?: in the namespace "([^"]*)")?`).
		FindStringSubmatch(refusal.Status().Message)
	if m == nil {
		return right{}, false
	}
	return right{user: m[1], verb: m[2], resource: m[3], group: m[4], namespace: m[5]}, true
}

// whoHas says who may do what the right is for, and whom to ask.
func (r right) whoHas(system string) string {
	ours := r.group == v1alpha1.Group
	reads := r.verb == "get" || r.verb == "list" || r.verb == "watch"
	switch {
	case r.namespace == "" && ours && r.resource == "modules":
		return "the ClusterRole groundwork-catalogue gives it to everyone; ask your platform engineers"
	case ours && r.resource == "runs":
		return "that is for platform engineers (ClusterRole groundwork-platform); ask them"
	case r.namespace == system:
		return "that is for those who look after " + system + " (its Role groundwork-operator); ask your platform engineers"
	case r.namespace == "":
		return "name one namespace with -n, or ask the cluster's administrators"
	case ours && reads:
		return "it comes with the ClusterRole view; ask an administrator of the namespace"
	default:
		return "it comes with the ClusterRole edit; ask an administrator of the namespace"
	}
}

// explainErrors makes a command, and all in it, explain its errors.
func (k *cluster) explainErrors(c *cobra.Command) {
	act := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		verb := strings.TrimPrefix(c.CommandPath(), k.program+" ")
		return k.explain(verb, act(c, args))
	}
	for _, sub := range c.Commands() {
		k.explainErrors(sub)
	}
}

// explain turns what the API server says into what is missing and whom to ask, and the
// end of a context into what a person did; any other error stays what it is.
func (k *cluster) explain(verb string, err error) error {
	if missing, ok := missingRight(err); ok {
		return fmt.Errorf("%s: you (%s) may not %s: %s", verb, missing.user, missing, missing.whoHas(k.system))
	}
	if errors.Is(err, context.Canceled) {
		return exitError{exitInterrupted, errors.New("interrupted")}
	}
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("this cluster has no Infrastructures: Groundwork is not installed in it, or --context names another cluster than you mean: %w", err)
	}
	return err
}
