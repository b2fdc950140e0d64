// Package bundle makes bundle images: the runner with Terraform, providers and a
// module library.
package bundle
