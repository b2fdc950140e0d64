package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ProviderConfig holds the credentials and settings of a Terraform provider and
// says which namespaces may use them. Platform engineers own it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,categories=groundwork
// +kubebuilder:printcolumn:name="Region",type=string,JSONPath=`.spec.aws.region`
// +kubebuilder:printcolumn:name="Default",type=boolean,JSONPath=`.spec.default`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ProviderConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec ProviderConfigSpec `json:"spec"`
}

// ProviderConfigList is a list of ProviderConfigs.
//
// +kubebuilder:object:root=true
type ProviderConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ProviderConfig `json:"items"`
}

// ProviderConfigSpec is one provider's credentials and settings.
type ProviderConfigSpec struct {
	// Default marks the one that objects without spec.providerConfig use.
	// +optional
	Default bool `json:"default,omitempty"`

	// NamespaceSelector selects the namespaces whose objects may use this one, by
	// their labels. {} is all of them.
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`

	// Credentials are what the runner pod signs in to the cloud with.
	// +kubebuilder:validation:XValidation:rule="has(self.secretName) != has(self.serviceAccountName)",message="exactly one of secretName and serviceAccountName must be set"
	Credentials Credentials `json:"credentials"`

	// AWS configures the provider hashicorp/aws.
	AWS AWSProvider `json:"aws"`
}

// Credentials name where a runner pod's cloud credentials come from.
type Credentials struct {
	// SecretName is a Secret in the system namespace; each of its keys becomes an
	// environment variable of the runner, such as AWS_ACCESS_KEY_ID.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	SecretName string `json:"secretName,omitempty"`
	// ServiceAccountName is a ServiceAccount in the system namespace that the
	// runner pod runs as, for workload identity. It needs the runner's Role.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
}

// AWSProvider holds arguments of the provider block of hashicorp/aws.
// Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs
type AWSProvider struct {
	// Region is where resources are made. It cannot be changed: the resources in
	// the old region would be lost from sight.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="region cannot be changed: resources in the old region would be left behind; create another ProviderConfig"
	Region string `json:"region"`
	// DefaultTags are put on every resource that takes tags.
	// +kubebuilder:validation:MaxProperties=50
	// +optional
	DefaultTags map[string]string `json:"defaultTags,omitempty"`
	// Endpoints replaces service endpoints: service name, as the provider's
	// endpoints block has it, to URL.
	// +kubebuilder:validation:MaxProperties=64
	// +optional
	Endpoints map[string]string `json:"endpoints,omitempty"`
	// S3UsePathStyle puts a bucket's name in the path rather than the host name,
	// for an S3 endpoint of one's own.
	// +optional
	S3UsePathStyle bool `json:"s3UsePathStyle,omitempty"`
}
