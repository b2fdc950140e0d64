package infrastructure

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// everythingWrong is a spec with a fault in each field that can have one; the order
// of what is wrong with it does not change.
func everythingWrong(i *v1alpha1.Infrastructure) {
	i.Spec = v1alpha1.InfrastructureSpec{
		Module:    "queue",
		Variables: values("size", `"big"`, "sise", "1", "password", `{"hunter2": true}`),
		VariablesFrom: []v1alpha1.VariablesSource{
			{Variable: "pasword", SecretKeyRef: &v1alpha1.KeyReference{Name: "in", Key: "k"}},
			{Variable: "topic", ConfigMapKeyRef: &v1alpha1.KeyReference{Name: "in", Key: "k"}},
		},
		ProviderConfig: "aws",
		Outputs: v1alpha1.OutputsSpec{
			Keys:      map[string]string{"uri": "URL", "port": "a/b", "url": "URL"},
			Templates: map[string]string{"T": "{{ .hots }}{{ .port", "U": "{{ .hots }}", "URL": "{{ .url }}"},
			ValuesKey: "U",
		},
	}
}

func TestValidate(t *testing.T) {
	config := func(name, team string, isDefault bool) v1alpha1.ProviderConfig {
		return v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ProviderConfigSpec{
			Default: isDefault, NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"team": team}},
		}}
	}
	shop, bank := config("shop", "shop", true), config("bank", "bank", false)
	queue := func(variables map[string]apiextensionsv1.JSON, from ...v1alpha1.VariablesSource) func(*v1alpha1.Infrastructure) {
		return func(i *v1alpha1.Infrastructure) {
			i.Spec.Variables, i.Spec.VariablesFrom = variables, from
		}
	}
	configs := func(c ...v1alpha1.ProviderConfig) func(*surroundings) {
		return func(s *surroundings) { s.configs = c }
	}
	with := func(was applied) func(*surroundings) { return func(s *surroundings) { s.applied = was } }
	for _, tc := range []struct {
		name   string
		modify func(*v1alpha1.Infrastructure)
		around func(*surroundings)
		// want are the faults, as the webhook tells them.
		want []string
		// reason is the first one's.
		reason string
	}{
		{name: "All is well.", modify: queue(values("name", `"x"`))},
		{name: "Any key of a Secret may be the variable.", modify: queue(nil, v1alpha1.VariablesSource{SecretRef: &v1alpha1.NameReference{Name: "in"}})},
		{name: "Any key of a ConfigMap may be.", modify: queue(nil, v1alpha1.VariablesSource{ConfigMapRef: &v1alpha1.NameReference{Name: "in"}})},
		{name: "One key is the variable that is named.", modify: queue(nil, v1alpha1.VariablesSource{Variable: "name", SecretKeyRef: &v1alpha1.KeyReference{Name: "in", Key: "k"}})},
		{name: "One key is no other variable.", modify: queue(nil, v1alpha1.VariablesSource{Variable: "size", SecretKeyRef: &v1alpha1.KeyReference{Name: "in", Key: "k"}}),
			reason: v1alpha1.ReasonInvalidVariables,
			want:   []string{`spec.variables: Required value: variable "name" of module queue is required (string) and is not given`}},
		{name: "A ProviderConfig is the default.", modify: bucketOf(""), around: configs(bank, shop)},
		{name: "A ProviderConfig is named.", modify: bucketOf("shop"), around: configs(bank, shop)},
		{name: "A ProviderConfig does not admit the namespace.", modify: bucketOf("bank"), around: configs(bank, shop), reason: v1alpha1.ReasonProviderConfigForbidden,
			want: []string{`spec.providerConfig: Forbidden: ProviderConfig bank admits namespaces with labels "team=bank", and namespace shop is not one; name another, or ask the platform team to admit it`}},
		{name: "There is no default.", modify: bucketOf(""), around: configs(bank), reason: v1alpha1.ReasonProviderConfigNotFound,
			want: []string{"spec.providerConfig: Required value: it is not set and no ProviderConfig is marked default; name one, or ask the platform team for a default"}},
		{name: "A default does not move what is applied.", modify: bucketOf(""), around: func(s *surroundings) {
			s.configs, s.applied = []v1alpha1.ProviderConfig{shop, config("other", "shop", false)}, applied{"bucket", "other"}
		}},
		{name: "The ProviderConfig that is applied is gone.", modify: bucketOf(""), around: func(s *surroundings) {
			s.configs, s.applied = []v1alpha1.ProviderConfig{shop}, applied{"bucket", "other"}
		}, reason: v1alpha1.ReasonProviderConfigNotFound,
			want: []string{`spec.providerConfig: Not found: there is no ProviderConfig "other"; kubectl get providerconfigs lists them, platform engineers create them`}},
		{name: "Another ProviderConfig is applied.", modify: bucketOf("shop"), around: func(s *surroundings) {
			s.configs, s.applied = []v1alpha1.ProviderConfig{shop}, applied{"bucket", "other"}
		}, reason: v1alpha1.ReasonModuleChanged,
			want: []string{"spec.providerConfig: Forbidden: got shop, but the resources were made with other and would be left behind; name other, or create another Infrastructure and delete this one"}},
		{name: "Another module is applied: its variables are not told.", modify: queue(values("sise", "1")), around: with(applied{module: "topic"}),
			reason: v1alpha1.ReasonModuleChanged,
			want:   []string{"spec.module: Forbidden: got queue, but topic is applied and its resources would be destroyed; put it back, or create another Infrastructure and delete this one"}},
		{name: "A version that there is not.", modify: func(i *v1alpha1.Infrastructure) { i.Spec.ModuleVersion = "~> 2.0" },
			reason: v1alpha1.ReasonModuleNotFound,
			want:   []string{`spec.moduleVersion: Invalid value: module queue is there in version 1.2.0, which does not meet the constraint "~> 2.0"`}},
		{name: "A bundle has dropped the version that is applied.", modify: func(i *v1alpha1.Infrastructure) { i.Spec.ModuleVersion = "~> 2.0" },
			around: with(applied{module: "queue"}), reason: v1alpha1.ReasonModuleNotFound,
			want: []string{`spec.moduleVersion: Invalid value: module queue is there in version 1.2.0, which does not meet the constraint "~> 2.0"; the resources and the output Secret stay as they are, and a delete still destroys them`}},
		{name: "Without a module, all is told that does not depend on it.", modify: func(i *v1alpha1.Infrastructure) {
			everythingWrong(i)
			i.Spec.Module = "queues"
		}, reason: v1alpha1.ReasonModuleNotFound, want: []string{
			`spec.module: Not found: there is no module "queues"; did you mean "queue"? the modules are bucket, grant, queue, topic`,
			`spec.providerConfig: Not found: there is no ProviderConfig "aws"; kubectl get providerconfigs lists them, platform engineers create them`,
			`spec.outputs.keys[port]: Invalid value: "a/b" cannot be a Secret's key: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
			`spec.outputs.keys[url]: Duplicate value: key "URL" is also made by spec.outputs.keys[uri]; use another key for one of them`,
			`spec.outputs.templates[T]: Invalid value: the template does not parse: 1: unclosed action`,
			`spec.outputs.templates[URL]: Duplicate value: key "URL" is also made by spec.outputs.keys[url]; use another key for one of them`,
			`spec.outputs.valuesKey: Duplicate value: key "U" is also made by spec.outputs.templates[U]; use another key for one of them`,
		}},
		{name: "Everything is wrong.", modify: everythingWrong, reason: v1alpha1.ReasonInvalidVariables, want: []string{
			`spec.variables: Required value: variable "name" of module queue is required (string) and is not given`,
			`spec.variables[password]: Invalid value: want string, got an object`,
			`spec.variables[sise]: Invalid value: module queue has no variable "sise"; did you mean "size"? its variables are name, password, size`,
			`spec.variables[size]: Invalid value: want number, got the string "big"`,
			`spec.variablesFrom[0].variable: Invalid value: module queue has no variable "pasword"; did you mean "password"? its variables are name, password, size`,
			`spec.variablesFrom[1].variable: Invalid value: module queue has no variable "topic"; its variables are name, password, size`,
			`spec.providerConfig: Forbidden: got aws, but module queue uses no provider that a ProviderConfig is for; remove it`,
			`spec.outputs.keys[port]: Invalid value: "a/b" cannot be a Secret's key: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
			`spec.outputs.keys[uri]: Invalid value: module queue has no output "uri"; it has ["port" "replica" "url"]`,
			`spec.outputs.keys[url]: Duplicate value: key "URL" is also made by spec.outputs.keys[uri]; use another key for one of them`,
			`spec.outputs.templates[T]: Invalid value: the template does not parse: 1: unclosed action`,
			`spec.outputs.templates[U]: Invalid value: the module has no output "hots"; it has ["port" "replica" "url"]`,
			`spec.outputs.templates[URL]: Duplicate value: key "URL" is also made by spec.outputs.keys[url]; use another key for one of them`,
			`spec.outputs.valuesKey: Duplicate value: key "U" is also made by spec.outputs.templates[U]; use another key for one of them`,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := surroundings{catalogue: library(t), labels: map[string]string{"team": "shop"}}
			if tc.around != nil {
				tc.around(&s)
			}
			for range 10 {
				r, faults := validate(newInfra(tc.modify), s)
				var got []string
				for _, fault := range faults {
					got = append(got, fault.Error())
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Fatalf("faults, -want +got:\n%s", diff)
				}
				if len(faults) == 0 && (r.module == nil || (r.module.Name == "bucket") != (r.providerConfig != nil)) {
					t.Fatalf("resolved to %+v", r)
				}
				if len(faults) > 0 && faults[0].Origin != tc.reason {
					t.Fatalf("the reason is %q, want %q", faults[0].Origin, tc.reason)
				}
			}
		})
	}
}
