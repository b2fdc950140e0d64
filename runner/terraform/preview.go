package terraform

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-exec/tfexec"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// stateCopy is the copy of the state that a preview is planned on.
const stateCopy = "preview.tfstate"

// maxDiff bounds what is kept of Terraform's account of a plan, in bytes: a Secret holds
// twice that.
const maxDiff = 512 << 10

// isPreview tells whether the run only shows what would be changed.
func (s *session) isPreview() bool { return s.run.Spec.Trigger == v1alpha1.TriggerPreview }

// onCopy returns the request of a preview as one that works on a copy of the state, in the
// working directory: the kubernetes backend would take the lock, and write a state where
// there is none.
func (s *session) onCopy(ctx context.Context) (*runner.Request, error) {
	path := s.cfg.path(stateCopy)
	content, err := s.readState(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	if err := s.maskEarlier(ctx); err != nil {
		return nil, err
	}
	if content != nil {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, fmt.Errorf("copy the state: %w", err)
		}
	}
	req := *s.req
	req.Backend, err = json.Marshal(map[string]any{"terraform": map[string]any{"backend": map[string]any{
		"local": map[string]any{"path": path},
	}}})
	return &req, err
}

// maskEarlier masks what was secret in what is applied, too: a diff shows old values, and
// a provider may keep a copy of one where Terraform does not know it to be secret.
func (s *session) maskEarlier(ctx context.Context) error {
	snapshot := &corev1.Secret{}
	err := retry(ctx, recordPatience, func(ctx context.Context) error {
		snapshot = &corev1.Secret{}
		return permanent(s.client.Get(ctx, types.NamespacedName{Namespace: s.run.Namespace, Name: s.req.Snapshot}, snapshot))
	})
	if isGone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the snapshot %s: %w", s.req.Snapshot, err)
	}
	earlier, err := runner.ParseRequest(snapshot.Data)
	if err != nil {
		return fmt.Errorf("read the snapshot %s: %w", s.req.Snapshot, err)
	}
	s.log.mask = newMask(s.req, s.cfg.Environ, earlier)
	s.diagnostics.mask = s.log.mask
	return nil
}

// preview makes the plan, tells what it does and what policies have against it, and
// leaves everything as it is.
func (s *session) preview(ctx context.Context) error {
	changes, err := s.plan(ctx)
	if err != nil {
		return err
	}
	s.step = stepGate
	plan, err := s.showPlan(ctx)
	if err != nil {
		return err
	}
	s.progress.plan = summaryOf("", changesOf(plan.Plan, s.req.StatefulTypes), s.log.mask)
	if err := s.writeDiff(ctx); err != nil {
		return err
	}
	if s.kept = changes; !changes {
		return nil
	}
	return s.obeyPolicies(ctx)
}

// writeDiff leaves Terraform's own account of the plan in a Secret that goes with the Run.
func (s *session) writeDiff(ctx context.Context) error {
	text, err := s.tf.ShowPlanFileRaw(ctx, s.cfg.path(planFile), tfexec.Reattach(s.reattach))
	if err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	secret := &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.run.Namespace, Name: runner.DiffSecret(s.run.Name), Labels: s.req.Labels,
			OwnerReferences: goesWith(s.run),
		},
		Data: map[string][]byte{v1alpha1.DiffKey: []byte(boundDiff(s.log.mask.apply(text)))},
	}
	err = retry(ctx, recordPatience, func(ctx context.Context) error { return applySecret(ctx, s.client, secret) })
	if err != nil {
		return fmt.Errorf("write the diff %s: %w", secret.Name, err)
	}
	return nil
}

// boundDiff cuts a diff that is too long, and says so.
func boundDiff(text string) string {
	if len(text) <= maxDiff {
		return text
	}
	note := fmt.Sprintf("\n\nThe rest is left out: the plan is %d KiB long, and %d KiB are kept.\n", len(text)>>10, maxDiff>>10)
	return cut(text, maxDiff-len(note)) + note
}
