// Package pod builds the runner pod of a Run.
package pod

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// DefaultTerminationGracePeriod is enough for Terraform to finish what is in
// flight and to push its state, even when the API server is away for some
// minutes.
const DefaultTerminationGracePeriod = 10 * time.Minute

// Config is what an operator decides about all runner pods.
type Config struct {
	// Image is the bundle image.
	Image string
	// ServiceAccountName is the ServiceAccount of runs whose credentials name
	// none.
	ServiceAccountName string
	// Resources are the runner container's; the memory limit covers Terraform,
	// the providers and the work directory.
	Resources corev1.ResourceRequirements
	// TerminationGracePeriod is how long a runner that was asked to end may
	// take; 0 is DefaultTerminationGracePeriod.
	TerminationGracePeriod time.Duration
	// ImagePullSecrets are names of Secrets in the system namespace.
	ImagePullSecrets []string
	// PriorityClassName is the pods' priority class; empty is the cluster's
	// default.
	PriorityClassName string
	// NodeSelector, Tolerations and Affinity say where the pods run.
	NodeSelector map[string]string
	Tolerations  []corev1.Toleration
	Affinity     *corev1.Affinity
}
