package v1alpha1

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// newInfrastructure returns a valid object.
func newInfrastructure(namespace string, modify ...func(*Infrastructure)) *Infrastructure {
	infra := &Infrastructure{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "orders-"},
		Spec:       InfrastructureSpec{Module: "aws-s3-bucket"},
	}
	for _, m := range modify {
		m(infra)
	}
	return infra
}

func from(sources ...VariablesSource) func(*Infrastructure) {
	return func(infra *Infrastructure) { infra.Spec.VariablesFrom = sources }
}

func TestInfrastructure_create(t *testing.T) {
	namespace := newNamespace(t)
	const (
		exactlyOne = "exactly one of secretKeyRef, secretRef, configMapKeyRef, configMapRef and outputRef must be set"
		variable   = "variable must be set with secretKeyRef, configMapKeyRef and outputRef, and only with them"
		timeout    = "timeout must be a duration between 10s and 24h, such as 30m"
	)
	key := &KeyReference{Name: "orders-admin", Key: "password"}
	name := &NameReference{Name: "network"}
	output := &OutputReference{Name: "orders-sg", Output: "security_group_id"}
	dependsOn := func(names ...string) func(*Infrastructure) {
		return func(infra *Infrastructure) {
			for _, name := range names {
				infra.Spec.DependsOn = append(infra.Spec.DependsOn, NameReference{Name: name})
			}
		}
	}
	named := func(name string, modify func(*Infrastructure)) func(*Infrastructure) {
		return func(infra *Infrastructure) {
			infra.Name, infra.GenerateName = name, ""
			modify(infra)
		}
	}
	after := func(d time.Duration) func(*Infrastructure) {
		return func(infra *Infrastructure) { infra.Spec.Timeout = metav1.Duration{Duration: d} }
	}
	for _, tc := range []struct {
		name   string
		modify func(*Infrastructure)
		want   string
	}{
		{"A module is all that is needed.", func(*Infrastructure) {}, ""},
		{"A module's name is needed.", func(i *Infrastructure) { i.Spec.Module = "" }, "spec.module"},
		{"A module's name is a DNS label.", func(i *Infrastructure) { i.Spec.Module = "AWS_Bucket" }, "spec.module"},
		{"Each of the five kinds of source is accepted.", from(
			VariablesSource{Variable: "a", SecretKeyRef: key}, VariablesSource{SecretRef: name},
			VariablesSource{Variable: "b", ConfigMapKeyRef: key}, VariablesSource{ConfigMapRef: name},
			VariablesSource{Variable: "c", OutputRef: output}), ""},
		{"A source without a reference is refused.", from(VariablesSource{}), exactlyOne},
		{"A source with two references is refused.", from(VariablesSource{SecretRef: name, ConfigMapRef: name}), exactlyOne},
		{"A source with all references is refused.", from(VariablesSource{Variable: "a", SecretKeyRef: key,
			SecretRef: name, ConfigMapKeyRef: key, ConfigMapRef: name, OutputRef: output}), exactlyOne},
		{"An output and a key of a Secret are refused.", from(VariablesSource{Variable: "a", SecretKeyRef: key, OutputRef: output}), exactlyOne},
		{"A key of a Secret needs a variable.", from(VariablesSource{SecretKeyRef: key}), variable},
		{"A key of a ConfigMap needs a variable.", from(VariablesSource{ConfigMapKeyRef: key}), variable},
		{"An output needs a variable.", from(VariablesSource{OutputRef: output}), variable},
		{"A whole Secret takes no variable.", from(VariablesSource{Variable: "a", SecretRef: name}), variable},
		{"A whole ConfigMap takes no variable.", from(VariablesSource{Variable: "a", ConfigMapRef: name}), variable},
		{"A key has a name.", from(VariablesSource{Variable: "a", SecretKeyRef: &KeyReference{Name: "x"}}), "spec.variablesFrom[0].secretKeyRef.key"},
		{"A Secret's name is a DNS name.", from(VariablesSource{SecretRef: &NameReference{Name: "a/b"}}), "spec.variablesFrom[0].secretRef.name"},
		{"The name of a key's ConfigMap is a DNS name.", from(VariablesSource{Variable: "a", ConfigMapKeyRef: &KeyReference{Name: "a b", Key: "k"}}),
			"spec.variablesFrom[0].configMapKeyRef.name"},
		{"An output has a name.", from(VariablesSource{Variable: "a", OutputRef: &OutputReference{Name: "x"}}), "spec.variablesFrom[0].outputRef.output"},
		{"The name of an output's object is a DNS name.", from(VariablesSource{Variable: "a", OutputRef: &OutputReference{Name: "a/b", Output: "o"}}),
			"spec.variablesFrom[0].outputRef.name"},
		{"An output of the object itself is refused.", named("itself-1", from(VariablesSource{Variable: "a", OutputRef: &OutputReference{Name: "itself-1", Output: "o"}})),
			"spec.variablesFrom takes an output of the object itself"},
		{"Others can be depended on.", dependsOn("a", "b.c"), ""},
		{"The object itself cannot.", named("itself-2", dependsOn("a", "itself-2")), "spec.dependsOn names the object itself"},
		{"Nobody is depended on twice.", dependsOn("a", "a"), "spec.dependsOn[1]: Duplicate value"},
		{"The name of a dependency is a DNS name.", dependsOn("A"), "spec.dependsOn[0].name"},
		{"There are 32 dependencies at most.", dependsOn(strings.Fields(strings.Repeat("a ", 33))...), "spec.dependsOn: Too many"},
		{"A name has dots.", from(VariablesSource{ConfigMapRef: &NameReference{Name: "kube-root-ca.crt"}}), ""},
		{"The shortest timeout is 10 s.", after(10 * time.Second), ""},
		{"The longest timeout is 24 h.", after(24 * time.Hour), ""},
		{"A timeout below 10 s is refused.", after(9 * time.Second), timeout},
		{"A timeout beyond 24 h is refused.", after(24*time.Hour + time.Second), timeout},
		{"An output Secret's name is a DNS name.", func(i *Infrastructure) { i.Spec.Outputs.SecretName = "Orders" }, "spec.outputs.secretName"},
		{"Variables are of any JSON type.", func(i *Infrastructure) {
			i.Spec.Variables = map[string]apiextensionsv1.JSON{
				"a": {Raw: []byte(`"x"`)}, "b": {Raw: []byte(`1`)}, "c": {Raw: []byte(`[{"d":null}]`)}, "e": {Raw: []byte(`true`)},
			}
		}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			checkRefused(t, apiServer.Create(t.Context(), newInfrastructure(namespace, tc.modify)), tc.want)
		})
	}
}

