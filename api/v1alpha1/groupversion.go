package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of all kinds in this package.
const Group = "infra.groundwork.dev"

// GroupVersion returns the group and version of all kinds in this package.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: Group, Version: "v1alpha1"}
}

// AddToScheme registers the kinds of this package.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion(),
		&Infrastructure{}, &InfrastructureList{},
		&Module{}, &ModuleList{},
		&ProviderConfig{}, &ProviderConfigList{},
		&Run{}, &RunList{},
		&Preview{}, &PreviewList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion())
	return nil
}
