package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/groundwork-dev/groundwork/modules"
)

// PlanExample plans the example of the module in a folder and returns the changes as
// `terraform show -json` has them. The plan is the real provider's, from which only data
// sources are kept: it asks no cloud.
func PlanExample(ctx context.Context, folder string, o Options) ([]byte, error) {
	c := checker{library: filepath.Dir(folder)}
	var err error
	if c.Module, err = modules.LoadModule(os.DirFS(c.library), filepath.Base(folder)); err != nil {
		return nil, err
	}
	work, err := newWorkspace(c.Module, o)
	if err != nil {
		return nil, err
	}
	defer work.remove()
	if err := c.writeExample(work.dir); err != nil {
		return nil, err
	}
	work.startProxies(ctx)
	if out, err := work.run(ctx, "init", "-backend=false", "-input=false", "-no-color"); err != nil {
		return nil, fmt.Errorf("terraform init: %w\n%s", err, out)
	}
	out, err := work.run(ctx, "test", "-json", "-verbose")
	if err != nil {
		return nil, fmt.Errorf("terraform test: %w\n%s", err, out)
	}
	for line := range bytes.Lines(out) {
		var message struct {
			Plan json.RawMessage `json:"test_plan"`
		}
		if json.Unmarshal(line, &message) == nil && message.Plan != nil {
			return message.Plan, nil
		}
	}
	return nil, fmt.Errorf("terraform test made no plan\n%s", out)
}

// writeExample writes a copy of the module whose one test plans the example.
func (c *checker) writeExample(dir string) error {
	if err := os.CopyFS(dir, os.DirFS(c.path(""))); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(dir, "tests")); err != nil {
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
	for _, source := range c.Providers {
		if strings.HasSuffix(source, "/hashicorp/aws") {
			b.WriteString(offlineAWS)
		} else {
			fmt.Fprintf(&b, "mock_provider %q {}\n\n", path.Base(source))
		}
	}
	fmt.Fprintf(&b, "variables {\n%s}\n\nrun \"example\" {\n  command = plan\n%s}\n", variables, mocks.overrides)
	return os.WriteFile(filepath.Join(dir, "example.tftest.hcl"), []byte(b.String()), 0o600)
}