func TestInfrastructure_update(t *testing.T) {
	const (
		module   = "spec.module cannot be changed once it is applied"
		provider = "spec.providerConfig cannot be changed once it is applied"
	)
	applied := func(module, config string) InfrastructureStatus {
		return InfrastructureStatus{Module: &AppliedModule{ModuleReference: ModuleReference{Name: module, Version: "1.0.0", Digest: "sha256:0"}}, ProviderConfig: config}
	}
	named := func(config string) func(*Infrastructure) {
		return func(i *Infrastructure) { i.Spec.ProviderConfig = config }
	}
	for _, tc := range []struct {
		name   string
		before func(*Infrastructure)
		status InfrastructureStatus
		change func(*Infrastructure)
		want   string
	}{
		{"The module can be changed while nothing is applied.", func(*Infrastructure) {}, InfrastructureStatus{},
			func(i *Infrastructure) { i.Spec.Module = "other" }, ""},
		{"The module cannot be changed once it is applied.", func(*Infrastructure) {}, applied("aws-s3-bucket", ""),
			func(i *Infrastructure) { i.Spec.Module = "other" }, module},
		{"Anything else can be changed once a module is applied.", func(*Infrastructure) {}, applied("aws-s3-bucket", ""),
			func(i *Infrastructure) { i.Spec.ModuleVersion, i.Spec.Suspend = "~> 1.2", true }, ""},
		{"The ProviderConfig can be changed while nothing is applied.", named("old"), InfrastructureStatus{}, named("new"), ""},
		{"The ProviderConfig cannot be changed once it is applied.", named("old"), applied("aws-s3-bucket", "old"), named("new"), provider},
		{"Another ProviderConfig than the applied default cannot be named.", named(""), applied("aws-s3-bucket", "old"), named("new"), provider},
		{"The applied ProviderConfig can be named.", named(""), applied("aws-s3-bucket", "old"), named("old"), ""},
		{"The name of the applied ProviderConfig can be left out.", named("old"), applied("aws-s3-bucket", "old"), named(""), ""},
		{"A ProviderConfig that was changed just before the apply does not stop other changes.", named("new"), applied("aws-s3-bucket", "old"),
			func(i *Infrastructure) { i.Finalizers = []string{Finalizer} }, ""},
		{"A ProviderConfig that was changed just before the apply can be put back.", named("new"), applied("aws-s3-bucket", "old"), named("old"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			infra := newInfrastructure(newNamespace(t), tc.before)
			if err := apiServer.Create(t.Context(), infra); err != nil {
				t.Fatal(err)
			}
			infra.Status = tc.status
			infra.Status.ObservedGeneration = infra.Generation
			if err := apiServer.Status().Update(t.Context(), infra); err != nil {
				t.Fatal(err)
			}
			tc.change(infra)
			checkRefused(t, apiServer.Update(t.Context(), infra), tc.want)
		})
	}
}

