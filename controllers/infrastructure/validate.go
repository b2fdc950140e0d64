package infrastructure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/modules"
)

// surroundings are what an Infrastructure is validated against.
type surroundings struct {
	catalogue Catalogue
	// configs are all ProviderConfigs.
	configs []v1alpha1.ProviderConfig
	// labels are those of the object's namespace.
	labels labels.Set
	// others are the Infrastructures of that namespace, and may have the object too.
	others []v1alpha1.Infrastructure
	// applied is what the object's resources were made with.
	applied applied
}

// applied names what resources were made with; empty for what is not known, as
// there is nothing yet.
type applied struct{ module, providerConfig string }

// resolved is what the names in a valid spec stand for.
type resolved struct {
	module *modules.Module
	// providerConfig is nil for a module that needs none.
	providerConfig *v1alpha1.ProviderConfig
	// others are the Infrastructures of the namespace, and may have the object too.
	others []v1alpha1.Infrastructure
}

// validate returns every fault of a spec that can be seen without the Secrets and
// ConfigMaps that it refers to, in the order of its fields. The webhook refuses the
// object for them, the controller stalls: then the first fault's Origin is the reason.
func validate(infra *v1alpha1.Infrastructure, s surroundings) (resolved, field.ErrorList) {
	r := resolved{others: s.others}
	var faults field.ErrorList
	add := func(fault *field.Error) {
		if fault != nil {
			faults = append(faults, fault)
		}
	}
	module, fault := s.module(&infra.Spec)
	add(fault)
	if r.module = module; module != nil {
		faults = append(faults, checkVariables(&infra.Spec, module)...)
	}
	faults = append(faults, checkDependencies(infra, s.others, s.catalogue)...)
	r.providerConfig, fault = s.providerConfig(infra, module)
	add(fault)
	add(checkClaim(infra, s.others))
	return r, append(faults, checkOutputs(infra.Spec.Outputs, module)...)
}

// module finds the module that the object asks for.
func (s *surroundings) module(spec *v1alpha1.InfrastructureSpec) (*modules.Module, *field.Error) {
	module, err := s.catalogue.Get(spec.Module, spec.ModuleVersion)
	switch unknown := (*modules.UnknownModuleError)(nil); {
	case errors.As(err, &unknown):
		return nil, s.moduleNotFound(field.ErrorTypeNotFound, "spec.module", err)
	case err != nil:
		return nil, s.moduleNotFound(field.ErrorTypeInvalid, "spec.moduleVersion", err)
	case s.applied.module != "" && s.applied.module != module.Name:
		return nil, moduleChanged(module.Name, s.applied.module)
	}
	return module, nil
}

// moduleNotFound says besides what becomes of what is applied: a bundle may have dropped
// the module, and whoever reads this has not changed a thing.
func (s *surroundings) moduleNotFound(kind field.ErrorType, at string, err error) *field.Error {
	if s.applied.module == "" {
		return newFault(kind, at, v1alpha1.ReasonModuleNotFound, "%s", err)
	}
	return newFault(kind, at, v1alpha1.ReasonModuleNotFound,
		"%s; the resources and the output Secret stay as they are, and a delete still destroys them", err)
}

func moduleChanged(got, applied string) *field.Error {
	return newFault(field.ErrorTypeForbidden, "spec.module", v1alpha1.ReasonModuleChanged,
		"got %s, but %s is applied and its resources would be destroyed; put it back, or create another Infrastructure and delete this one",
		got, applied)
}

