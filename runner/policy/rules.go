package policy

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// namespace is the package whose rules are evaluated: conftest's default.
const namespace = "main"

// ruleName matches the rules that judge, as in conftest.
// Source: https://www.conftest.dev/#evaluating-policies
var ruleName = regexp.MustCompile(`^(deny|violation|warn)((?:_[a-zA-Z0-9]+)*)$`)

// rule is what one file has under one name that judges.
type rule struct {
	// policy is what people are told: the name without deny_ or warn_ or, where that
	// leaves nothing, the file's name.
	policy string
	// exception is what conftest's rule `exception` calls it.
	exception string
	warns     bool
	// types are patterns of the resource types that it looks at; nil for all.
	types []string
	// name, of file, is the rule's; query is the copy that is evaluated.
	name, file, query string
}

// findRules finds the rules that judge, and adds to each module a copy of its own: only
// so can be told which file a result is from, as rules of one name form one set.
func findRules(modules map[string]*ast.Module) ([]rule, error) {
	var rules []rule
	for _, file := range slices.Sorted(maps.Keys(modules)) {
		module := modules[file]
		byName := map[string][]*ast.Rule{}
		for _, r := range module.Rules {
			name := string(r.Head.Ref()[0].Value.(ast.Var))
			if !ruleName.MatchString(name) {
				continue
			}
			if err := check(module, r, name); err != nil {
				return nil, err
			}
			byName[name] = append(byName[name], r)
		}
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			found := newRule(file, name, len(rules))
			var err error
			if found.types, err = resourceTypes(byName[name]); err != nil {
				return nil, err
			}
			rules = append(rules, found)
			for _, r := range byName[name] {
				module.Rules = append(module.Rules, renamed(r, found.query))
			}
		}
	}
	return rules, nil
}

func newRule(file, name string, number int) rule {
	match := ruleName.FindStringSubmatch(name)
	r := rule{
		name: name, file: file, query: fmt.Sprintf("groundwork_%d", number),
		policy: strings.TrimSuffix(file, ".rego"), exception: strings.TrimPrefix(match[2], "_"), warns: match[1] == "warn",
	}
	if r.exception != "" {
		r.policy = r.exception
	}
	return r
}

// check refuses what would never be evaluated, or never give a message.
func check(module *ast.Module, r *ast.Rule, name string) error {
	at := fmt.Sprintf("policy %s:%d", r.Location.File, r.Location.Row)
	if got := strings.TrimPrefix(module.Package.Path.String(), "data."); got != namespace {
		return fmt.Errorf("%s: the rule %s is in the package %s, and only those of the package %s are evaluated: write `package %s`, or give it another name", at, name, got, namespace, namespace)
	}
	if r.Head.RuleKind() != ast.MultiValue || len(r.Head.Ref()) != 1 || len(r.Head.Args) > 0 {
		return fmt.Errorf("%s: the rule %s is not a set of messages: write `%s contains msg if { … }`", at, name, name)
	}
	return nil
}

// renamed returns a copy of a rule that has another name.
func renamed(r *ast.Rule, name string) *ast.Rule {
	c := r.Copy()
	c.Annotations = nil
	c.Head.Name = ast.Var(name)
	c.Head.Reference = ast.Ref{ast.VarTerm(name)}
	return c
}

// resourceTypes are the patterns that the rules' metadata has in custom.resource_types;
// nil when one of them has none.
func resourceTypes(rules []*ast.Rule) ([]string, error) {
	var types []string
	for _, r := range rules {
		declared, ok := declaredTypes(r)
		if !ok {
			return nil, nil
		}
		list, _ := declared.([]any)
		for _, value := range list {
			pattern, _ := value.(string)
			if _, err := path.Match(pattern, ""); pattern == "" || err != nil {
				return nil, badTypes(r, value)
			}
			types = append(types, pattern)
		}
		if len(list) == 0 {
			return nil, badTypes(r, declared)
		}
	}
	return types, nil
}

func declaredTypes(r *ast.Rule) (any, bool) {
	for _, a := range r.Annotations {
		if declared, ok := a.Custom["resource_types"]; ok && a.Scope == "rule" {
			return declared, true
		}
	}
	return nil, false
}

func badTypes(r *ast.Rule, got any) error {
	return fmt.Errorf("policy %s:%d: resource_types in the rule's metadata: got %v, wanted a list of Terraform resource types such as [aws_s3_bucket, \"aws_db_*\"]", r.Location.File, r.Location.Row, got)
}
