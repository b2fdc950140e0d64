package pod

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/runner"
)

// ContainerName is the name of the pod's one container.
const ContainerName = "runner"

// uid is the user and group of the runner in the bundle image.
const uid int64 = 65532

const (
	volumeRequest  = "request"
	volumeWork     = "work"
	volumePolicies = "policies"
)

// Build returns the runner pod of a run. It has the run's name and namespace:
// the name is the pod's host name too (at most 63 characters), which is how
// Terraform's lock tells who holds it. The run's bundle has to be one of the config's
// (ImageOf).
//
// The pod has no activeDeadlineSeconds: kubelet would kill Terraform without its
// state being saved. The runner keeps to the run's timeout itself.
func Build(run *v1alpha1.Run, cfg Config) *corev1.Pod {
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name:      run.Name,
			Namespace: run.Namespace,
			Labels:    merged(cfg.Template.Labels, labels(run)),
			Annotations: merged(cfg.Template.Annotations, map[string]string{
				// Moving the pod would interrupt the apply.
				"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
				"karpenter.sh/do-not-disrupt":                    "true",
			}),
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(run, v1alpha1.GroupVersion().WithKind("Run")),
			},
		},
		Spec: spec(run, cfg),
	}
}

// labels say whose the pod is: an Infrastructure's or a Preview's.
func labels(run *v1alpha1.Run) map[string]string {
	own := map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy}
	for _, name := range []string{v1alpha1.LabelKey, v1alpha1.LabelPreview} {
		if value, ok := run.Labels[name]; ok {
			own[name] = value
		}
	}
	return own
}

func spec(run *v1alpha1.Run, cfg Config) corev1.PodSpec {
	return corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever,
		TerminationGracePeriodSeconds: ptr.To(gracePeriodSeconds(cfg.TerminationGracePeriod)),
		ServiceAccountName:            serviceAccountName(run, cfg),
		EnableServiceLinks:            ptr.To(false),
		PriorityClassName:             cfg.Template.PriorityClassName,
		ImagePullSecrets:              cfg.Template.ImagePullSecrets,
		NodeSelector:                  cfg.Template.NodeSelector,
		Tolerations:                   cfg.Template.Tolerations,
		Affinity:                      cfg.Template.Affinity,
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   ptr.To(true),
			RunAsUser:      ptr.To(uid),
			RunAsGroup:     ptr.To(uid),
			FSGroup:        ptr.To(uid),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{container(run, cfg)},
		Volumes: []corev1.Volume{
			{Name: volumeRequest, VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: run.Name, DefaultMode: ptr.To(int32(0o440))},
			}},
			{Name: volumeWork, VolumeSource: corev1.VolumeSource{
				EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
			}},
			{Name: volumePolicies, VolumeSource: corev1.VolumeSource{
				ConfigMap: &corev1.ConfigMapVolumeSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: runner.PoliciesConfigMap},
					DefaultMode:          ptr.To(int32(0o444)),
					Optional:             ptr.To(true),
				},
			}},
		},
	}
}

func container(run *v1alpha1.Run, cfg Config) corev1.Container {
	c := corev1.Container{
		Name:            ContainerName,
		Image:           cfg.ImageOf(run.Spec.Module.Bundle),
		ImagePullPolicy: cmp.Or(cfg.Template.ImagePullPolicy, corev1.PullIfNotPresent),
		Command:         []string{runner.Binary},
		Args:            []string{"run"},
		Env:             environment(run, cfg),
		Resources:       cfg.Template.Resources,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: ptr.To(false),
			ReadOnlyRootFilesystem:   ptr.To(true),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: volumeRequest, MountPath: runner.RequestDir, ReadOnly: true},
			{Name: volumeWork, MountPath: runner.WorkDir},
			{Name: volumePolicies, MountPath: runner.PoliciesConfigDir, ReadOnly: true},
		},
	}
	if name := run.Spec.Credentials.SecretName; name != "" {
		c.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: name},
		}}}
	}
	return c
}

// environment is what the operator adds, and the runner's contract, which wins. A
// key of the same name in the credentials Secret does not win either: env goes over
// envFrom.
func environment(run *v1alpha1.Run, cfg Config) []corev1.EnvVar {
	contract := []corev1.EnvVar{
		{Name: runner.EnvRun, Value: run.Name},
		{Name: runner.EnvNamespace, Value: run.Namespace},
		{Name: runner.EnvPodUID, ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.uid"},
		}},
		{Name: runner.EnvMemoryLimit, ValueFrom: &corev1.EnvVarSource{
			ResourceFieldRef: &corev1.ResourceFieldSelector{ContainerName: ContainerName, Resource: "limits.memory"},
		}},
		{Name: runner.EnvGracePeriod, Value: strconv.FormatInt(gracePeriodSeconds(cfg.TerminationGracePeriod), 10)},
	}
	added := slices.DeleteFunc(slices.Clone(cfg.Template.Env), func(env corev1.EnvVar) bool {
		return slices.ContainsFunc(contract, func(own corev1.EnvVar) bool { return own.Name == env.Name })
	})
	return append(contract, added...)
}

func serviceAccountName(run *v1alpha1.Run, cfg Config) string {
	if name := run.Spec.Credentials.ServiceAccountName; name != "" {
		return name
	}
	return cfg.ServiceAccountName
}

func gracePeriodSeconds(d time.Duration) int64 {
	if d == 0 {
		d = DefaultTerminationGracePeriod
	}
	return int64(d.Seconds())
}

// merged returns both maps as one; what is in own wins.
func merged(others, own map[string]string) map[string]string {
	all := maps.Clone(others)
	if all == nil {
		return own
	}
	maps.Copy(all, own)
	return all
}
