// Package terraform carries out one Run with Terraform. It is the inside of a
// runner pod; the outside is package runner/pod, the contract package runner.
//
// Runner.Run takes the Run (claim.go), lays out a working directory
// (workdir.go), starts the module's providers (proxies.go), and then drives
// Terraform (session.go): plan, record what is about to be applied (snapshot.go),
// apply. What Terraform says is read from its
// JSON log (event.go), shown in the pod's log (log.go), and kept in the Run's
// status (progress.go, reporter.go), with secrets masked (mask.go). How the Run
// ended is decided in outcome.go, a pure function.
//
// A state that Terraform could not write, and a lock that it could not release,
// are taken care of before the pod ends (rescue.go).
//
// In the system namespace the runner needs: get on runs, update and patch on
// runs/status; get, list, create, update, patch and delete on secrets; get,
// create, update and delete on leases.
package terraform
