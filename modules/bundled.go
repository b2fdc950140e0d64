package modules

import (
	"embed"
	"io/fs"
)

// The patterns name the files, because a whole folder would take the .terraform
// folder of a local `terraform init` with it.
//
//go:embed */module.yaml */*.tf */.terraform.lock.hcl */examples/*/infrastructure.yaml
var library embed.FS

// Library returns the files of the library that comes with Groundwork.
func Library() fs.FS { return library }

// Bundled returns the library that comes with Groundwork.
func Bundled() (*Catalogue, error) { return Load(library) }
