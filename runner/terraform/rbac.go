package terraform

// What the runner may do in the system namespace; `make generate` writes
// deploy/roles/runner.yaml from it. Terraform's backend lists Secrets by label, which
// RBAC cannot narrow down.
// +kubebuilder:rbac:groups=infra.groundwork.dev,resources=runs,verbs=get,namespace=groundwork-system
// +kubebuilder:rbac:groups=infra.groundwork.dev,resources=runs/status,verbs=update;patch,namespace=groundwork-system
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;create;update;patch;delete,namespace=groundwork-system
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update;delete,namespace=groundwork-system
