// Package status turns the outcome of a reconcile into conditions and a result.
// It is the one place that knows what makes an object Ready, Reconciling or
// Stalled; a phase only says what happened.
package status

import (
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Outcome is how a reconcile of an Infrastructure or a Preview ended. The zero value is not an
// outcome.
type Outcome struct {
	kind    kind
	reason  string
	message string
	after   time.Duration
	// err is set for an outcome that controller-runtime retries with its backoff.
	err error
}

type kind int

const (
	inSync kind = iota + 1
	progressing
	waiting
	stalled
	suspended
	retrying
	behind
)

// ErrBehind is the error of a reconcile that has found that the cache does not have yet
// what the API server has. What it would say of the object may be wrong, so that it says
// nothing: a Ready object would not be Ready for a moment.
var ErrBehind = errors.New("the cache is behind the API server")

// behindRetry is the time to the next look at an object when the cache was behind.
const behindRetry = time.Second

// InSync is the outcome of an object that is what its spec asks for; after is the
// time of the next look when no event comes first, zero for none.
func InSync(message string, after time.Duration) Outcome {
	return Outcome{kind: inSync, reason: v1alpha1.ReasonInSync, message: message, after: after}
}

// InSyncUntil is InSync for another reason than that nothing is to be done.
func InSyncUntil(reason string, after time.Duration, format string, args ...any) Outcome {
	return Outcome{kind: inSync, reason: reason, message: fmt.Sprintf(format, args...), after: after}
}

// Progressing is the outcome of an object with a run under way; after is the
// time of the next look when no event comes first, zero for none.
func Progressing(reason, message string, after time.Duration) Outcome {
	return Outcome{kind: progressing, reason: reason, message: message, after: after}
}

// Planned is the outcome of a Preview whose plan is made.
func Planned(reason, message string) Outcome {
	return Outcome{kind: inSync, reason: reason, message: message}
}

// Suspended is the outcome of an object for which no run may be started; Ready
// keeps what it was.
func Suspended(message string) Outcome {
	return Outcome{kind: suspended, reason: v1alpha1.ReasonSuspended, message: message}
}

// Error is an outcome that a lower function returns as an error: to wait for
// something, or to stall until a person has changed something.
type Error struct {
	Outcome Outcome
	// Faults are those that the Outcome tells of, if it is about the fields of a spec.
	Faults field.ErrorList
}

// Error implements error.
func (e *Error) Error() string { return e.Outcome.message }

// After is the time of the next look when no event comes first, zero for none.
func (e *Error) After() time.Duration { return e.Outcome.after }

// Waiting returns the error of an object that waits for something that is
// expected to come by itself, looked for again after the given time.
func Waiting(reason string, after time.Duration, format string, args ...any) *Error {
	return &Error{Outcome: Outcome{kind: waiting, reason: reason, message: fmt.Sprintf(format, args...), after: after}}
}

// Stalled returns the error of an object that needs a person; it is looked at
// again after the given time, zero for not before it changes.
func Stalled(reason string, after time.Duration, format string, args ...any) *Error {
	return &Error{Outcome: Outcome{kind: stalled, reason: reason, message: fmt.Sprintf(format, args...), after: after}}
}

// FromError returns the outcome of an error: what an Error in its chain says, or
// else a retry with backoff.
func FromError(err error) Outcome {
	if errors.Is(err, ErrBehind) {
		return Outcome{kind: behind, message: err.Error(), after: behindRetry}
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Outcome
	}
	return Outcome{kind: retrying, reason: v1alpha1.ReasonRetrying, message: err.Error(), err: err}
}

// Within returns the outcome with the next look after the given time at the latest.
func (o Outcome) Within(after time.Duration) Outcome {
	if o.after == 0 || o.after > after {
		o.after = after
	}
	return o
}

// Reason is the outcome's reason, as in the conditions.
func (o Outcome) Reason() string { return o.reason }

// Message is the outcome's message, as in the conditions.
func (o Outcome) Message() string { return o.message }

// Behind tells whether the cache was behind, so that there is nothing to write.
func (o Outcome) Behind() bool { return o.kind == behind }

// NeedsPerson tells whether the outcome makes the object Stalled.
func (o Outcome) NeedsPerson() bool { return o.kind == stalled }

// ready is the status of Ready; ok is false when it keeps what it was.
func (o Outcome) ready() (status metav1.ConditionStatus, ok bool) {
	switch o.kind {
	case inSync:
		return metav1.ConditionTrue, true
	case progressing:
		return metav1.ConditionUnknown, true
	case suspended:
		return "", false
	default:
		return metav1.ConditionFalse, true
	}
}
