//go:build e2e

// Package e2e holds the tests on a real cluster, with real Terraform, the real AWS
// provider and real databases; the AWS endpoint is hack/awsemu.
//
// The tests run side by side, each in namespaces of its own. Those that take the
// controller or the API server away run first, one by one.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// stage is set up once by TestMain.
var stage *devenv.Stage

func TestMain(m *testing.M) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, m)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(ctx context.Context, m *testing.M) (code int, err error) {
	log.SetLogger(logr.Discard()) // controller-runtime complains without one
	stage, err = devenv.Up(ctx, devenv.Options{Modules: []string{"hack/testbundle"}, Flux: true, Log: os.Stderr})
	if err != nil {
		return 1, err
	}
	code = m.Run()
	err = removeCLI()
	// Of some of the tests it would only say that not everything was used.
	if all := flag.Lookup("test.run").Value.String() == ""; all && os.Getenv("CLUSTER") != "existing" {
		if err = checkRoles(ctx); err != nil {
			code = 1
		}
	}
	if os.Getenv("KEEP") != "" {
		fmt.Fprintln(os.Stderr, "KEEP is set, so the cluster is left as it is: export KUBECONFIG="+stage.Kubeconfig)
		return code, err
	}
	return code, errors.Join(err, stage.Close())
}

// needsOwnCluster skips a test that does to a cluster what nobody wants done to theirs.
func needsOwnCluster(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CLUSTER") == "existing" {
		t.Skip("only on the embedded cluster: " + why)
	}
}
