package v1alpha1

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// newProviderConfig returns a valid object.
func newProviderConfig(modify ...func(*ProviderConfig)) *ProviderConfig {
	config := &ProviderConfig{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "aws-"},
		Spec: ProviderConfigSpec{
			Credentials: Credentials{SecretName: "aws"},
			AWS:         AWSProvider{Region: "eu-central-1"},
		},
	}
	for _, m := range modify {
		m(config)
	}
	return config
}

func TestProviderConfig_create(t *testing.T) {
	const credentials = "exactly one of secretName and serviceAccountName must be set"
	for _, tc := range []struct {
		name   string
		modify func(*ProviderConfig)
		want   string
	}{
		{"Credentials can be a Secret.", func(*ProviderConfig) {}, ""},
		{"Credentials can be a ServiceAccount.", func(c *ProviderConfig) { c.Spec.Credentials = Credentials{ServiceAccountName: "aws"} }, ""},
		{"Credentials are not left out.", func(c *ProviderConfig) { c.Spec.Credentials = Credentials{} }, credentials},
		{"Credentials are not both.", func(c *ProviderConfig) { c.Spec.Credentials.ServiceAccountName = "aws" }, credentials},
		{"A region is needed.", func(c *ProviderConfig) { c.Spec.AWS.Region = "" }, "spec.aws.region"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checkRefused(t, apiServer.Create(t.Context(), newProviderConfig(tc.modify)), tc.want)
		})
	}
}

func TestProviderConfig_update(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*ProviderConfig)
		want   string
	}{
		{"The region cannot be changed.", func(c *ProviderConfig) { c.Spec.AWS.Region = "us-east-1" }, "region cannot be changed: resources in the old region would be left behind"},
		{"Anything else can.", func(c *ProviderConfig) {
			c.Spec.Default, c.Spec.AWS.DefaultTags, c.Spec.Credentials.SecretName = true, map[string]string{"team": "shop"}, "new"
		}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			config := newProviderConfig()
			if err := apiServer.Create(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			tc.change(config)
			checkRefused(t, apiServer.Update(t.Context(), config), tc.want)
		})
	}
}
