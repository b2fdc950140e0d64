package infrastructure

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/modules"
)

// awsProvider is the source of the provider that a ProviderConfig configures.
const awsProvider = "registry.terraform.io/hashicorp/aws"

// providerConfig finds the ProviderConfig that the object may and does use; nil for a
// module that needs none, and when module is nil, as it is not known, and none is named.
func (s *surroundings) providerConfig(infra *v1alpha1.Infrastructure, module *modules.Module) (*v1alpha1.ProviderConfig, *field.Error) {
	name := infra.Spec.ProviderConfig
	if module != nil && !slices.Contains(module.Providers, awsProvider) {
		if name != "" {
			return nil, configFault(field.ErrorTypeForbidden, v1alpha1.ReasonProviderConfigForbidden,
				"got %s, but module %s uses no provider that a ProviderConfig is for; remove it", name, module.Name)
		}
		return nil, nil
	}
	if module == nil && name == "" {
		return nil, nil
	}
	config, fault := s.findProviderConfig(name)
	if fault == nil {
		fault = s.admits(config, infra.Namespace)
	}
	return config, fault
}

// findProviderConfig finds the one that is applied with, named or default, in this
// order: a changed default does not move what exists to another account.
func (s *surroundings) findProviderConfig(name string) (*v1alpha1.ProviderConfig, *field.Error) {
	if was := s.applied.providerConfig; was != "" {
		if name != "" && name != was {
			return nil, providerConfigChanged(name, was)
		}
		name = was
	}
	if name == "" {
		return s.defaultProviderConfig()
	}
	for i := range s.configs {
		if s.configs[i].Name == name {
			return &s.configs[i], nil
		}
	}
	return nil, configFault(field.ErrorTypeNotFound, v1alpha1.ReasonProviderConfigNotFound,
		"there is no ProviderConfig %q; kubectl get providerconfigs lists them, platform engineers create them", name)
}

// configFault is a fault of spec.providerConfig.
func configFault(kind field.ErrorType, reason, format string, args ...any) *field.Error {
	return newFault(kind, "spec.providerConfig", reason, format, args...)
}

func providerConfigChanged(got, applied string) *field.Error {
	return configFault(field.ErrorTypeForbidden, v1alpha1.ReasonModuleChanged,
		"got %s, but the resources were made with %s and would be left behind; name %s, or create another Infrastructure and delete this one",
		got, applied, applied)
}

func (s *surroundings) defaultProviderConfig() (*v1alpha1.ProviderConfig, *field.Error) {
	var found []string
	var config *v1alpha1.ProviderConfig
	for i := range s.configs {
		if s.configs[i].Spec.Default {
			config = &s.configs[i]
			found = append(found, config.Name)
		}
	}
	switch len(found) {
	case 0:
		return nil, configFault(field.ErrorTypeRequired, v1alpha1.ReasonProviderConfigNotFound,
			"it is not set and no ProviderConfig is marked default; name one, or ask the platform team for a default")
	case 1:
		return config, nil
	default:
		slices.Sort(found)
		return nil, configFault(field.ErrorTypeRequired, v1alpha1.ReasonProviderConfigNotFound,
			"it is not set and %d ProviderConfigs are marked default (%q); name one, or ask the platform team to leave one default", len(found), found)
	}
}

// admits checks that the ProviderConfig may be used in the object's namespace.
func (s *surroundings) admits(config *v1alpha1.ProviderConfig, namespace string) *field.Error {
	selector, err := metav1.LabelSelectorAsSelector(&config.Spec.NamespaceSelector)
	if err != nil {
		return configFault(field.ErrorTypeForbidden, v1alpha1.ReasonProviderConfigForbidden,
			"the namespaceSelector of ProviderConfig %s is not valid: %s; ask the platform team", config.Name, err)
	}
	if !selector.Matches(s.labels) {
		return configFault(field.ErrorTypeForbidden, v1alpha1.ReasonProviderConfigForbidden,
			"ProviderConfig %s admits namespaces with labels %q, and namespace %s is not one; name another, or ask the platform team to admit it",
			config.Name, selector, namespace)
	}
	return nil
}

// checkCredentials makes sure that the runner pod will find its credentials.
func (r *Reconciler) checkCredentials(ctx context.Context, config string, credentials v1alpha1.Credentials) error {
	var obj client.Object = &corev1.Secret{}
	kind, name := "Secret", credentials.SecretName
	if name == "" {
		obj, kind, name = &corev1.ServiceAccount{}, "ServiceAccount", credentials.ServiceAccountName
	}
	err := r.live.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: name}, obj)
	if apierrors.IsNotFound(err) {
		return status.Waiting(v1alpha1.ReasonInputMissing, lockRetry,
			"waiting for the credentials of ProviderConfig %s: there is no %s %q in namespace %s", config, kind, name, r.namespace)
	}
	return wrap(err, "read the credentials of ProviderConfig %s", config)
}

// providerFile is a Terraform JSON file with the provider block.
// Source: https://developer.hashicorp.com/terraform/language/syntax/json
func providerFile(config *v1alpha1.ProviderConfig) (json.RawMessage, error) {
	aws := config.Spec.AWS
	block := map[string]any{"region": literal(aws.Region)}
	if len(aws.DefaultTags) > 0 {
		block["default_tags"] = map[string]any{"tags": literals(aws.DefaultTags)}
	}
	if len(aws.Endpoints) > 0 {
		block["endpoints"] = literals(aws.Endpoints)
	}
	if aws.S3UsePathStyle {
		block["s3_use_path_style"] = true
	}
	b, err := json.Marshal(map[string]any{"provider": map[string]any{"aws": block}})
	if err != nil {
		return nil, fmt.Errorf("provider block of ProviderConfig %s: %w", config.Name, err)
	}
	return b, nil
}

// literal escapes what Terraform would take for a template in a JSON string.
func literal(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s)
}

func literals(m map[string]string) map[string]string {
	escaped := make(map[string]string, len(m))
	for k, v := range m {
		escaped[literal(k)] = literal(v)
	}
	return escaped
}
