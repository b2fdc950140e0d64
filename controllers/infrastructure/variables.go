package infrastructure

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/modules"
	"github.com/groundwork-dev/groundwork/state"
)

// variables gathers the variables from the spec and from what it refers to, and
// converts them to the module's types.
func (r *Reconciler) variables(ctx context.Context, infra *v1alpha1.Infrastructure, valid resolved) (json.RawMessage, error) {
	inputs := map[string]modules.Input{}
	outputs := outputReader{r: r, namespace: infra.Namespace, others: valid.others, states: map[string]*state.State{}}
	for i, from := range infra.Spec.VariablesFrom {
		field := fmt.Sprintf("spec.variablesFrom[%d]", i)
		var err error
		if from.OutputRef != nil {
			inputs[from.Variable], err = outputs.input(ctx, field, from.OutputRef)
		} else {
			err = r.variablesFrom(ctx, infra.Namespace, field, from, inputs)
		}
		if err != nil {
			return nil, err
		}
	}
	addVariables(&infra.Spec, inputs)
	variables, err := valid.module.Inputs(inputs)
	if err != nil {
		return nil, status.Stalled(v1alpha1.ReasonInvalidVariables, 0, "%s", err)
	}
	return variables, nil
}

// addVariables adds spec.variables to inputs; it wins over what is there.
func addVariables(spec *v1alpha1.InfrastructureSpec, inputs map[string]modules.Input) {
	for name, value := range spec.Variables {
		inputs[name] = modules.Input{JSON: value.Raw, Source: fmt.Sprintf("spec.variables[%s]", name)}
	}
}

// variablesFrom adds to inputs what one entry of spec.variablesFrom, at the given
// field, takes from a Secret or ConfigMap.
func (r *Reconciler) variablesFrom(ctx context.Context, namespace, field string, from v1alpha1.VariablesSource, inputs map[string]modules.Input) error {
	kind, name, key := target(from)
	data, err := r.data(ctx, namespace, field, kind, name)
	if err != nil {
		return err
	}
	secret := kind == "Secret"
	if key == "" {
		for k, value := range data {
			inputs[k] = modules.Input{Text: &value, Secret: secret, Source: fmt.Sprintf("%s (key %q of %s %q)", field, k, kind, name)}
		}
		return nil
	}
	value, ok := data[key]
	if !ok {
		return status.Waiting(v1alpha1.ReasonInputMissing, 0, "%s: waiting for key %q of %s %q", field, key, kind, name)
	}
	inputs[from.Variable] = modules.Input{Text: &value, Secret: secret, Source: fmt.Sprintf("%s (key %q of %s %q)", field, key, kind, name)}
	return nil
}

// data reads a Secret or ConfigMap of the object's namespace. Its absence is
// waited for: the watch on it brings the object back.
func (r *Reconciler) data(ctx context.Context, namespace, field, kind, name string) (map[string]string, error) {
	key := client.ObjectKey{Namespace: namespace, Name: name}
	data := map[string]string{}
	var err error
	if kind == "Secret" {
		var secret corev1.Secret
		err = r.live.Get(ctx, key, &secret)
		for k, v := range secret.Data {
			data[k] = string(v)
		}
	} else {
		var config corev1.ConfigMap
		err = r.live.Get(ctx, key, &config)
		for k, v := range config.Data {
			data[k] = v
		}
		for k, v := range config.BinaryData {
			data[k] = string(v)
		}
	}
	if apierrors.IsNotFound(err) {
		return nil, status.Waiting(v1alpha1.ReasonInputMissing, 0, "%s: waiting for %s %q", field, kind, name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: read %s %q: %w", field, kind, name, err)
	}
	return data, nil
}

// target is the object that an entry of spec.variablesFrom refers to, and the key or
// output in it; an empty key is every key.
func target(from v1alpha1.VariablesSource) (kind, name, key string) {
	switch {
	case from.SecretKeyRef != nil:
		return "Secret", from.SecretKeyRef.Name, from.SecretKeyRef.Key
	case from.SecretRef != nil:
		return "Secret", from.SecretRef.Name, ""
	case from.ConfigMapKeyRef != nil:
		return "ConfigMap", from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key
	case from.ConfigMapRef != nil:
		return "ConfigMap", from.ConfigMapRef.Name, ""
	case from.OutputRef != nil:
		return "Infrastructure", from.OutputRef.Name, from.OutputRef.Output
	}
	return "", "", ""
}
