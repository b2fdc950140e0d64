package infrastructure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/controllers/status"
	"github.com/groundwork-dev/groundwork/state"
)

// outputSecretName is the name of the object's output Secret.
func outputSecretName(infra *v1alpha1.Infrastructure) string {
	if infra.Spec.Outputs.SecretName != "" {
		return infra.Spec.Outputs.SecretName
	}
	return infra.Name
}

// outputSecret reads the Secret of the given name in the object's namespace and
// makes sure that it is the object's own; nil when there is none.
func (r *Reconciler) outputSecret(ctx context.Context, infra *v1alpha1.Infrastructure, name string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := r.live.Get(ctx, client.ObjectKey{Namespace: infra.Namespace, Name: name}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read output Secret %s: %w", name, err)
	case metav1.IsControlledBy(&secret, infra):
		return &secret, nil
	}
	owner := "nobody that Groundwork knows"
	if ref := metav1.GetControllerOf(&secret); ref != nil {
		owner = fmt.Sprintf("%s %s", ref.Kind, ref.Name)
		if ref.Kind == "Infrastructure" && ref.Name == infra.Name {
			return nil, status.Waiting(v1alpha1.ReasonProgressing, firstRetry,
				"waiting for Secret %s of an earlier object of this name to be removed", name)
		}
	}
	return nil, status.Stalled(v1alpha1.ReasonOutputSecretConflict, slowRetry,
		"spec.outputs.secretName: Secret %q exists and belongs to %s, so it is not overwritten; choose another name, or delete that Secret", name, owner)
}

// checkOutputSecret makes sure, before anything is applied, that the outputs will
// have a Secret to go to.
func (r *Reconciler) checkOutputSecret(ctx context.Context, infra *v1alpha1.Infrastructure) error {
	_, err := r.outputSecret(ctx, infra, outputSecretName(infra))
	return err
}

// keepOutputs writes the output Secret when it is not what it should be, and
// removes the one that the object wrote under an earlier name. Unless the last apply
// succeeded, the outputs in the state may be those of half an apply: then only what
// was written before is put back.
func (r *Reconciler) keepOutputs(ctx context.Context, o *observed) error {
	infra, succeeded := o.infra, o.applied() != nil && o.applied() == o.lastChange() && o.applied().Status.Phase == v1alpha1.RunSucceeded
	if !succeeded && infra.Status.Outputs == nil {
		return nil
	}
	current, err := r.state.Read(ctx, o.key)
	if errors.Is(err, state.ErrAbsent) {
		return stateMissing(r.namespace, infra)
	}
	if err != nil {
		return err
	}
	infra.Status.Resources = int32(current.Resources)
	data, err := render(infra.Spec.Outputs, current.Outputs)
	if err != nil {
		return status.Stalled(v1alpha1.ReasonInvalidOutputs, 0, "%s", err)
	}
	if !succeeded && checksum(data) != infra.Status.Outputs.Checksum {
		return nil
	}
	name := outputSecretName(infra)
	secret, err := r.outputSecret(ctx, infra, name)
	if err != nil {
		return err
	}
	if secret == nil || !isOnlyName(&infra.Status, name) {
		if err := r.noteSecretName(ctx, o, name); err != nil {
			return err
		}
	}
	if secret == nil || !holds(secret, data) {
		if err := r.applySecret(ctx, infra, name, data); err != nil {
			return err
		}
	}
	if err := r.removeFormerSecret(ctx, o, name); err != nil {
		return err
	}
	// The field is required: without keys it is empty, and not null.
	keys := append([]string{}, slices.Sorted(maps.Keys(data))...)
	infra.Status.Outputs = &v1alpha1.OutputsStatus{SecretName: name, Keys: keys, Checksum: checksum(data)}
	infra.Status.Binding = &v1alpha1.NameReference{Name: name}
	return nil
}

// holds tells whether the Secret has just the data, but for keys that others have
// added, and the label for Flux.
func holds(secret *corev1.Secret, data map[string][]byte) bool {
	if secret.Labels[v1alpha1.LabelWatch] != v1alpha1.WatchEnabled {
		return false
	}
	for key, value := range data {
		if current, ok := secret.Data[key]; !ok || !bytes.Equal(current, value) {
			return false
		}
	}
	for _, key := range appliedKeys(secret) {
		if _, wanted := data[key]; !wanted {
			return false
		}
	}
	return true
}

// appliedKeys are the keys that were written by applySecret, as the API server
// keeps them: the object's status may not have come to say so.
// Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
func appliedKeys(secret *corev1.Secret) []string {
	var keys []string
	for _, entry := range secret.ManagedFields {
		if entry.Manager != fieldOwner || entry.Operation != metav1.ManagedFieldsOperationApply || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Data map[string]json.RawMessage `json:"f:data"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			continue
		}
		for field := range fields.Data {
			if key, ok := strings.CutPrefix(field, "f:"); ok {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// applySecret writes the output Secret by server-side apply.
func (r *Reconciler) applySecret(ctx context.Context, infra *v1alpha1.Infrastructure, name string, data map[string][]byte) error {
	secret := corev1ac.Secret(name, infra.Namespace).
		WithLabels(map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelWatch: v1alpha1.WatchEnabled}).
		WithOwnerReferences(metav1ac.OwnerReference().
			WithAPIVersion(v1alpha1.GroupVersion().String()).WithKind("Infrastructure").
			WithName(infra.Name).WithUID(infra.UID).WithController(true)).
		WithType(corev1.SecretTypeOpaque).
		WithData(data)
	err := r.client.Apply(ctx, secret, client.FieldOwner(fieldOwner), client.ForceOwnership)
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return status.Waiting(v1alpha1.ReasonNamespaceTerminating, firstRetry, "namespace %s is being deleted and takes no Secret", infra.Namespace)
	}
	if err != nil {
		// The API server's error does not quote the data.
		return fmt.Errorf("write output Secret %s: %w", name, err)
	}
	return nil
}
