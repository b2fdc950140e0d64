package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/groundwork-dev/groundwork/runner"
)

// Files that the runner puts beside the module's. Terraform lets an override
// file replace the backend and merge into the default provider configuration.
// Source: https://developer.hashicorp.com/terraform/language/files/override
const (
	backendFile  = "groundwork_backend_override.tf.json"
	providerFile = "groundwork_provider_override.tf.json"
	lockFile     = ".terraform.lock.hcl"
	dataDir      = ".terraform"
)

// Files and folders of the working directory.
const (
	moduleDir     = "module"
	variablesFile = "variables.tfvars.json"
	planFile      = "plan"
	cliConfigFile = "terraform.rc"
	tempDir       = "tmp"
	homeDir       = "home"
)

// layOut fills the working directory. Terraform runs in moduleDir; variables and
// plan are outside, where no file of the module can shadow them. It returns the
// providers to use.
func layOut(cfg Config, req *runner.Request) ([]selected, error) {
	for _, dir := range []string{moduleDir, tempDir, homeDir} {
		if err := os.Mkdir(cfg.path(dir), 0o700); err != nil {
			return nil, fmt.Errorf("lay out the working directory: %w", err)
		}
	}
	if err := unpack(req.Files, cfg.path(moduleDir), backendFile, providerFile, dataDir); err != nil {
		return nil, err
	}
	cliConfig, err := cliConfig(cfg.ProvidersDir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{
		cfg.path(variablesFile):          req.Variables,
		cfg.path(cliConfigFile):          cliConfig,
		cfg.path(moduleDir, backendFile): req.Backend,
	}
	if len(req.Provider) > 0 {
		files[cfg.path(moduleDir, providerFile)] = req.Provider
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return nil, fmt.Errorf("lay out the working directory: %w", err)
		}
	}
	return prepare(cfg, req.Backend)
}

// cliConfig returns a Terraform CLI configuration that knows the mirror and
// nothing else, so that nothing is downloaded. In JSON a block's methods are in a
// list, or Terraform ignores them.
// Source: https://developer.hashicorp.com/terraform/cli/config/config-file
func cliConfig(providersDir string) ([]byte, error) {
	return json.Marshal(map[string]any{
		"disable_checkpoint": true,
		"provider_installation": map[string]any{
			"filesystem_mirror": []any{map[string]any{"path": providersDir}},
		},
	})
}

// prepare does what `terraform init` would do for a module without child
// modules, which saves a start of Terraform and, with a large provider, the
// reading of all of it for a checksum that the image build has verified: the
// backend's settings, the providers linked, a lock file without checksums.
// Terraform checks all three and asks for an init when they are not to its
// liking; session.plan then runs one.
func prepare(cfg Config, backend json.RawMessage) ([]selected, error) {
	state, err := backendState(backend)
	if err != nil {
		return nil, err
	}
	providers, err := selectProviders(cfg.ProvidersDir, cfg.path(moduleDir, lockFile))
	if err != nil {
		return nil, err
	}
	data := cfg.path(moduleDir, dataDir)
	return providers, errors.Join(
		os.Mkdir(data, 0o700),
		os.WriteFile(filepath.Join(data, "terraform.tfstate"), state, 0o600),
		os.Symlink(cfg.ProvidersDir, filepath.Join(data, "providers")),
		os.WriteFile(cfg.path(moduleDir, lockFile), lockFileOf(providers), 0o600),
	)
}

// unprepare leaves Terraform's own init a clean start.
func unprepare(cfg Config) error {
	return errors.Join(
		os.RemoveAll(cfg.path(moduleDir, dataDir)),
		os.RemoveAll(cfg.path(moduleDir, lockFile)),
	)
}
