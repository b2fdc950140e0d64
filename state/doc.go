// Package state knows how Terraform's kubernetes backend keeps a state: the
// names of its Secrets and its Lease, the state's outputs, and the lock.
//
// Everything is read live and named by a key (Key) that follows from the
// Infrastructure's namespace and name, so that a re-created object finds its
// state again. All objects are in one namespace, the system namespace:
//
//	Secret tfstate-default-<key>           the state, gzipped; beyond 1 MiB
//	Secret tfstate-default-<key>-part-<n>  continues in parts, n from 1
//	Lease  lock-tfstate-default-<key>      the lock, held or not
//	Secret groundwork-snapshot-<key>       what the state was last changed with
//	Secret groundwork-state-<key>-<serial> a copy of an earlier state, also in parts
//
// The backend's formats are those of Terraform 1.11.4.
// Source: https://github.com/hashicorp/terraform/tree/v1.11.4/internal/backend/remote-state/kubernetes
package state
