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
//
//	outcome      Ready    Reconciling  Stalled
//	in sync      True     -            -
//	progressing  Unknown  True         -
//	waiting      False    True         -
//	retrying     False    True         -
//	stalled      False    -            True
//	suspended    kept     -            -
func Set(infra *v1alpha1.Infrastructure, o Outcome) {
	infra.Status.ObservedGeneration = infra.Generation
	set := func(kind string, status metav1.ConditionStatus) {
		meta.SetStatusCondition(&infra.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: o.reason, Message: truncate(o.message),
			ObservedGeneration: infra.Generation,
		})
	}
	remove := func(kind string) { meta.RemoveStatusCondition(&infra.Status.Conditions, kind) }

	if ready, ok := o.ready(); ok {
		set(v1alpha1.ConditionReady, ready)
	} else {
		keepReady(infra, o)
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
func keepReady(infra *v1alpha1.Infrastructure, o Outcome) {
	ready := meta.FindStatusCondition(infra.Status.Conditions, v1alpha1.ConditionReady)
	if ready != nil && ready.Status == metav1.ConditionTrue {
		ready.ObservedGeneration = infra.Generation
		return
	}
	meta.SetStatusCondition(&infra.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: o.reason, Message: truncate(o.message),
		ObservedGeneration: infra.Generation,
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
