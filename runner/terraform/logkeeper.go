package terraform

import (
	"context"
	"errors"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

const (
	// logInterval is the time between two writes of the log of a run that lasts: what a
	// runner has said until then is there when it is killed. Most runs are shorter, and
	// write it once.
	logInterval = 15 * time.Second
	// logPatience is how long the runner tries to write the whole log once the run's
	// result is written.
	logPatience = 20 * time.Second
)

// logKeeper writes the kept log into the Run's log Secret, in a goroutine of its own as
// long as the run lasts. A log that cannot be written fails nothing.
type logKeeper struct {
	client client.Client
	log    *keptLog
	// secret is what is written, but for the log.
	secret *corev1.Secret
	cancel context.CancelFunc
	done   chan struct{}
}

// startLogKeeper keeps the log of a Run that this pod has taken; req is nil when it could
// not be read.
func startLogKeeper(c client.Client, log *keptLog, run *v1alpha1.Run, req *runner.Request) *logKeeper {
	ctx, cancel := context.WithCancel(context.Background())
	labels := maps.Clone(run.Labels)
	if req != nil {
		labels = maps.Clone(req.Labels)
	}
	k := &logKeeper{client: c, log: log, cancel: cancel, done: make(chan struct{})}
	k.secret = &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: run.Namespace, Name: runner.LogName(run.Name), Labels: labels,
			OwnerReferences: goesWith(run),
		},
		Type: corev1.SecretTypeOpaque,
	}
	go k.loop(ctx)
	return k
}

// stop ends the goroutine; after it returns nothing more is written by it.
func (k *logKeeper) stop() {
	k.cancel()
	<-k.done
}

func (k *logKeeper) loop(ctx context.Context) {
	defer close(k.done)
	ticker := time.NewTicker(logInterval)
	defer ticker.Stop()
	written := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		text, version := k.log.text()
		if version == written {
			continue
		}
		// What could not be written is written with what comes next. A write is not
		// cancelled: it could reach the API server after the last one.
		switch err := k.write(context.WithoutCancel(ctx), text, false); {
		case errors.Is(err, errPermanent):
			return
		case err == nil:
			written = version
		}
	}
}

// end writes the whole log.
func (k *logKeeper) end(ctx context.Context) error {
	text, _ := k.log.text()
	return k.write(ctx, text, true)
}

// write applies the Secret.
func (k *logKeeper) write(ctx context.Context, text []byte, ended bool) error {
	data, err := runner.LogData(text)
	if err != nil {
		return err
	}
	secret := k.secret.DeepCopy()
	secret.Data = data
	if ended {
		secret.Annotations = map[string]string{runner.AnnotationLogEnded: "true"}
	}
	return applySecret(ctx, k.client, secret)
}
