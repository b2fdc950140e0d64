package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/modules"
)

// upgrade checks that a new minor version deletes and replaces nothing stateful that
// the previous version has made: the example is applied with the previous version, to
// mocks, and planned with the new one. The plan is the real provider's, which alone
// knows what a change replaces; with no refresh and no data source it asks no cloud.
func (c *checker) upgrade(ctx context.Context, o Options) {
	previous, err := modules.LoadModule(os.DirFS(o.Previous), c.Name)
	switch {
	case err != nil:
		c.note("no previous version to compare with: %v", err)
		return
	case previous.Digest == c.Digest:
		return
	case previous.Version == c.Version:
		c.fault("module.yaml", "version is still %s, and the module's files are others: it needs a new version", c.Version)
		return
	case major(previous.Version) != major(c.Version):
		c.note("%s is another major version than %s, and may replace what that made", c.Version, previous.Version)
		return
	}
	work, err := newWorkspace(c.Module, o)
	if err != nil {
		c.fault("", "%v", err)
		return
	}
	defer work.remove()
	if err := c.writeUpgrade(work.dir, filepath.Join(o.Previous, c.Name)); err != nil {
		c.fault("", "prepare the upgrade from %s: %v", previous.Version, err)
		return
	}
	work.startProxies(ctx)
	if out, err := work.run(ctx, "init", "-backend=false", "-input=false", "-no-color"); err != nil {
		c.fault("", "prepare the upgrade from %s: terraform init: %v\n%s", previous.Version, err, bytes.TrimSpace(out))
		return
	}
	out, err := work.run(ctx, "test", "-json", "-verbose")
	lost, problems := readUpgrade(out, append(slices.Clone(previous.StatefulTypes), c.StatefulTypes...))
	for _, problem := range problems {
		c.fault("", "the upgrade from %s cannot be planned: %s", previous.Version, problem)
	}
	if err != nil && len(problems) == 0 {
		c.fault("", "the upgrade from %s cannot be planned: terraform test: %v", previous.Version, err)
	}
	for _, what := range lost {
		c.fault("main.tf", "the upgrade from %s to %s %s, which is stateful: keep it, or make this a new major version", previous.Version, c.Version, what)
	}
}

func major(version string) string {
	major, _, _ := strings.Cut(version, ".")
	return major
}

// writeUpgrade writes a folder whose test applies the previous version and plans the
// new one.
func (c *checker) writeUpgrade(dir, previous string) error {
	if err := os.CopyFS(filepath.Join(dir, "previous"), os.DirFS(previous)); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(dir, "current"), os.DirFS(c.path(""))); err != nil {
		return err
	}
	variables, err := exampleVariables(c.Example)
	if err != nil {
		return err
	}
	mocks, err := c.readMocks()
	if err != nil {
		return err
	}
	var b strings.Builder
	var before, after []string
	for _, source := range c.Providers {
		name := path.Base(source)
		fmt.Fprintf(&b, "mock_provider %q {\n  alias = \"mocked\"\n%s\n}\n\n", name, mocks.providers[name])
		before = append(before, name+" = "+name+".mocked")
		if strings.HasSuffix(source, "/hashicorp/aws") {
			b.WriteString(offlineAWS)
			after = append(after, name+" = "+name)
		} else {
			after = append(after, name+" = "+name+".mocked")
		}
	}
	fmt.Fprintf(&b, "variables {\n%s}\n\n", variables)
	fmt.Fprintf(&b, "run \"previous\" {\n  command   = apply\n  state_key = \"upgrade\"\n  providers = {\n    %s\n  }\n  module {\n    source = \"./previous\"\n  }\n}\n\n", strings.Join(before, "\n    "))
	fmt.Fprintf(&b, "run \"current\" {\n  command   = plan\n  state_key = \"upgrade\"\n  providers = {\n    %s\n  }\n  plan_options {\n    refresh = false\n  }\n%s  module {\n    source = \"./current\"\n  }\n}\n", strings.Join(after, "\n    "), mocks.overrides)
	// Without a file, init would take the folder for an empty one.
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), nil, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "upgrade.tftest.hcl"), []byte(b.String()), 0o600)
}

