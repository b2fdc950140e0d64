package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// completionTimeout is how long a shell waits for a cluster at most.
const completionTimeout = 3 * time.Second

// candidates asks a cluster for what completes a word; an error completes nothing.
func (k *cluster) candidates(c *cobra.Command, ask func(context.Context, *session) []cobra.Completion) ([]cobra.Completion, cobra.ShellCompDirective) {
	s, err := k.session(io.Discard)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(c.Context(), completionTimeout)
	defer cancel()
	return ask(ctx, s), cobra.ShellCompDirectiveNoFileComp
}

// completeName completes the name of an Infrastructure, as the only argument.
func (k *cluster) completeName(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return k.completeNames(c, args, "")
}

// completeNames completes the names of any number of Infrastructures.
func (k *cluster) completeNames(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return k.candidates(c, func(ctx context.Context, s *session) (names []cobra.Completion) {
		list := &v1alpha1.InfrastructureList{}
		_ = s.client.List(ctx, list, client.InNamespace(s.namespace)) // an error completes nothing
		for i := range list.Items {
			infra := &list.Items[i]
			names = append(names, cobra.CompletionWithDesc(infra.Name, infra.Spec.Module))
		}
		return names
	})
}

// completePlan completes the id of the plan that waits, after a name.
func (k *cluster) completePlan(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return k.completeNames(c, args, "")
	case 1:
		return k.candidates(c, func(ctx context.Context, s *session) []cobra.Completion {
			infra, err := s.get(ctx, args[0])
			if err != nil || infra.Status.Plan == nil || infra.Status.Plan.ID == "" {
				return nil
			}
			return []cobra.Completion{cobra.CompletionWithDesc(infra.Status.Plan.ID, counts(infra.Status.Plan))}
		})
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completeRun completes the name of a run, after that of an Infrastructure.
func (k *cluster) completeRun(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return k.completeName(c, args, "")
	}
	return k.candidates(c, func(ctx context.Context, s *session) (names []cobra.Completion) {
		history, _ := s.history(ctx, args[0], io.Discard) // an error completes nothing
		for _, run := range history {
			names = append(names, cobra.CompletionWithDesc(run.Run, fmt.Sprintf("%s, %s", run.Operation, run.Outcome)))
		}
		return names
	})
}

// completeOutput completes the key of an output, after the name of an Infrastructure.
func (k *cluster) completeOutput(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return k.completeName(c, args, "")
	}
	return k.candidates(c, func(ctx context.Context, s *session) []cobra.Completion {
		infra, err := s.get(ctx, args[0])
		if err != nil || infra.Status.Outputs == nil {
			return nil
		}
		return infra.Status.Outputs.Keys
	})
}

// completeAddress completes the address of a resource, after the name of an
// Infrastructure.
func (k *cluster) completeAddress(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) != 1 {
		return k.completeName(c, args, "")
	}
	return k.candidates(c, func(ctx context.Context, s *session) (addresses []cobra.Completion) {
		resources, _ := s.resources(ctx, args[0]) // an error completes nothing
		for _, r := range resources {
			addresses = append(addresses, r.Address)
		}
		return addresses
	})
}

// completeNamespace completes the name of a namespace.
func (k *cluster) completeNamespace(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return k.candidates(c, func(ctx context.Context, s *session) (names []cobra.Completion) {
		list := &corev1.NamespaceList{}
		_ = s.client.List(ctx, list) // an error completes nothing
		for i := range list.Items {
			names = append(names, list.Items[i].Name)
		}
		return names
	})
}
