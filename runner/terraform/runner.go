package terraform

import (
	"context"
	"errors"
	"io"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// Runner carries out one Run.
type Runner struct {
	cfg    Config
	client client.Client
	log    *podLog
	// kept is what of the log outlasts the pod.
	kept *keptLog
	now  func() time.Time
}

// New returns a runner that writes the pod's log to out.
func New(cfg Config, c client.Client, out io.Writer) *Runner {
	kept := newKeptLog(maxKeptLog)
	return &Runner{
		cfg:    cfg,
		client: c,
		log:    &podLog{mask: newMask(nil, cfg.Environ), out: io.MultiWriter(kept, out), now: time.Now},
		kept:   kept,
		now:    time.Now,
	}
}

// Run carries out the Run and returns the process's exit code. The end of ctx
// asks Terraform to stop; Run returns after its state is saved.
func (r *Runner) Run(ctx context.Context) int {
	req, requestErr := readRequest(r.cfg.RequestDir)
	r.log.mask = newMask(req, r.cfg.Environ)

	run, err := r.claim(ctx)
	if err != nil {
		return r.notStarted(err)
	}
	life, cancel := r.life(ctx)
	defer cancel()

	s := &session{Runner: r, run: run, req: req, diagnostics: diagnostics{mask: r.log.mask}, started: r.now()}
	s.reporter = startReporter(r.client, run)
	keeper := startLogKeeper(r.client, r.kept, run, req)
	end := s.carryOut(ctx, life, requestErr)
	s.reporter.stop()
	keeper.stop()
	return r.finish(life, run, end, s.diagnostics.status(), keeper)
}

// life returns a context that ends just before kubelet kills the process: the
// grace period after ctx was cancelled, or never.
func (r *Runner) life(ctx context.Context) (context.Context, context.CancelFunc) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(r.cfg.lifetime(), cancel)
		context.AfterFunc(life, func() { timer.Stop() })
	})
	return life, func() { stop(); cancel() }
}

// notStarted ends a runner that has not taken its Run.
func (r *Runner) notStarted(err error) int {
	r.log.printf("%v", err)
	if notTaken := (*notTakenError)(nil); errors.As(err, &notTaken) {
		return runner.ExitNotTaken
	}
	r.writeTerminationMessage(runner.Result{
		Reason:  v1alpha1.RunReasonInitFailed,
		Message: cut(r.log.mask.apply("The runner did not start: "+err.Error()), maxMessage),
	})
	return runner.ExitFailed
}