// offlineAWS configures the provider so that it asks nothing of AWS to be ready.
const offlineAWS = `provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

`

// exampleVariables returns the example's variables as a test file has them. JSON is
// HCL, but for what HCL takes for a template.
func exampleVariables(example string) (string, error) {
	infra := &v1alpha1.Infrastructure{}
	if err := yaml.Unmarshal([]byte(example), infra); err != nil {
		return "", err
	}
	var b strings.Builder
	escape := strings.NewReplacer("${", "$${", "%{", "%%{")
	for _, name := range slices.Sorted(maps.Keys(infra.Spec.Variables)) {
		fmt.Fprintf(&b, "  %s = %s\n", name, escape.Replace(string(infra.Spec.Variables[name].Raw)))
	}
	return b.String(), nil
}

// mocks are what stands in for providers in the module's tests.
type mocks struct {
	// providers are the bodies of the first mock_provider of each name.
	providers map[string]string
	// overrides are override_data blocks for the data sources of the module, with
	// the values that the tests mock them with.
	overrides string
}

func (c *checker) readMocks() (mocks, error) {
	m := mocks{providers: map[string]string{}}
	values := map[string]string{} // by type of data source
	for _, block := range c.readTests().mocks {
		body := block.Body.(*hclsyntax.Body) // the files are not JSON
		if _, ok := m.providers[block.Labels[0]]; ok {
			continue
		}
		text, err := os.ReadFile(body.SrcRange.Filename)
		if err != nil {
			return m, err
		}
		m.providers[block.Labels[0]] = inside(text, body.SrcRange)
		for _, inner := range body.Blocks {
			if attr := inner.Body.Attributes["defaults"]; inner.Type == "mock_data" && attr != nil {
				values[inner.Labels[0]] = string(attr.Expr.Range().SliceBytes(text))
			}
		}
	}
	targets, err := c.dataSources()
	for _, target := range targets {
		set := ""
		if v, ok := values[target[0]]; ok {
			set = "    values = " + v + "\n"
		}
		m.overrides += fmt.Sprintf("  override_data {\n    target = data.%s.%s\n%s  }\n", target[0], target[1], set)
	}
	return m, err
}

// inside returns the text between the braces of a block.
func inside(text []byte, r hcl.Range) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(r.SliceBytes(text))), "{"), "}")
}

// dataSources returns type and name of the module's data sources.
func (c *checker) dataSources() ([][]string, error) {
	files, err := filepath.Glob(c.path("*.tf"))
	if err != nil {
		return nil, err
	}
	var all [][]string
	for _, file := range files {
		parsed, diags := hclparse.NewParser().ParseHCLFile(file)
		if diags.HasErrors() {
			return nil, diags
		}
		content, _, _ := parsed.Body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "data", LabelNames: []string{"type", "name"}}}})
		for _, block := range content.Blocks {
			all = append(all, block.Labels)
		}
	}
	return all, nil
}

// readUpgrade reads what Terraform says of the upgrade: what stateful resource is lost
// and how, and what went wrong.
// Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
func readUpgrade(out []byte, stateful []string) (lost, problems []string) {
	for line := range bytes.Lines(out) {
		var message struct {
			Run        string `json:"@testrun"`
			Diagnostic struct{ Severity, Summary, Detail string }
			Plan       struct {
				Changes []struct {
					Address, Type string
					Change        struct{ Actions []string }
				} `json:"resource_changes"`
			} `json:"test_plan"`
		}
		if json.Unmarshal(line, &message) != nil {
			continue // warnings of the command line itself
		}
		if d := message.Diagnostic; d.Severity == "error" {
			problems = append(problems, fmt.Sprintf("run %q: %s: %s", message.Run, d.Summary, d.Detail))
		}
		for _, r := range message.Plan.Changes {
			if !slices.Contains(stateful, r.Type) || !slices.Contains(r.Change.Actions, "delete") {
				continue
			}
			verb := "deletes"
			if slices.Contains(r.Change.Actions, "create") {
				verb = "replaces"
			}
			lost = append(lost, verb+" "+r.Address)
		}
	}
	return lost, problems
}
