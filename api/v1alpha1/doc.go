// Package v1alpha1 holds the API of Groundwork, group infra.groundwork.dev.
//
// An Infrastructure is the wish of an app team, a Module a catalogue entry, a
// ProviderConfig the platform team's credentials and settings for a Terraform
// provider, and a Run one apply or destroy with its result. Conditions follow
// kstatus (https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus),
// so that Helm, Flux and kubectl wait need no configuration.
//
// +kubebuilder:object:generate=true
// +groupName=infra.groundwork.dev
package v1alpha1
