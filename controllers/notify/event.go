// Package notify tells Flux's notification-controller of the events of
// Infrastructures, so that they reach the channels of Flux's Alerts.
package notify

import (
	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// appliers are the kinds of Flux that leave their name and namespace in the labels of
// what they apply, under this prefix.
// Source: https://fluxcd.io/flux/components/kustomize/kustomizations/ (labels and annotations)
func appliers() []metav1.TypeMeta {
	return []metav1.TypeMeta{
		{APIVersion: "helm.toolkit.fluxcd.io/v2", Kind: "HelmRelease"},
		{APIVersion: "kustomize.toolkit.fluxcd.io/v1", Kind: "Kustomization"},
	}
}

// newEvent is an event of an Infrastructure as Flux has it. An Alert selects events by
// their object and knows Flux's kinds only, so the event is one of the HelmRelease or
// Kustomization that has applied the Infrastructure; of the Infrastructure itself when
// there is none. Message and metadata name the Infrastructure in any case.
// Source: https://fluxcd.io/flux/components/notification/alerts/#event-sources
func newEvent(infra *v1alpha1.Infrastructure, kind, reason, message string, at metav1.Time) eventv1.Event {
	involved := involvedObject(infra)
	group := involved.GroupVersionKind().Group
	severity := eventv1.EventSeverityInfo
	if kind == corev1.EventTypeWarning {
		severity = eventv1.EventSeverityError
	}
	name := infra.Namespace + "/" + infra.Name
	return eventv1.Event{
		InvolvedObject: involved,
		Severity:       severity,
		Timestamp:      at,
		Reason:         reason,
		Message:        "Infrastructure " + name + ": " + message,
		// notification-controller passes on what is under the object's group.
		Metadata:            map[string]string{group + "/infrastructure": name, group + "/module": infra.Spec.Module},
		ReportingController: "groundwork",
	}
}

func involvedObject(infra *v1alpha1.Infrastructure) corev1.ObjectReference {
	for _, applier := range appliers() {
		prefix := applier.GroupVersionKind().Group
		name, namespace := infra.Labels[prefix+"/name"], infra.Labels[prefix+"/namespace"]
		if name != "" && namespace != "" {
			return corev1.ObjectReference{APIVersion: applier.APIVersion, Kind: applier.Kind, Namespace: namespace, Name: name}
		}
	}
	return corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: "Infrastructure", Namespace: infra.Namespace, Name: infra.Name, UID: infra.UID,
	}
}
