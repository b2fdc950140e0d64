package terraform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// approvedPlan takes up the plan that was approved, if there is one that can be
// applied, and makes one otherwise. It tells whether the plan changes anything.
func (s *session) approvedPlan(ctx context.Context) (changes bool, err error) {
	if s.run.Spec.Approved == nil {
		return s.plan(ctx)
	}
	s.step = stepPlan
	err = s.restorePlan(ctx)
	if err == nil {
		// It may be another Terraform's by now, or want an init.
		if plan, failed := s.showPlan(ctx); failed == nil {
			changes := changesOf(plan.Plan, s.req.StatefulTypes)
			s.progress.adopt(summaryOf(s.run.Spec.Approved.ID, changes, s.log.mask), changes)
			s.log.printf("Taking up plan %s, which %s has made", s.run.Spec.Approved.ID, s.run.Spec.Approved.Run)
			return true, nil
		} else if ctx.Err() != nil {
			return false, failed
		}
		err = fmt.Errorf("%w: Terraform cannot read it", errNoSavedPlan)
	}
	if !errors.Is(err, errNoSavedPlan) {
		return false, err
	}
	s.log.printf("Planning anew: %v", err)
	return s.plan(ctx)
}

// plan makes the plan and tells whether it changes anything.
func (s *session) plan(ctx context.Context) (bool, error) {
	s.step = stepPlan
	changes, err := s.planOnce(ctx)
	if err == nil || !s.wantsInit() {
		return changes, err
	}
	s.log.printf("Terraform asks for an init")
	s.diagnostics.all = nil
	s.step = stepInit
	if err := s.init(ctx); err != nil {
		return false, err
	}
	s.step = stepPlan
	return s.planOnce(ctx)
}

// wantsInit tells whether Terraform did not like what prepare had made of the
// working directory. OpenTofu never does: it compares backends in its own way.
func (s *session) wantsInit() bool {
	for _, d := range s.diagnostics.errors() {
		said := d.Summary + d.Detail
		if strings.Contains(said, "terraform init") || strings.Contains(said, "tofu init") {
			return true
		}
	}
	return false
}

func (s *session) init(ctx context.Context) error {
	if err := unprepare(s.cfg); err != nil {
		return fmt.Errorf("clear the working directory: %w", err)
	}
	defer s.tf.SetStdout(io.Discard)
	return s.tf.InitJSON(ctx, s.events())
}

func (s *session) planOnce(ctx context.Context) (bool, error) {
	s.shown = nil
	// What a command wrote last must not see what the next one writes.
	defer s.tf.SetStdout(io.Discard)
	changes, err := s.tf.PlanJSON(ctx, s.events(),
		tfexec.Out(s.cfg.path(planFile)),
		tfexec.VarFile(s.cfg.path(variablesFile)),
		tfexec.Destroy(s.req.Operation == v1alpha1.OperationDestroy),
		tfexec.Lock(!s.isPreview()),
		tfexec.Reattach(s.reattach),
	)
	if err == nil && s.progress.plan == nil {
		// A Go program that breaks down has the exit code of a plan with changes.
		return false, errors.New("terraform plan ended without a plan; the pod's log has what it said")
	}
	return changes, err
}

// shownPlan is a plan as Terraform shows it.
type shownPlan struct {
	*tfjson.Plan
	// json is all of it; it holds secrets.
	json []byte
}

// showPlan reads the plan that lies in the working directory, once.
func (s *session) showPlan(ctx context.Context) (*shownPlan, error) {
	if s.shown != nil {
		return s.shown, nil
	}
	defer s.tf.SetStdout(io.Discard)
	var text bytes.Buffer
	s.tf.SetStdout(&text)
	plan, err := s.tf.ShowPlanFile(ctx, s.cfg.path(planFile), tfexec.JSONNumber(true), tfexec.Reattach(s.reattach))
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	s.shown = &shownPlan{plan, text.Bytes()}
	return s.shown, nil
}