// A status that was written after the spec had changed must not stop the next one.
func TestInfrastructure_statusAfterRace(t *testing.T) {
	infra := newInfrastructure(newNamespace(t), func(i *Infrastructure) { i.Spec.ProviderConfig = "new" })
	if err := apiServer.Create(t.Context(), infra); err != nil {
		t.Fatal(err)
	}
	for generation := range int64(2) {
		infra.Status = InfrastructureStatus{ProviderConfig: "old", ObservedGeneration: generation}
		if err := apiServer.Status().Update(t.Context(), infra); err != nil {
			t.Fatalf("write %d of the status: %v", generation+1, err)
		}
	}
}

func TestInfrastructure_defaults(t *testing.T) {
	infra := newInfrastructure(newNamespace(t))
	if err := apiServer.Create(t.Context(), infra); err != nil {
		t.Fatal(err)
	}
	got := &Infrastructure{}
	if err := apiServer.Get(t.Context(), client.ObjectKeyFromObject(infra), got); err != nil {
		t.Fatal(err)
	}
	if got.Status.ObservedGeneration != -1 {
		t.Errorf("status.observedGeneration is %d, want -1: without it, kstatus takes the object for current", got.Status.ObservedGeneration)
	}
	if got.Spec.DeletionPolicy != DeletionPolicyDelete {
		t.Errorf("spec.deletionPolicy is %q, want Delete", got.Spec.DeletionPolicy)
	}
}

func TestColumns(t *testing.T) {
	for _, tc := range []struct {
		name         string
		crd          string
		narrow, wide []string
	}{
		{"An Infrastructure shows its module, Ready and why.", "infrastructures",
			[]string{"Module", "Ready", "Status", "Age"}, []string{"Version", "Resources", "Secret", "Run"}},
		{"A Run shows what it is for and how far it is.", "runs",
			[]string{"Namespace", "Infrastructure", "Operation", "Phase", "Message", "Age"}, []string{"Reason", "Module", "Version"}},
		{"A ProviderConfig shows its region and whether it is the default.", "providerconfigs", []string{"Region", "Default", "Age"}, nil},
		{"A Module shows its version and summary.", "modules", []string{"Version", "Summary", "Age"}, []string{"Digest"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			crd := &apiextensionsv1.CustomResourceDefinition{}
			if err := apiServer.Get(t.Context(), client.ObjectKey{Name: tc.crd + "." + Group}, crd); err != nil {
				t.Fatal(err)
			}
			var narrow, wide []string
			for _, column := range crd.Spec.Versions[0].AdditionalPrinterColumns {
				if !strings.HasPrefix(column.JSONPath, ".") {
					t.Errorf("column %s has the path %s", column.Name, column.JSONPath)
				}
				if column.Priority == 0 {
					narrow = append(narrow, column.Name)
				} else {
					wide = append(wide, column.Name)
				}
			}
			if diff := cmp.Diff([][]string{tc.narrow, tc.wide}, [][]string{narrow, wide}); diff != "" {
				t.Errorf("columns, -want +got:\n%s", diff)
			}
		})
	}
}
