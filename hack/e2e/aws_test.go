//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
)

// awsTimeout is enough for one run with the AWS provider on a loaded machine;
// databaseTimeout for RDS, where the provider itself waits for minutes.
const (
	awsTimeout      = 5 * time.Minute
	databaseTimeout = 10 * time.Minute
)

func TestBucket_createUpdateDelete(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	bucket := "bucket-" + ns
	infra := create(t, ns, "bucket", "aws-s3-bucket", map[string]any{"name": bucket})
	waitReady(t, infra, awsTimeout)
	if got := outputs(t, infra)["bucket"]; got != bucket {
		t.Errorf("output bucket: got %q, want %q", got, bucket)
	}
	if found := resourcesNamed(t, bucket); len(found) != 1 || found[0].Tags["managed-by"] != "groundwork" {
		t.Fatalf("want the bucket with the ProviderConfig's default tag, got %+v", found)
	}

	update(t, infra, func(infra *v1alpha1.Infrastructure) {
		infra.Spec.Variables = values(t, map[string]any{"name": bucket, "versioning": false})
	})
	waitReady(t, infra, awsTimeout)
	for _, run := range runs(t, infra) {
		if plan := run.Status.Plan; strings.HasSuffix(run.Name, "-2") && (plan.Update != 1 || plan.Create+plan.Replace+plan.Delete != 0) {
			t.Errorf("want one update in place and nothing else, got %+v", plan)
		}
	}
	remove(t, infra, awsTimeout)
	if found := resourcesNamed(t, bucket); len(found) != 0 {
		t.Errorf("left in the account: %+v", found)
	}
}

// startsApp starts an app that waits for the database, in a pod that waits for the
// Secret; it must then connect, and the runner's log must not show the password.
func startsApp(t *testing.T, infra *v1alpha1.Infrastructure) (ready func()) {
	t.Helper()
	app := appOn(infra.Namespace, infra.Spec.Outputs.SecretName)
	if err := stage.Client.Create(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	run := waitApplying(t, infra)
	runnerLog, err := stage.Kubectl(t.Context(), "-n", devenv.Namespace, "logs", run.Name)
	if err != nil {
		t.Fatal(err)
	}
	if pod := appPod(t, infra.Namespace); pod == nil || pod.Status.Phase != corev1.PodPending || waitingReason(pod) != "ContainerCreating" {
		t.Errorf("the app's pod must wait for the Secret, got %+v", pod)
	}
	return func() {
		t.Helper()
		if strings.Contains(runnerLog, outputs(t, infra)["password"]) {
			t.Error("the runner's log shows the generated password")
		}
		eventually(t, 3*time.Minute, "the app is ready", func(ctx context.Context) (bool, string) {
			if err := stage.Client.Get(ctx, client.ObjectKeyFromObject(app), app); err != nil {
				return false, err.Error()
			}
			return app.Status.ReadyReplicas == 1, fmt.Sprintf("%+v", app.Status)
		})
		log, err := stage.Kubectl(t.Context(), "-n", infra.Namespace, "logs", "deployment/app")
		if err != nil {
			t.Fatal(err)
		}
		// The endpoint's instances share a server, where another one may have the names already.
		if want := regexp.MustCompile(`SELECT answered: I am app(_[0-9a-f]+)? on database orders(_[0-9a-f]+)?,`); !want.MatchString(log) {
			t.Errorf("the app's log: want %s, got %q", want, log)
		}
	}
}

// appOn is a Deployment of the demo app that mounts the given Secret.
func appOn(namespace, secret string) *appsv1.Deployment {
	labels := map[string]string{"app": "app"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "app"},
		Spec: appsv1.DeploymentSpec{
			Replicas: ptr.To[int32](1),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{
						Name: "app", Image: stage.AppImage(),
						Env: []corev1.EnvVar{{Name: "DATABASE_URL", ValueFrom: &corev1.EnvVarSource{
							SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: "DATABASE_URL"},
						}}},
						VolumeMounts: []corev1.VolumeMount{{Name: "database", MountPath: "/database", ReadOnly: true}},
						ReadinessProbe: &corev1.Probe{
							ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromInt32(8080)}},
							PeriodSeconds: 2,
						},
					}},
					Volumes: []corev1.Volume{{Name: "database", VolumeSource: corev1.VolumeSource{
						Secret: &corev1.SecretVolumeSource{SecretName: secret},
					}}},
				},
			},
		},
	}
}

func appPod(t *testing.T, namespace string) *corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	if err := stage.Client.List(t.Context(), &pods, client.InNamespace(namespace), client.MatchingLabels{"app": "app"}); err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) == 0 {
		return nil
	}
	return &pods.Items[0]
}

func waitingReason(pod *corev1.Pod) string {
	if len(pod.Status.ContainerStatuses) == 0 || pod.Status.ContainerStatuses[0].State.Waiting == nil {
		return ""
	}
	return pod.Status.ContainerStatuses[0].State.Waiting.Reason
}

func TestNamespace_deletedWhileReady(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	bucket := create(t, ns, "bucket", "aws-s3-bucket", map[string]any{"name": "bucket-" + ns})
	group := create(t, ns, "group", "aws-security-group", map[string]any{"name": "group-" + ns})
	waitReady(t, bucket, awsTimeout)
	waitReady(t, group, awsTimeout)
	id := outputs(t, group)["security_group_id"]
	if len(resourcesNamed(t, id)) == 0 {
		t.Fatalf("security group %s is not in the account", id)
	}

	if err := stage.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}); err != nil {
		t.Fatal(err)
	}
	waitGone(t, bucket, awsTimeout)
	waitGone(t, group, awsTimeout)
	eventually(t, time.Minute, "the namespace is gone", func(ctx context.Context) (bool, string) {
		err := stage.Client.Get(ctx, client.ObjectKey{Name: ns}, &corev1.Namespace{})
		return client.IgnoreNotFound(err) == nil && err != nil, fmt.Sprint(err)
	})
	if found := append(resourcesNamed(t, ns), resourcesNamed(t, id)...); len(found) != 0 {
		t.Errorf("left in the account: %+v", found)
	}
}

func TestInputs_deletedTogetherWithTheObject(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	config := &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: devenv.ProviderConfig}}
	get(t, config)
	config = &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "own-" + ns}, Spec: config.Spec}
	config.Spec.Default = false
	config.Spec.NamespaceSelector = metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: ns}}
	network := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "settings"},
		Data:       map[string]string{"versioning": "false", "force_destroy": "true"},
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "names"},
		StringData: map[string]string{"bucket": "bucket-" + ns},
	}
	inputs := []client.Object{config, network, secret}
	for _, obj := range inputs {
		if err := stage.Client.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
	}
	infra := create(t, ns, "bucket", "aws-s3-bucket", nil, func(infra *v1alpha1.Infrastructure) {
		infra.Spec.ProviderConfig = config.Name
		infra.Spec.VariablesFrom = []v1alpha1.VariablesSource{
			{ConfigMapRef: &v1alpha1.NameReference{Name: network.Name}},
			{SecretKeyRef: &v1alpha1.KeyReference{Name: secret.Name, Key: "bucket"}, Variable: "name"},
		}
	})
	waitReady(t, infra, awsTimeout)
	for _, obj := range append(inputs, infra) {
		if err := stage.Client.Delete(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
	}
	waitGone(t, infra, awsTimeout)
	if found := resourcesNamed(t, ns); len(found) != 0 {
		t.Errorf("left in the account: %+v", found)
	}
}
