package terraform

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/testenv"
)

// TestRunner_proxies runs a new version of a module with the real AWS provider. The
// version before had a policy, whose type only the state has by now; somebody has
// deleted it by hand.
func TestRunner_proxies(t *testing.T) {
	asked := make(chan string, 100)
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.FormValue("Action")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code></Error></ErrorResponse>`))
	}))
	t.Cleanup(aws.Close)
	lock, err := os.ReadFile(filepath.Join("..", "..", "modules", "aws-s3-bucket", lockFile))
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, server.Config, server.Kubeconfig)
	f.writeState(`{"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "outputs": {}, "resources": [{
		"mode": "managed", "type": "aws_iam_policy", "name": "read", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
		"instances": [{"schema_version": 0, "attributes": {"id": "arn:aws:iam::1:policy/read", "arn": "arn:aws:iam::1:policy/read"}}]
	}]}`)
	cfg := f.run("new-version", f.request(map[string]string{
		lockFile: string(lock),
		"main.tf": `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  endpoints { iam = "` + aws.URL + `" }
}
data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["*"]
  }
}
output "document" { value = data.aws_iam_policy_document.read.json }
`,
	}))
	cfg.ProvidersDir = testenv.ProviderMirror(t)

	o := f.execute(t.Context(), cfg)
	f.wantReason(o, v1alpha1.RunReasonSucceeded)
	if strings.Contains(o.log, "without a proxy") {
		t.Errorf("the provider has no proxy:\n%s", o.log)
	}
	if len(asked) == 0 {
		t.Error("nobody has asked for the policy")
	}
	if diff := cmp.Diff([]string{"aws_iam_policy_document.read"}, f.addresses()); diff != "" {
		t.Errorf("the state (-want +got):\n%s", diff)
	}
}

// writeState leaves a state as the backend does.
func (f *fixture) writeState(content string) {
	f.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	if _, err := zw.Write([]byte(content)); err != nil {
		f.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		f.Fatal(err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: f.namespace, Name: "tfstate-default-test",
			Labels: map[string]string{
				labelState: "true", labelSuffix: "test", "tfstateWorkspace": "default", "app.kubernetes.io/managed-by": "terraform",
				v1alpha1.LabelKey: "test",
			},
		},
		Data: map[string][]byte{keyState: b.Bytes()},
	}
	if err := f.client.Create(f.Context(), secret); err != nil {
		f.Fatal(err)
	}
}