// checkVariables reports what is wrong with the variables. Of those that come from
// elsewhere only the names are known, and without a key not even those.
func checkVariables(spec *v1alpha1.InfrastructureSpec, module *modules.Module) field.ErrorList {
	given := map[string]modules.Input{}
	addVariables(spec, given)
	toCome := func(variable string) bool {
		return slices.ContainsFunc(spec.VariablesFrom, func(from v1alpha1.VariablesSource) bool {
			_, _, key := target(from)
			return key == "" || from.Variable == variable
		})
	}
	var faults field.ErrorList
	for _, f := range module.Check(given, toCome) {
		kind := field.ErrorTypeInvalid
		if f.Missing {
			kind = field.ErrorTypeRequired
		}
		faults = append(faults, newFault(kind, f.Field, v1alpha1.ReasonInvalidVariables, "%s", f.Message))
	}
	for i, from := range spec.VariablesFrom {
		if _, _, key := target(from); key == "" {
			continue
		}
		if problem := module.CheckName(from.Variable); problem != "" {
			faults = append(faults, newFault(field.ErrorTypeInvalid, fmt.Sprintf("spec.variablesFrom[%d].variable", i), v1alpha1.ReasonInvalidVariables, "%s", problem))
		}
	}
	return faults
}

// newFault makes a fault of a field. Its message says what it got: a value may be
// secret, or long.
func newFault(kind field.ErrorType, at, reason, format string, args ...any) *field.Error {
	return &field.Error{Type: kind, Field: at, BadValue: field.OmitValueType{}, Detail: fmt.Sprintf(format, args...), Origin: reason}
}

// stalled is the error of an object with faults.
func stalled(faults ...*field.Error) error {
	lines := make([]string, len(faults))
	for i, f := range faults {
		lines[i] = f.Field + ": " + f.Detail
	}
	err := status.Stalled(faults[0].Origin, 0, "%s", strings.Join(lines, "; "))
	err.Faults = faults
	return err
}

// validator validates objects against what the cluster has.
type validator struct {
	catalogue Catalogue
	// cached reads from the cache, live from the API server.
	cached, live client.Reader
}

// check validates an object against what the cache knows, and, before it says that
// something is wrong with its surroundings, against what the API server knows: Helm
// gives up at once on a refusal, so that it must not come from a cache that is a moment
// behind.
func (v *validator) check(ctx context.Context, infra *v1alpha1.Infrastructure, applied applied) (resolved, field.ErrorList, error) {
	r, faults, err := v.checkWith(ctx, v.cached, infra, applied)
	if err != nil || slices.ContainsFunc(faults, ofSurroundings) {
		return v.checkWith(ctx, v.live, infra, applied)
	}
	return r, faults, nil
}

// ofSurroundings tells whether another object could have made the fault, and since have
// gone or changed.
func ofSurroundings(fault *field.Error) bool {
	switch fault.Origin {
	case v1alpha1.ReasonProviderConfigNotFound, v1alpha1.ReasonProviderConfigForbidden, v1alpha1.ReasonOutputSecretConflict,
		v1alpha1.ReasonDependencyCycle, v1alpha1.ReasonOutputNotFound:
		return true
	}
	return false
}

func (v *validator) checkWith(ctx context.Context, c client.Reader, infra *v1alpha1.Infrastructure, applied applied) (resolved, field.ErrorList, error) {
	var configs v1alpha1.ProviderConfigList
	if err := c.List(ctx, &configs); err != nil {
		return resolved{}, nil, fmt.Errorf("list the ProviderConfigs: %w", err)
	}
	ns := namespaceMetadata()
	err := c.Get(ctx, client.ObjectKey{Name: infra.Namespace}, ns)
	if apierrors.IsNotFound(err) {
		return resolved{}, nil, status.Waiting(v1alpha1.ReasonProgressing, time.Second, "waiting for namespace %s to be known", infra.Namespace)
	}
	if err != nil {
		return resolved{}, nil, fmt.Errorf("read namespace %s: %w", infra.Namespace, err)
	}
	var others v1alpha1.InfrastructureList
	// They are only read.
	if err := c.List(ctx, &others, client.InNamespace(infra.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return resolved{}, nil, fmt.Errorf("list the Infrastructures of namespace %s: %w", infra.Namespace, err)
	}
	r, faults := validate(infra, surroundings{catalogue: v.catalogue, configs: configs.Items, labels: ns.Labels, others: others.Items, applied: applied})
	return r, faults, nil
}

// namespaceMetadata is an empty Namespace of which only the metadata is read.
func namespaceMetadata() *metav1.PartialObjectMetadata {
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return ns
}
