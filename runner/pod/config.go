// Package pod builds the runner pod of a Run.
package pod

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// DefaultTerminationGracePeriod is enough for Terraform to finish what is in
// flight and to push its state, even when the API server is away for some
// minutes.
const DefaultTerminationGracePeriod = 10 * time.Minute

// Config is what an operator decides about all runner pods.
type Config struct {
	// Image is the image of the default bundle.
	Image string
	// ExtraImages are the images of the other bundles by name.
	ExtraImages map[string]string
	// ServiceAccountName is the ServiceAccount of runs whose credentials name
	// none.
	ServiceAccountName string
	// TerminationGracePeriod is how long a runner that was asked to end may
	// take; 0 is DefaultTerminationGracePeriod.
	TerminationGracePeriod time.Duration
	// Template is what the pods have besides.
	Template Template
}

// ImageOf returns the image of a bundle; empty when there is no such bundle.
func (c Config) ImageOf(bundle string) string {
	if bundle == "" {
		return c.Image
	}
	return c.ExtraImages[bundle]
}

// Template is the part of runner pods that is an operator's to choose, each field
// as in a Pod; all are optional.
type Template struct {
	// Labels and Annotations are added to the pods'. Groundwork's own win.
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// ImagePullPolicy of the bundle images; empty is IfNotPresent.
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// ImagePullSecrets are Secrets in the system namespace.
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	// Resources are the runner container's; the memory limit covers Terraform,
	// the providers and the work directory.
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`
	// PriorityClassName is the pods' priority class; empty is the cluster's
	// default.
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// NodeSelector, Tolerations and Affinity say where the pods run.
	NodeSelector map[string]string   `json:"nodeSelector,omitempty"`
	Tolerations  []corev1.Toleration `json:"tolerations,omitempty"`
	Affinity     *corev1.Affinity    `json:"affinity,omitempty"`
	// Env is added to the runner's environment, such as HTTPS_PROXY. What the
	// runner itself is told wins.
	Env []corev1.EnvVar `json:"env,omitempty"`
}

// ParseTemplate reads a Template in YAML. A field that it does not know, or a value
// that no pod could have, is an error.
func ParseTemplate(text []byte) (Template, error) {
	var t Template
	data, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return t, err
	}
	faults, err := json.UnmarshalStrict(data, &t)
	if err := errors.Join(append(faults, err)...); err != nil {
		return t, err
	}
	for key, value := range t.Labels {
		for _, fault := range append(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)...) {
			return t, fmt.Errorf("labels: %s=%s: %s", key, value, fault)
		}
	}
	request, limit := t.Resources.Requests.Memory(), t.Resources.Limits.Memory()
	if !limit.IsZero() && limit.Cmp(*request) < 0 {
		return t, fmt.Errorf("resources.limits.memory: got %s, wanted at least resources.requests.memory, %s", limit, request)
	}
	return t, nil
}
