package modules

import "embed"

// The patterns name the files, because a whole folder would take the .terraform
// folder of a local `terraform init` with it.
//
//go:embed */module.yaml */*.tf */.terraform.lock.hcl */examples/*/infrastructure.yaml
var library embed.FS

// Bundled returns the library that comes with Groundwork.
func Bundled() (*Catalogue, error) { return Load(library) }
