package status

import (
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// maxMessage is what a condition's message may hold, in bytes.
// Source: maxLength of metav1.Condition's message.
const maxMessage = 32768

// Set writes the outcome into the object's conditions and its observed
// generation.
func Set(infra *v1alpha1.Infrastructure, o Outcome) {
	infra.Status.ObservedGeneration = infra.Generation
	SetConditions(&infra.Status.Conditions, infra.Generation, o)
}

// SetConditions writes the outcome for a generation of an object into its conditions.
//
//	outcome      Ready    Reconciling  Stalled
//	in sync      True     -            -
//	progressing  Unknown  True         -
//	waiting      False    True         -
//	retrying     False    True         -
//	stalled      False    -            True
//	suspended    kept     -            -
func SetConditions(conditions *[]metav1.Condition, generation int64, o Outcome) {
	set := func(kind string, status metav1.ConditionStatus) {
		meta.SetStatusCondition(conditions, metav1.Condition{
			Type: kind, Status: status, Reason: o.reason, Message: truncate(o.message),
			ObservedGeneration: generation,
		})
	}
	remove := func(kind string) { meta.RemoveStatusCondition(conditions, kind) }

	if ready, ok := o.ready(); ok {
		set(v1alpha1.ConditionReady, ready)
	} else {
		keepReady(conditions, generation, o)
	}
	// A condition that stays keeps the time since when it holds.
	switch o.kind {
	case progressing, waiting, retrying:
		remove(v1alpha1.ConditionStalled)
		set(v1alpha1.ConditionReconciling, metav1.ConditionTrue)
	case stalled:
		remove(v1alpha1.ConditionReconciling)
		set(v1alpha1.ConditionStalled, metav1.ConditionTrue)
	default:
		remove(v1alpha1.ConditionReconciling)
		remove(v1alpha1.ConditionStalled)
	}
}

// keepReady leaves Ready as it is when it is True for what was applied, and makes
// it False otherwise: a suspended object does not come to anything by itself.
func keepReady(conditions *[]metav1.Condition, generation int64, o Outcome) {
	ready := meta.FindStatusCondition(*conditions, v1alpha1.ConditionReady)
	if ready != nil && ready.Status == metav1.ConditionTrue {
		ready.ObservedGeneration = generation
		return
	}
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: o.reason, Message: truncate(o.message),
		ObservedGeneration: generation,
	})
}

// Result returns what Reconcile returns for the outcome.
func (o Outcome) Result() (ctrl.Result, error) {
	if o.err != nil {
		return ctrl.Result{}, o.err
	}
	return ctrl.Result{RequeueAfter: o.after}, nil
}

func truncate(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	s = s[:maxMessage-len("…")]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}
