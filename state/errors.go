package state

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// What reading can fail with; any other error comes from the API server and is
// worth a retry. Only ErrAbsent means that there is nothing.
var (
	// ErrAbsent: the API server says that the object does not exist.
	ErrAbsent = errors.New("not found")
	// ErrForbidden: the API server refuses the access.
	ErrForbidden = errors.New("forbidden")
	// ErrUnreadable: the object is there, and is not what it should be.
	ErrUnreadable = errors.New("unreadable")
)

// What Unlock and Remove refuse with.
var (
	// ErrLocked: the lock is held by someone else.
	ErrLocked = errors.New("the state is locked")
	// ErrHasResources: the state still holds resources.
	ErrHasResources = errors.New("the state holds resources")
)

// object names an object in messages: "Secret groundwork-system/tfstate-default-x".
type object struct{ kind, namespace, name string }

func (o object) String() string { return o.kind + " " + o.namespace + "/" + o.name }

// apiError turns the error of a request into one of this package, with what was
// tried and what to do; nil stays nil.
func (o object) apiError(verb string, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%s: %w", o, ErrAbsent)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: %w: the controller's Role must allow it to %s this kind of object in namespace %s: %w", o, ErrForbidden, verb, o.namespace, err)
	default:
		return fmt.Errorf("%s %s: %w", verb, o, err)
	}
}

// unreadable returns an error that says what is wrong with the object and what
// to do.
func (o object) unreadable(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", o, ErrUnreadable, fmt.Sprintf(format, args...))
}

// ignoreAbsent returns nil for ErrAbsent.
func ignoreAbsent(err error) error {
	if errors.Is(err, ErrAbsent) {
		return nil
	}
	return err
}
