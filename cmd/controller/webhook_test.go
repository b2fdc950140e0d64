package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/fstest"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/groundwork-dev/groundwork/hack/testenv"
	"github.com/groundwork-dev/groundwork/modules"
)

const systemNamespace = "groundwork-system"

// grant gives the user just what the chart's roles grant for the webhook, but for one
// verb, which the function that it returns grants.
func grant(t *testing.T, api client.Client, user, name string) (update func()) {
	t.Helper()
	subjects := []rbacv1.Subject{{Kind: "User", Name: user}}
	rule := func(group, resource string, names []string, verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: names, Verbs: verbs}
	}
	everywhere := metav1.ObjectMeta{Name: user}
	within := metav1.ObjectMeta{Namespace: systemNamespace, Name: user}
	role := &rbacv1.ClusterRole{ObjectMeta: everywhere, Rules: []rbacv1.PolicyRule{
		rule("admissionregistration.k8s.io", "validatingwebhookconfigurations", []string{name}, "list", "watch"),
		rule("infra.groundwork.dev", "providerconfigs", nil, "list", "watch"),
		rule("infra.groundwork.dev", "infrastructures", nil, "list", "watch"),
		rule("", "namespaces", nil, "get", "list", "watch"),
	}}
	for _, obj := range []client.Object{
		role,
		&rbacv1.ClusterRoleBinding{ObjectMeta: everywhere, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: user}, Subjects: subjects},
		&rbacv1.Role{ObjectMeta: within, Rules: []rbacv1.PolicyRule{
			rule("", "secrets", []string{name}, "list", "watch", "update"),
		}},
		&rbacv1.RoleBinding{ObjectMeta: within, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: user}, Subjects: subjects},
	} {
		must(t, api.Create(t.Context(), obj))
	}
	return func() {
		role.Rules[0].Verbs = append(role.Rules[0].Verbs, "update")
		must(t, api.Update(t.Context(), role))
	}
}

// freePort is a port of this machine that nothing listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startWebhook runs a manager with the webhook and nothing else for the test's
// duration.
func startWebhook(t *testing.T, config *rest.Config, o options) {
	t.Helper()
	catalogue, err := modules.Load(fstest.MapFS{
		"queue/module.yaml": {Data: []byte("version: 1.0.0\nsummary: For tests\n")},
		"queue/main.tf":     {Data: []byte(`variable "name" { type = string }`)},
	})
	must(t, err)
	mgr, err := newManager(config, o)
	must(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	must(t, setupWebhook(ctx, mgr, o, catalogue, mgr.GetAPIReader()))
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// ask sends an AdmissionReview to the webhook as the API server does, which knows
// nothing of it but the configuration, and returns the answer.
func ask(ctx context.Context, configuration *admissionregistrationv1.ValidatingWebhookConfiguration, port int, obj client.Object) (*admissionv1.AdmissionResponse, error) {
	hook := configuration.Webhooks[0].ClientConfig
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(hook.CABundle) {
		return nil, fmt.Errorf("there is no CA bundle")
	}
	raw, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request:  &admissionv1.AdmissionRequest{UID: "1", Operation: admissionv1.Create, Object: runtime.RawExtension{Raw: raw}},
	})
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: hook.Service.Name + "." + hook.Service.Namespace + ".svc"}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("https://127.0.0.1:%d%s", port, *hook.Service.Path), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var review admissionv1.AdmissionReview
	err = json.NewDecoder(resp.Body).Decode(&review)
	return review.Response, err
}

// From an empty Secret to an answer that the API server trusts; again when the
// certificate is lost; with no more rights than for these two objects by their names.
func TestSetupWebhook(t *testing.T) {
	const name = "groundwork-webhook"
	config, _ := testenv.Start(t)
	api, err := client.New(config, client.Options{Scheme: testenv.Scheme()})
	must(t, err)
	must(t, api.Create(t.Context(), newNamespace(systemNamespace)))
	grantUpdate := grant(t, api, "replica", name)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: name}}
	must(t, api.Create(t.Context(), secret))
	configuration := testenv.Webhook(t, name, systemNamespace)
	must(t, api.Create(t.Context(), configuration))

	replica := rest.CopyConfig(config)
	replica.QPS, replica.Impersonate.UserName = -1, "replica"
	o := options{
		namespace: systemNamespace, metricsAddress: "0", probeAddress: fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		webhook: webhookOptions{enabled: true, port: freePort(t), certDir: t.TempDir(), rotate: true, service: name, secret: name, configuration: name},
	}
	startWebhook(t, replica, o)
	eventually(t, "a server", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", o.webhook.port))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	if got := readiness(o); got != http.StatusInternalServerError {
		t.Errorf("readiness is %d before the API server knows the CA", got)
	}
	grantUpdate()
	eventually(t, "readiness", func() bool { return readiness(o) == http.StatusOK })

	queue := newQueue(systemNamespace)
	queue.Spec.Module = "queues"
	answers := func() error {
		must(t, api.Get(t.Context(), client.ObjectKeyFromObject(configuration), configuration))
		answer, err := ask(t.Context(), configuration, o.webhook.port, queue)
		if err == nil && answer.Allowed {
			err = fmt.Errorf("the object is allowed")
		}
		return err
	}
	// Ready means that it answers.
	if err := answers(); err != nil {
		t.Fatal(err)
	}
	first := configuration.Webhooks[0].ClientConfig.CABundle

	must(t, api.Get(t.Context(), client.ObjectKeyFromObject(secret), secret))
	secret.Data = nil
	must(t, api.Update(t.Context(), secret))
	eventually(t, "an answer with a new certificate", func() bool {
		return answers() == nil && !bytes.Equal(first, configuration.Webhooks[0].ClientConfig.CABundle)
	})

	// Helm sets the configuration anew.
	configuration.Webhooks[0].ClientConfig.CABundle = nil
	must(t, api.Update(t.Context(), configuration))
	eventually(t, "the CA in the configuration", func() bool { return answers() == nil })

	// As with cert-manager: someone else brings the files.
	mounted := o
	mounted.probeAddress = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	mounted.webhook.port, mounted.webhook.certDir, mounted.webhook.rotate = freePort(t), t.TempDir(), false
	startWebhook(t, replica, mounted)
	eventually(t, "a probe", func() bool { return readiness(mounted) != 0 })
	time.Sleep(500 * time.Millisecond)
	if got := readiness(mounted); got != http.StatusInternalServerError {
		t.Errorf("readiness without a certificate is %d", got)
	}
	must(t, os.CopyFS(mounted.webhook.certDir, os.DirFS(o.webhook.certDir)))
	eventually(t, "readiness with a certificate", func() bool { return readiness(mounted) == http.StatusOK })
}

// readiness is the status of /readyz; 0 while nothing answers.
func readiness(o options) int {
	resp, err := http.Get("http://" + o.probeAddress + "/readyz")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
