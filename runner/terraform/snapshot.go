package terraform

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// recordPatience is how long the runner tries to record what it is about to do;
// the plan gets stale meanwhile.
const recordPatience = 2 * time.Minute

// record leaves behind what a destroy needs, and that resources are about to be
// changed. Nothing may be changed when it fails.
func (s *session) record(ctx context.Context, changes bool) error {
	if s.req.Operation == v1alpha1.OperationApply {
		if err := retry(ctx, recordPatience, s.writeSnapshot); err != nil {
			return fmt.Errorf("write the snapshot %s: %w", s.req.Snapshot, err)
		}
	}
	if !changes {
		return nil
	}
	s.progress.enter(applyPhase(s.req.Operation))
	status := struct {
		progressStatus
		ApplyStartedAt metav1.Time `json:"applyStartedAt"`
	}{s.progress.status(), metav1.NewTime(s.now())}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return fmt.Errorf("encode the run's status: %w", err)
	}
	err = retry(ctx, recordPatience, func(ctx context.Context) error {
		return permanent(s.client.Status().Patch(ctx, s.run.DeepCopy(), client.RawPatch(mergePatch, patch)))
	})
	if err != nil {
		return fmt.Errorf("note the start of the apply in the run's status: %w", err)
	}
	return nil
}

// writeSnapshot applies the Secret that a destroy works from.
func (s *session) writeSnapshot(ctx context.Context) error {
	data, err := s.req.SecretData()
	if err != nil {
		return err
	}
	secret := &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: s.run.Namespace, Name: s.req.Snapshot, Labels: s.req.Labels},
		Data:       data,
	}
	return applySecret(ctx, s.client, secret)
}

func applyPhase(op v1alpha1.Operation) v1alpha1.RunPhase {
	if op == v1alpha1.OperationDestroy {
		return v1alpha1.RunDestroying
	}
	return v1alpha1.RunApplying
}
