package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/pod"
	"github.com/groundwork-dev/groundwork/state"
)

func logsCommand(k *cluster) *cobra.Command {
	var follow bool
	c := &cobra.Command{
		Use:   "logs NAME [RUN]",
		Short: "Print what Terraform says in a run",
		Long: `Prints the log of a run: the one under way, else the last, or the one named. It is that of the run's pod
in the system namespace, or what is kept of it in a Secret there, for as long as the run is kept: the
beginning and the end, 512 KiB at most. With -f it waits for a pod that has not started.`,
		Example: "  groundwork logs orders-db -n shop -f\n  groundwork logs orders-db shop-orders-db-fpghkjfxwspjeqnx-3 -n shop",
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
			return s.printLog(c, args[0], run, follow)
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

// printLog prints the log of a run: that of its pod, or what is kept of it. To follow a
// run that has no pod yet is to wait for it.
func (s *session) printLog(c *cobra.Command, name, run string, follow bool) error {
	clientset, err := kubernetes.NewForConfig(s.config)
	if err != nil {
		return err
	}
	pods, told := clientset.CoreV1().Pods(s.system), false
	return wait.PollUntilContextCancel(c.Context(), time.Second, true, func(ctx context.Context) (bool, error) {
		n, podErr := printPodLog(ctx, c.OutOrStdout(), pods, run, follow)
		if n > 0 || ctx.Err() != nil || apierrors.IsForbidden(podErr) {
			return true, podErr
		}
		kept, err := s.printKeptLog(c, run, podErr)
		if kept || err != nil {
			return true, err
		}
		waits, err := s.underWay(ctx, name, run)
		if err != nil {
			return true, err
		}
		if waits && follow {
			if !told {
				fmt.Fprintf(c.ErrOrStderr(), "Run %s has said nothing yet; waiting for its pod.\n", run)
				told = true
			}
			return false, nil
		}
		if podErr == nil {
			fmt.Fprintf(c.ErrOrStderr(), "The log of run %s is empty: its pod has no node yet, or has said nothing.\n", run)
			return true, nil
		}
		return true, whyNoLog(run, waits, podErr)
	})
}

// printPodLog prints the log of a pod, and returns how much it was.
func printPodLog(ctx context.Context, w io.Writer, pods corev1client.PodInterface, run string, follow bool) (int64, error) {
	log, err := pods.GetLogs(run, &corev1.PodLogOptions{Container: pod.ContainerName, Follow: follow}).Stream(ctx)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	return io.Copy(w, log)
}

// printKeptLog prints what is kept of a run's log, if anything is. podErr is why its pod
// has none.
func (s *session) printKeptLog(c *cobra.Command, run string, podErr error) (kept bool, err error) {
	secret := &corev1.Secret{}
	err = s.client.Get(c.Context(), client.ObjectKey{Namespace: s.system, Name: runner.LogName(run)}, secret)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	text, err := runner.ParseLog(secret.Data)
	if err != nil {
		return false, fmt.Errorf("the log in Secret %s/%s: %w", s.system, secret.Name, err)
	}
	if _, err := c.OutOrStdout().Write(text); err != nil {
		return false, err
	}
	if secret.Annotations[runner.AnnotationLogEnded] != "true" {
		fmt.Fprintf(c.ErrOrStderr(), "The end of this log may be missing: it was kept while the run was under way, and its pod cannot be asked any more%s.\n", because(podErr))
	}
	return true, nil
}

// because is why a pod cannot be asked, empty when it is gone.
func because(err error) string {
	if err == nil || apierrors.IsNotFound(err) {
		return ""
	}
	return " (" + err.Error() + ")"
}

// underWay tells whether a run is the one that its Infrastructure says is under way.
func (s *session) underWay(ctx context.Context, name, run string) (bool, error) {
	infra := &v1alpha1.Infrastructure{}
	err := s.client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, infra)
	if err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return infra.Status.Run != nil && infra.Status.Run.Name == run, nil
}

// whyNoLog says why there is no log of a run; err is why its pod has none.
func whyNoLog(run string, underWay bool, err error) error {
	switch {
	case underWay && (apierrors.IsNotFound(err) || apierrors.IsBadRequest(err)):
		return fmt.Errorf("run %s has said nothing yet: its pod has not started; to wait for it, pass -f", run)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("there is no log of run %s: its pod is gone, and none is kept; there was no such run, or its pod has not started or had no time to write it", run)
	case apierrors.IsBadRequest(err):
		return fmt.Errorf("the pod of run %s has not started: %w", run, err)
	}
	return err
}
