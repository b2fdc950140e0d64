package terraform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
	"github.com/groundwork-dev/groundwork/runner/providerproxy"
)

// minTerraform is the oldest Terraform that the modules are written for.
const minTerraform = "1.9.0"

// session is one Run that this pod has taken.
type session struct {
	*Runner
	run *v1alpha1.Run
	req *runner.Request
	tf  *tfexec.Terraform
	// proxies stand before the module's providers; reattach is how Terraform reaches
	// them.
	proxies  []*providerproxy.Proxy
	reattach tfexec.ReattachInfo
	// step is the one that the Run is at.
	step step
	// shown is the plan in the working directory, once it was read.
	shown *shownPlan
	// warnings are those of policies, masked.
	warnings []string
	// kept says that the plan is saved, or only shown, instead of applied.
	kept bool
	// started is when the pod took the Run.
	started time.Time

	// Terraform's log arrives on one goroutine while a command runs, and none
	// runs when these are touched elsewhere.
	progress    progress
	diagnostics diagnostics
	reporter    *reporter
}

// carryOut takes the Run through its steps. Terraform is asked to stop when ctx
// ends or the run's timeout is over; what has to be saved is saved while life
// lasts.
func (s *session) carryOut(ctx, life context.Context, requestErr error) ending {
	deadline := s.run.Begin().Add(s.run.Spec.Timeout.Duration)
	stop, cancel := context.WithDeadlineCause(ctx, deadline, errTimedOut)
	defer cancel()

	end := ending{
		operation:   s.run.Spec.Operation,
		timeout:     s.run.Spec.Timeout.Duration,
		memoryLimit: s.cfg.MemoryLimit,
	}
	kills := oomKills(s.cfg.MemoryEvents)
	end.err = s.steps(stop, requestErr)
	s.closeProxies()
	end.step = s.step

	if errors.Is(context.Cause(stop), errTimedOut) {
		end.stop = errTimedOut
	} else if stop.Err() != nil {
		end.stop = errInterrupted
	}
	end.oomKills = oomKills(s.cfg.MemoryEvents) - kills
	end.plan = s.progress.plan
	end.kept, end.preview = s.kept, s.isPreview()
	end.warnings = s.warnings
	end.resources = s.progressStatus().Resources
	end.applyStarted = end.step == stepApply
	end.applied = s.progress.applied
	end.allChanged = s.progress.done == s.progress.total()
	end.errors = s.diagnostics.errors()
	if end.err != nil && s.tf != nil && !end.preview && foreignLock(end.errors) == nil {
		end.stateLate, end.stateLost = s.rescue(life)
	}
	if errors.Is(end.stop, errInterrupted) {
		end.stop = s.interruption(life)
	}
	return end
}

// interruption tells why the pod was asked to end: the Run says so when it was
// cancelled.
func (s *session) interruption(life context.Context) error {
	run := &v1alpha1.Run{}
	err := retry(life, lockPatience, func(ctx context.Context) error {
		run = &v1alpha1.Run{}
		return permanent(s.client.Get(ctx, s.cfg.Run, run))
	})
	if err == nil && run.Status.CancelRequested {
		return errCancelled
	}
	return errInterrupted
}

// steps takes the Run through its steps; s.step is the last one.
func (s *session) steps(ctx context.Context, requestErr error) error {
	s.step = stepRequest
	if requestErr == nil {
		requestErr = checkRequest(s.req, s.run)
	}
	if requestErr != nil {
		return requestErr
	}
	s.step = stepInit
	s.enter(v1alpha1.RunInitializing)
	if err := s.initialize(ctx); err != nil {
		return err
	}
	s.enter(v1alpha1.RunPlanning)
	if s.isPreview() {
		return s.preview(ctx)
	}
	changes, err := s.approvedPlan(ctx)
	if err != nil {
		return err
	}
	if changes {
		s.step = stepGate
		if err := s.obeyPolicies(ctx); err != nil {
			return err
		}
		v, err := s.gate(ctx)
		if s.kept = v == keepPlan; err != nil || s.kept {
			return err
		}
		changes = v == carryOutPlan
	}
	s.step = stepRecord
	if err := s.record(ctx, changes); err != nil {
		return err
	}
	if !changes || ctx.Err() != nil {
		return ctx.Err()
	}
	s.step = stepApply
	return s.apply(ctx)
}

