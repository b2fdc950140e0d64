// Package bundle makes images from files, without Docker: above all bundle images,
// which hold the runner with Terraform or OpenTofu, providers, a module library and policies.
//
// The same inputs give the same digests. What is wrong with the inputs is said before
// anything is written but the user's cache.
package bundle
