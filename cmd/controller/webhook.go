package main

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/groundwork-dev/groundwork/controllers/certificate"
	"github.com/groundwork-dev/groundwork/controllers/infrastructure"
)

// webhookOptions are the flags of the webhook.
type webhookOptions struct {
	enabled       bool
	port          int
	certDir       string
	rotate        bool
	service       string
	secret        string
	configuration string
}

// check reports flags that cannot work.
func (o *webhookOptions) check() error {
	if !o.enabled {
		return nil
	}
	if problems := validation.IsValidPortNum(o.port); len(problems) > 0 {
		return fmt.Errorf("--webhook-port: got %d, wanted a port: %s", o.port, strings.Join(problems, "; "))
	}
	if o.certDir == "" {
		return fmt.Errorf("--webhook-cert-dir is empty; name the folder of the webhook's certificate")
	}
	if !o.rotate {
		return nil
	}
	for flag, name := range map[string]string{"service": o.service, "secret": o.secret, "configuration": o.configuration} {
		if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
			return fmt.Errorf("--webhook-%s: got %q, wanted the name of an object: %s", flag, name, strings.Join(problems, "; "))
		}
	}
	return nil
}

// server is the webhook's server; nil for none.
func (o *webhookOptions) server() webhook.Server {
	if !o.enabled {
		return nil
	}
	return certificate.Server(webhook.Options{Port: o.port, CertDir: o.certDir})
}

// setupWebhook registers the webhook and its certificate. The controller is not ready
// before it serves: then an installation that has come up refuses what is wrong.
func setupWebhook(ctx context.Context, mgr ctrl.Manager, o options, catalogue infrastructure.Catalogue, live client.Reader) error {
	if !o.webhook.enabled {
		return nil
	}
	if err := infrastructure.SetupWebhookWithManager(ctx, mgr, catalogue, live); err != nil {
		return err
	}
	if o.webhook.rotate {
		ready, err := certificate.SetupWithManager(ctx, mgr, certificate.Options{
			Namespace: o.namespace, Secret: o.webhook.secret, Service: o.webhook.service,
			Configuration: o.webhook.configuration, Dir: o.webhook.certDir,
		})
		if err != nil {
			return err
		}
		if err := mgr.AddReadyzCheck("webhook-certificate", ready); err != nil {
			return err
		}
	}
	return mgr.AddReadyzCheck("webhook", mgr.GetWebhookServer().StartedChecker())
}
