//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/groundwork-dev/groundwork/hack/audit"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// checkRoles compares the chart's roles with what the API server saw during all tests:
// nothing was refused, nothing is granted that was never used unless its comment says
// why, and the controller asked for Secrets and ConfigMaps of apps by name only.
func checkRoles(ctx context.Context) error {
	manifests, err := stage.Helm(ctx, "template", "groundwork", chart, "--namespace", devenv.Namespace,
		"--show-only", "templates/controller-rbac.yaml", "--show-only", "templates/runner-rbac.yaml")
	if err != nil {
		return err
	}
	grants, err := audit.ParseRoles(strings.NewReader(manifests), devenv.Namespace)
	if err != nil {
		return err
	}
	log, err := os.Open(stage.AuditLog())
	if err != nil {
		return err
	}
	defer log.Close()
	uses, err := audit.ReadLog(log)
	if err != nil {
		return err
	}
	var ours []audit.Use
	for _, use := range uses {
		if strings.HasPrefix(use.User, account("")) {
			ours = append(ours, use)
		}
	}
	faults := append(audit.Compare(grants, ours), audit.Unnamed(ours, account("groundwork-controller"), devenv.Namespace, "secrets", "configmaps")...)
	if len(faults) > 0 {
		return errors.New("the roles in " + chart + ", compared with the audit log of the tests:\n  " + strings.Join(faults, "\n  "))
	}
	return nil
}

// account is the user name of a ServiceAccount of Groundwork.
func account(name string) string {
	return fmt.Sprintf("system:serviceaccount:%s:%s", devenv.Namespace, name)
}
