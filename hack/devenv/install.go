package devenv

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// InstallAnew makes the namespace, installs the chart as docs/install.md says, and then
// the credentials and the ProviderConfig for the AWS endpoint.
func (s *Stage) InstallAnew(ctx context.Context) error {
	ns := corev1ac.Namespace(Namespace).WithLabels(map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	if err := s.Client.Apply(ctx, ns, client.FieldOwner("devenv"), client.ForceOwnership); err != nil {
		return err
	}
	if err := s.Install(ctx); err != nil {
		return err
	}
	if !s.ours { // The images' tags do not change with their content.
		if _, err := s.Kubectl(ctx, "-n", Namespace, "rollout", "restart", "deployment/groundwork-controller"); err != nil {
			return err
		}
		if _, err := s.Kubectl(ctx, "-n", Namespace, "rollout", "status", "deployment/groundwork-controller", "--timeout=3m"); err != nil {
			return err
		}
	}
	for _, obj := range s.account() {
		if err := s.create(ctx, obj); err != nil {
			return err
		}
	}
	return nil
}

// Install installs the chart of this commit, or upgrades to it, with values of its own
// as Helm's --set has them.
func (s *Stage) Install(ctx context.Context, settings ...string) error {
	// Tests and measurements that run side by side do not wait for one another's runs.
	settings = append([]string{"controller.maxConcurrentRuns=64"}, settings...)
	if s.registry() != registry {
		for _, image := range []string{"controller", "bundle"} {
			settings = append(settings, "images."+image+".repository="+s.registry()+"/"+image)
		}
	}
	if s.options.Flux {
		settings = append(settings, "flux.eventsAddress=http://notification-controller.flux-system.svc.cluster.local./")
	}
	return s.upgrade(ctx, chart, settings)
}

func (s *Stage) upgrade(ctx context.Context, chart string, settings []string) error {
	args := []string{"upgrade", "--install", "groundwork", chart, "--namespace", Namespace, "--reset-values", "--wait", "--timeout", "3m"}
	for _, setting := range settings {
		args = append(args, "--set", setting)
	}
	_, err := s.Helm(ctx, args...)
	return err
}

// account is what a platform engineer makes once for a cloud account.
func (s *Stage) account() []client.Object {
	endpoints := map[string]string{}
	for _, service := range []string{"ec2", "iam", "rds", "s3", "s3control", "secretsmanager", "sqs", "sts"} {
		endpoints[service] = s.AWS.URL
	}
	return []client.Object{
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: Credentials},
			StringData: map[string]string{"AWS_ACCESS_KEY_ID": "emulated-key-id", "AWS_SECRET_ACCESS_KEY": "emulated-secret-key"},
		},
		&v1alpha1.ProviderConfig{
			ObjectMeta: metav1.ObjectMeta{Name: ProviderConfig},
			Spec: v1alpha1.ProviderConfigSpec{
				Default:     true,
				Credentials: v1alpha1.Credentials{SecretName: Credentials},
				AWS: v1alpha1.AWSProvider{
					Region: "eu-central-1", Endpoints: endpoints, S3UsePathStyle: true,
					DefaultTags: map[string]string{"managed-by": "groundwork"},
				},
			},
		},
	}
}

// create makes an object anew.
func (s *Stage) create(ctx context.Context, obj client.Object) error {
	fresh := obj.DeepCopyObject().(client.Object)
	for {
		err := s.Client.Create(ctx, fresh)
		if !apierrors.IsAlreadyExists(err) {
			return err
		}
		if err := s.Client.Delete(ctx, obj); client.IgnoreNotFound(err) != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("replace %T %s: %w", obj, obj.GetName(), ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
