package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// maxFaults is how many faults an error tells.
const maxFaults = 3

// forbidden are the built-in functions that reach out of a policy: to the network, and
// to the runner's environment, where credentials are.
func forbidden() []string {
	return []string{"http.send", "net.lookup_ip_addr", "opa.runtime"}
}

// capabilities are what policies may use.
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	c.Builtins = slices.DeleteFunc(c.Builtins, func(b *ast.Builtin) bool { return slices.Contains(forbidden(), b.Name) })
	// No host: JSON schemas could refer to some.
	c.AllowNet = []string{}
	return c
}

func compile(modules map[string]*ast.Module) (*ast.Compiler, error) {
	compiler := ast.NewCompiler().WithCapabilities(capabilities())
	compiler.Compile(modules)
	return compiler, describe(compiler.Errors)
}

// describe returns faults as one error with file and line of each; nil for none.
func describe(faults ast.Errors) error {
	var said []string
	for _, fault := range faults {
		where := ""
		if fault.Location != nil {
			where = fmt.Sprintf("%s:%d: ", fault.Location.File, fault.Location.Row)
		}
		text := "policy " + where + fault.Message + hint(fault.Message)
		// findRules copies rules, and with them their faults.
		if !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	slices.Sort(said)
	if more := len(said) - maxFaults; more > 0 {
		said = append(said[:maxFaults], fmt.Sprintf("and %d more", more))
	}
	if len(said) == 0 {
		return nil
	}
	return errors.New(strings.Join(said, "; "))
}

// hint says what to do about a fault that OPA does not explain.
func hint(message string) string {
	if name, ok := strings.CutPrefix(message, "undefined function "); ok && slices.Contains(forbidden(), name) {
		return ": policies cannot reach the network or the runner's environment; put what it asks for into the policy"
	}
	if strings.HasPrefix(message, "package annotation redeclared") {
		return ": annotate the rules instead (scope: rule)"
	}
	return ""
}
