// Package certificate makes and renews the certificate that the webhook is served
// with, and tells the API server by which CA to know it.
package certificate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

// Options say where the certificate is kept and who has to know it.
type Options struct {
	// Namespace is the system namespace.
	Namespace string
	// Secret is a Secret in Namespace that is there and at first empty. Whoever holds
	// its CA's key can stand in for the webhook.
	Secret string
	// Service is what the API server asks, in Namespace.
	Service string
	// Configuration is the ValidatingWebhookConfiguration that gets the CA.
	Configuration string
	// Dir is where tls.crt and tls.key are put for the server.
	Dir string
}

// SetupWithManager makes every replica see to the certificate: the one that comes
// first writes the Secret, the others find it written. The check passes once the
// certificate is there and the API server has been told its CA.
func SetupWithManager(ctx context.Context, mgr ctrl.Manager, o Options) (healthz.Checker, error) {
	named := asksByName{mgr, byName(mgr.GetConfig(), map[string]string{
		"secrets":                         o.Secret,
		"validatingwebhookconfigurations": o.Configuration,
	})}
	if err := addFiles(ctx, named, o); err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	err := rotator.AddRotator(named, &rotator.CertRotator{
		SecretKey:      types.NamespacedName{Namespace: o.Namespace, Name: o.Secret},
		CertDir:        o.Dir,
		CAName:         "groundwork-webhook-ca",
		CAOrganization: "groundwork",
		DNSName:        fmt.Sprintf("%s.%s.svc", o.Service, o.Namespace),
		IsReady:        ready,
		Webhooks:       []rotator.WebhookInfo{{Name: o.Configuration, Type: rotator.Validating}},
		FieldOwner:     "groundwork",
	})
	if err != nil {
		return nil, fmt.Errorf("set up the rotation of the webhook's certificate: %w", err)
	}
	return func(*http.Request) error {
		select {
		case <-ready:
			return nil
		default:
			return errors.New("the webhook's certificate is not ready yet")
		}
	}, nil
}

// asksByName is a manager of which new caches ask for single objects. The rotator's
// would otherwise hold all Secrets of the system namespace, with every Terraform
// state, and need to read them and all configurations of webhooks.
type asksByName struct {
	ctrl.Manager
	config *rest.Config
}

func (m asksByName) GetConfig() *rest.Config { return m.config }

// byName makes lists and watches of resources ask for the object of the given name.
func byName(config *rest.Config, names map[string]string) *rest.Config {
	config = rest.CopyConfig(config)
	config.Wrap(func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			if name, ok := names[path.Base(req.URL.Path)]; ok && req.Method == http.MethodGet {
				req = req.Clone(req.Context())
				query := req.URL.Query()
				query.Set("fieldSelector", "metadata.name="+name)
				req.URL.RawQuery = query.Encode()
			}
			return base.RoundTrip(req)
		})
	})
	return config
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
