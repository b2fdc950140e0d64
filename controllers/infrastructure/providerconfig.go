package infrastructure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/modules"
)

// awsProvider is the source of the provider that a ProviderConfig configures.
const awsProvider = "registry.terraform.io/hashicorp/aws"

// providerConfig finds the ProviderConfig that the object may and does use; nil
// for a module that needs none.
func (r *Reconciler) providerConfig(ctx context.Context, o *observed, module *modules.Module) (*v1alpha1.ProviderConfig, error) {
	infra := o.infra
	if !slices.Contains(module.Providers, awsProvider) {
		if infra.Spec.ProviderConfig != "" {
			return nil, status.Stalled(v1alpha1.ReasonProviderConfigForbidden, 0,
				"spec.providerConfig: got %s, but module %s uses no provider that a ProviderConfig is for; remove it", infra.Spec.ProviderConfig, module.Name)
		}
		return nil, nil
	}
	config, err := admittedProviderConfig(ctx, r.client, o)
	if fault := (*status.Error)(nil); errors.As(err, &fault) {
		// Helm gives up at once on a refusal, so that it must not come from a cache that
		// is a moment behind.
		config, err = admittedProviderConfig(ctx, r.live, o)
	}
	if err != nil {
		return nil, err
	}
	return config, r.checkCredentials(ctx, config.Name, config.Spec.Credentials)
}

// admittedProviderConfig finds the one that the object may and does use.
func admittedProviderConfig(ctx context.Context, c client.Reader, o *observed) (*v1alpha1.ProviderConfig, error) {
	config, err := findProviderConfig(ctx, c, o)
	if err != nil {
		return nil, err
	}
	return config, admits(ctx, c, config, o.infra.Namespace)
}

// findProviderConfig finds the one that is applied with, named or default, in this
// order: a changed default does not move what exists to another account.
func findProviderConfig(ctx context.Context, c client.Reader, o *observed) (*v1alpha1.ProviderConfig, error) {
	name := o.infra.Spec.ProviderConfig
	if applied := o.applied(); applied != nil && applied.Spec.ProviderConfig != "" {
		if name != "" && name != applied.Spec.ProviderConfig {
			return nil, providerConfigChanged(name, applied.Spec.ProviderConfig)
		}
		name = applied.Spec.ProviderConfig
	}
	if name == "" {
		return defaultProviderConfig(ctx, c)
	}
	config := &v1alpha1.ProviderConfig{}
	if err := c.Get(ctx, client.ObjectKey{Name: name}, config); apierrors.IsNotFound(err) {
		return nil, status.Stalled(v1alpha1.ReasonProviderConfigNotFound, 0,
			"spec.providerConfig: there is no ProviderConfig %q; kubectl get providerconfigs lists them, platform engineers create them", name)
	} else if err != nil {
		return nil, fmt.Errorf("read ProviderConfig %s: %w", name, err)
	}
	return config, nil
}

func providerConfigChanged(got, applied string) error {
	return status.Stalled(v1alpha1.ReasonModuleChanged, 0,
		"spec.providerConfig: got %s, but the resources were made with %s and would be left behind; name %s, or create another Infrastructure and delete this one",
		got, applied, applied)
}

func defaultProviderConfig(ctx context.Context, c client.Reader) (*v1alpha1.ProviderConfig, error) {
	var list v1alpha1.ProviderConfigList
	if err := c.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("list the ProviderConfigs: %w", err)
	}
	var found []string
	var config *v1alpha1.ProviderConfig
	for i := range list.Items {
		if list.Items[i].Spec.Default {
			config = &list.Items[i]
			found = append(found, config.Name)
		}
	}
	switch len(found) {
	case 0:
		return nil, status.Stalled(v1alpha1.ReasonProviderConfigNotFound, 0,
			"spec.providerConfig is not set and no ProviderConfig is marked default; name one, or ask the platform team for a default")
	case 1:
		return config, nil
	default:
		slices.Sort(found)
		return nil, status.Stalled(v1alpha1.ReasonProviderConfigNotFound, 0,
			"spec.providerConfig is not set and %d ProviderConfigs are marked default (%q); name one, or ask the platform team to leave one default", len(found), found)
	}
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

// admits checks that the ProviderConfig may be used in the namespace.
func admits(ctx context.Context, c client.Reader, config *v1alpha1.ProviderConfig, namespace string) error {
	selector, err := metav1.LabelSelectorAsSelector(&config.Spec.NamespaceSelector)
	if err != nil {
		return status.Stalled(v1alpha1.ReasonProviderConfigForbidden, 0,
			"the namespaceSelector of ProviderConfig %s is not valid: %s; ask the platform team", config.Name, err)
	}
	var ns metav1.PartialObjectMetadata
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err = c.Get(ctx, client.ObjectKey{Name: namespace}, &ns)
	if apierrors.IsNotFound(err) {
		return status.Waiting(v1alpha1.ReasonProgressing, time.Second, "waiting for namespace %s to be known", namespace)
	}
	if err != nil {
		return fmt.Errorf("read namespace %s: %w", namespace, err)
	}
	if !selector.Matches(labels.Set(ns.Labels)) {
		return status.Stalled(v1alpha1.ReasonProviderConfigForbidden, 0,
			"spec.providerConfig: ProviderConfig %s admits namespaces with labels %q, and namespace %s is not one; name another, or ask the platform team to admit it",
			config.Name, selector, namespace)
	}
	return nil
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
