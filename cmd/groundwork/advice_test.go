package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestAdvice checks that there is advice for every reason that the API has.
func TestAdvice(t *testing.T) {
	reasons := declaredReasons(t)
	if len(reasons) < 25 {
		t.Fatalf("found the reasons %v, want all of api/v1alpha1/conditions.go", reasons)
	}
	for _, reason := range reasons {
		if advice(reason, func(verb string) string { return verb }) == "" {
			t.Errorf("there is no advice for the reason %s: write it in advice.go", reason)
		}
	}
	if got := advice("NoSuchReason", nil); got != "" {
		t.Errorf("the advice for a reason that there is not is %q", got)
	}
}

// TestAdvice_commands checks the advice that names a command.
func TestAdvice_commands(t *testing.T) {
	for reason, verb := range map[string]string{
		"ApprovalRequired": "approve", "DriftDetected": "approve", "Suspended": "resume", "RunFailed": "reconcile",
		"Cancelled": "reconcile", "RetriesExhausted": "reconcile", "PolicyDenied": "reconcile", "UpgradePending": "reconcile", "UpgradeStopped": "reconcile",
	} {
		got := advice(reason, func(verb string) string { return "<" + verb + ">" })
		if !strings.Contains(got, "<"+verb+">") {
			t.Errorf("the advice for %s is %q, want one with the command %s", reason, got, verb)
		}
	}
}

// declaredReasons are the values of the constants Reason* of the API.
func declaredReasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "api", "v1alpha1", "conditions.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, value)
		return true
	})
	return reasons
}
