// Package modules is the catalogue of Terraform modules: it reads a library of
// module folders once into typed variables and outputs, and serves that one
// schema to validation, the Module objects and the generated documentation.
//
// A module is a folder with these files; its name is the module's:
//
//	module.yaml          version, summary, and more as module.schema.json says
//	*.tf, *.tf.json      the Terraform root module, any further files it reads
//	.terraform.lock.hcl  the providers' versions
//	README.md, examples/, tests/, *.tftest.hcl  for people and tests; not run
//
// A run brings its own backend and variables and downloads nothing, so a module
// has no backend or cloud block, no *.tfvars, no override files, and calls only
// modules inside its own folder.
package modules
