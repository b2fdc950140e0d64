package conformance

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
)

// testFiles are what a module's *.tftest.hcl files have.
type testFiles struct {
	// mocks are the mock_provider blocks.
	mocks hcl.Blocks
	// runs is the number of runs.
	runs int
	// failures are how many runs expect each variable to be refused.
	failures map[string]int
}

// tests checks that the module has tests that need no cloud, and one for each
// validation: a run that expects the variable to be refused.
func (c *checker) tests() {
	t := c.readTests()
	if t.runs == 0 {
		c.fault("tests", "has no *.tftest.hcl with a run: at least one has to assert what matters of a plan")
		return
	}
	for _, source := range c.Providers {
		mocked := slices.ContainsFunc(t.mocks, func(b *hcl.Block) bool { return b.Labels[0] == filepath.Base(source) })
		if !mocked && c.usesAWS() {
			c.fault("tests", "the provider %s is not mocked: a test has to run without a cloud, with mock_provider %q {}", source, filepath.Base(source))
		}
	}
	for _, v := range c.Variables {
		if missing := len(v.Validations) - t.failures[v.Name]; missing > 0 {
			c.fault("tests", "variable %q has %d validations, and %d runs with expect_failures = [var.%s]: each has to be seen to refuse something", v.Name, len(v.Validations), t.failures[v.Name], v.Name)
		}
	}
}

// readTests reads the module's test files; Terraform reports what does not parse.
func (c *checker) readTests() testFiles {
	t := testFiles{failures: map[string]int{}}
	parser := hclparse.NewParser()
	for _, pattern := range []string{"*.tftest.hcl", "tests/*.tftest.hcl"} {
		files, _ := filepath.Glob(c.path(pattern)) // the pattern is one
		for _, file := range files {
			parsed, diags := parser.ParseHCLFile(file)
			if diags.HasErrors() {
				c.fault(strings.TrimPrefix(file, c.path("")+"/"), "%s", diags.Error())
				continue
			}
			t.read(parsed.Body)
		}
	}
	return t
}

func (t *testFiles) read(body hcl.Body) {
	content, _, _ := body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "mock_provider", LabelNames: []string{"name"}},
		{Type: "run", LabelNames: []string{"name"}},
	}})
	for _, block := range content.Blocks {
		if block.Type == "mock_provider" {
			t.mocks = append(t.mocks, block)
			continue
		}
		t.runs++
		run, _, _ := block.Body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "expect_failures"}}})
		if attr := run.Attributes["expect_failures"]; attr != nil {
			t.expect(attr)
		}
	}
}

// expect counts the variables of a list such as [var.name].
func (t *testFiles) expect(attr *hcl.Attribute) {
	for _, traversal := range attr.Expr.Variables() {
		if traversal.RootName() != "var" || len(traversal) < 2 {
			continue
		}
		if name, ok := traversal[1].(hcl.TraverseAttr); ok {
			t.failures[name.Name]++
		}
	}
}
