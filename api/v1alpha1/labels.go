package v1alpha1

const (
	// Finalizer keeps an Infrastructure until its resources are destroyed.
	Finalizer = Group + "/destroy"

	// FinalizerPreview keeps a Preview until nothing is left of it in the system namespace.
	FinalizerPreview = Group + "/preview"

	// LabelKey is on every object in the system namespace that belongs to one
	// Infrastructure; its value is the object's state key (state.Key).
	LabelKey = Group + "/key"

	// LabelPreview is on every object in the system namespace that belongs to a Preview,
	// and to no Infrastructure; its value is the Preview's UID.
	LabelPreview = Group + "/preview"

	// LabelPlan is on the Secrets of a saved plan; its value is the name of the Run that
	// made it.
	LabelPlan = Group + "/plan"

	// LabelStateCopy is on the Secrets of a copy of an earlier state; its value is the
	// state's serial.
	LabelStateCopy = Group + "/state-copy"

	// LabelManagedBy is on every object that the controller makes, with the value
	// ManagedBy.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "groundwork"

	// LabelWatch is on every output Secret, with the value WatchEnabled: Flux's
	// helm-controller then reconciles at once, not only at its next interval, a
	// HelmRelease that takes values from the Secret when an output changes.
	// Source: https://fluxcd.io/flux/components/helm/helmreleases/#reacting-immediately-to-configuration-dependencies
	LabelWatch = "reconcile.fluxcd.io/watch"
	// WatchEnabled is the value of LabelWatch.
	WatchEnabled = "Enabled"

	// LabelWebhook on a namespace, with the value WebhookIgnore, keeps the webhook from
	// being asked about the namespace's Infrastructures; the controller checks them.
	LabelWebhook = Group + "/webhook"
	// WebhookIgnore is the value of LabelWebhook.
	WebhookIgnore = "ignore"

	// AnnotationReconcile asks for a run now; each new value asks once. It is
	// Flux's own annotation, set by `flux reconcile` and by hand.
	// Source: https://fluxcd.io/flux/components/kustomize/kustomizations/#triggering-a-reconcile
	AnnotationReconcile = "reconcile.fluxcd.io/requestedAt"

	// AnnotationApprove approves the plan with the id that is its value. It approves that
	// plan only, and only once.
	AnnotationApprove = Group + "/approve"
	// AnnotationApprovedBy is set by the API server beside AnnotationApprove, by a policy
	// of the chart's: the plan's id, a space, and the user. Nobody can set it otherwise.
	AnnotationApprovedBy = Group + "/approved-by"
	// AnnotationCancel ends the Run with the name that is its value gracefully, if it is
	// under way.
	AnnotationCancel = Group + "/cancel"
)