// initialize lays out the working directory and finds Terraform.
func (s *session) initialize(ctx context.Context) error {
	req := s.req
	if s.isPreview() {
		var err error
		if req, err = s.onCopy(ctx); err != nil {
			return err
		}
	}
	providers, err := layOut(s.cfg, req)
	if err != nil {
		return err
	}
	tf, err := newTerraform(s.cfg)
	if err != nil {
		return err
	}
	found, _, err := tf.Version(ctx, true)
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w", s.cfg.TerraformBinary, err)
	}
	if found.LessThan(version.Must(version.NewVersion(minTerraform))) {
		return fmt.Errorf("%s is Terraform %s: the modules need %s or newer", s.cfg.TerraformBinary, found, minTerraform)
	}
	tf.SetStderr(&eventWriter{handle: s.log.event})
	s.tf = tf
	s.log.printf("Terraform %s: %s %s %s", found, s.req.Operation, s.req.Module.Name, s.req.Module.Version)
	if err := s.startProxies(ctx, providers); err != nil {
		s.log.printf("Going on without a proxy: %v", err)
	}
	return ctx.Err()
}

// apply applies exactly the plan that was made.
func (s *session) apply(ctx context.Context) error {
	defer s.tf.SetStdout(io.Discard)
	return s.tf.ApplyJSON(ctx, s.events(), tfexec.DirOrPlan(s.cfg.path(planFile)), tfexec.Reattach(s.reattach))
}

// events returns a writer for a command's JSON log.
func (s *session) events() io.Writer {
	return &eventWriter{handle: func(e event) {
		repeated := e.Type == eventPlannedChange && s.progress.phase != v1alpha1.RunPlanning
		if !repeated {
			s.log.event(e)
		}
		s.diagnostics.observe(e)
		s.progress.observe(e)
		s.report()
	}}
}

// enter starts a phase.
func (s *session) enter(phase v1alpha1.RunPhase) {
	s.progress.enter(phase)
	s.report()
}

// say puts a message into the log and in place of the progress.
func (s *session) say(message string) {
	s.log.printf("%s", message)
	status := s.progressStatus()
	status.Message = message
	s.reporter.offer(status)
}

func (s *session) report() { s.reporter.offer(s.progressStatus()) }

// progressStatus is the progress, masked.
func (s *session) progressStatus() progressStatus {
	status := s.progress.status()
	status.Message = cut(s.log.mask.apply(status.Message), maxMessage)
	for i := range status.Resources {
		status.Resources[i].Address = s.log.mask.apply(status.Resources[i].Address)
	}
	return status
}

// newTerraform returns a Terraform that runs in the working directory, knows the
// mirror alone, and may take the pod's grace period to stop.
func newTerraform(cfg Config) (*tfexec.Terraform, error) {
	tf, err := tfexec.NewTerraform(cfg.path(moduleDir), cfg.TerraformBinary)
	if err != nil {
		return nil, err
	}
	if err := tf.SetEnv(environment(cfg)); err != nil {
		return nil, err
	}
	return tf, tf.SetWaitDelay(cfg.waitDelay())
}

// environment is what Terraform and the providers see: the runner's own, and
// settings that win over it.
func environment(cfg Config) map[string]string {
	env := tfexec.CleanEnv(environMap(cfg.Environ))
	maps.Copy(env, map[string]string{
		"TF_CLI_CONFIG_FILE": cfg.path(cliConfigFile),
		"CHECKPOINT_DISABLE": "1",
		"HOME":               cfg.path(homeDir),
		"TMPDIR":             cfg.path(tempDir),
		// Decoding a large provider's schema makes much garbage: collecting it less
		// often spares a third of a run's CPU time, for twice the memory.
		"GOGC": "400",
	})
	if cfg.MemoryLimit > 0 {
		// Near the limit it is collected more often: Terraform and one provider are
		// the two processes that matter.
		env["GOMEMLIMIT"] = strconv.FormatInt(cfg.MemoryLimit*2/5, 10)
	}
	return env
}
