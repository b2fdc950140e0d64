package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// fieldManager owns what the runner applies.
const fieldManager = "groundwork-runner"

// NewClient returns a client for what the runner reads and writes. It asks the
// API server for nothing at start: a run should cost little.
func NewClient(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, coordinationv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register types: %w", err)
		}
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Secret"), meta.RESTScopeNamespace)
	mapper.Add(coordinationv1.SchemeGroupVersion.WithKind("Lease"), meta.RESTScopeNamespace)
	mapper.Add(v1alpha1.GroupVersion().WithKind("Run"), meta.RESTScopeNamespace)

	config = rest.CopyConfig(config)
	// A request to an API server that hangs is better tried again.
	config.Timeout = 10 * time.Second
	return client.New(config, client.Options{Scheme: scheme, Mapper: mapper})
}

// applySecret writes a Secret by server-side apply.
func applySecret(ctx context.Context, c client.Client, secret *corev1.Secret) error {
	patch, err := json.Marshal(secret)
	if err != nil {
		return fmt.Errorf("encode the Secret %s: %w", secret.Name, err)
	}
	return permanent(c.Patch(ctx, secret.DeepCopy(), client.RawPatch(applyPatch, patch), client.FieldOwner(fieldManager), client.ForceOwnership))
}

// goesWith are the owner references of what goes when the Run does.
func goesWith(run *v1alpha1.Run) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion().String(), Kind: "Run", Name: run.Name, UID: run.UID}}
}

// errPermanent marks an error that trying again does not mend.
var errPermanent = errors.New("permanent")

// permanentError is an error that is errPermanent too.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

func (e permanentError) Is(target error) bool { return target == errPermanent }

// retry calls f until it succeeds, returns a permanent error, or patience or ctx
// is over; then it returns f's last error.
func retry(ctx context.Context, patience time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	backoff := wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 6, Cap: 5 * time.Second}
	var last error
	err := backoff.DelayFunc().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		err := f(ctx)
		if last == nil || ctx.Err() == nil {
			last = err
		}
		if errors.Is(err, errPermanent) {
			return false, err
		}
		return err == nil, nil
	})
	if err != nil && last != nil {
		return last
	}
	return err
}

// isGone tells that an object does not exist. An API server that is starting
// answers 404 too, for kinds that it does not serve yet.
func isGone(err error) bool {
	return apierrors.IsNotFound(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// permanent marks err as an answer that stays the same: the object is gone, or
// the API server refuses the content. Forbidden is not one, because an API
// server that is starting forbids everything.
func permanent(err error) error {
	if isGone(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err) {
		return permanentError{err}
	}
	return err
}
