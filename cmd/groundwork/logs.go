package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner/pod"
	"github.com/groundwork-dev/groundwork/state"
)

func logsCommand(k *cluster) *cobra.Command {
	var follow bool
	c := &cobra.Command{
		Use:   "logs NAME [RUN]",
		Short: "Print what Terraform says in a run",
		Long: `Prints the log of a run: the one under way, else the last, or the one named. It is that of the run's pod
in the system namespace, for those who may read logs there, and goes with the pod: when a run succeeds, or
when the next one starts after a run that failed.`,
		Example: "  groundwork logs orders-db -n shop -f",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := k.session(c.ErrOrStderr())
			if err != nil {
				return err
			}
			run := ""
			if len(args) > 1 {
				run = args[1]
			}
			if run, err = s.runToLog(c.Context(), args[0], run); err != nil {
				return err
			}
			return s.printLog(c, run, follow)
		},
		ValidArgsFunction: k.completeRun,
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the run ends")
	return c
}

// runToLog returns the name of the run whose log is meant; run is empty for the
// newest.
func (s *session) runToLog(ctx context.Context, name, run string) (string, error) {
	if run != "" {
		if key := state.Key(s.namespace, name); !strings.HasPrefix(run, key+"-") {
			return "", misused(fmt.Errorf("%s is no run of %s in namespace %s: those are named %s-<number>", run, name, s.namespace, key))
		}
		return run, nil
	}
	infra, err := s.get(ctx, name)
	if err != nil {
		return "", err
	}
	if run = newestRun(&infra.Status); run == "" {
		return "", fmt.Errorf("%s has had no run yet: %s", name, standing(infra))
	}
	return run, nil
}

// newestRun is the name of the run under way or else of the last, empty when there
// was none.
func newestRun(status *v1alpha1.InfrastructureStatus) string {
	history := historyOfStatus(status)
	if len(history) == 0 {
		return ""
	}
	return history[0].Run
}

// printLog prints the log of a run's pod.
func (s *session) printLog(c *cobra.Command, run string, follow bool) error {
	clientset, err := kubernetes.NewForConfig(s.config)
	if err != nil {
		return err
	}
	log, err := clientset.CoreV1().Pods(s.system).GetLogs(run, &corev1.PodLogOptions{Container: pod.ContainerName, Follow: follow}).Stream(c.Context())
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("the log of run %s is gone with its pod: that of a run that succeeded goes when it ends, that of one that failed when the next starts", run)
	case apierrors.IsBadRequest(err):
		return fmt.Errorf("the pod of run %s has not started: %w", run, err)
	case err != nil:
		return err
	}
	defer log.Close()
	n, err := io.Copy(c.OutOrStdout(), log)
	if err == nil && n == 0 {
		fmt.Fprintf(c.ErrOrStderr(), "The log of run %s is empty: its pod has no node yet, or has said nothing.\n", run)
	}
	return err
}
