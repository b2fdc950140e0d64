//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
	"github.com/groundwork-dev/groundwork/hack/devenv"
	"github.com/groundwork-dev/groundwork/modules"
)

// exampleCase is a bundled module whose services the AWS endpoint has.
type exampleCase struct {
	module string
	// variables take the place of the example's, where it would leave something
	// behind on purpose.
	variables map[string]any
	// uses starts to use what is being made; what it returns is called once the
	// object is Ready.
	uses func(t *testing.T, infra *v1alpha1.Infrastructure) (ready func())
}

func exampleCases() []exampleCase {
	noSnapshot := map[string]any{"final_snapshot": false}
	return []exampleCase{
		{module: "aws-aurora-postgres", variables: noSnapshot, uses: logsInToPostgres},
		{module: "aws-iam-role"},
		{module: "aws-rds-mysql", variables: noSnapshot, uses: logsInToMySQL},
		{module: "aws-rds-postgres", variables: noSnapshot, uses: startsApp},
		{module: "aws-s3-bucket"},
		{module: "aws-secret"},
		{module: "aws-security-group"},
		{module: "aws-sqs-queue"},
	}
}

// TestModules takes the example of each module through its life, with an account key
// of its own: it becomes Ready, a second run finds nothing to change, a delete leaves
// nothing behind, and the key needed no right that module.yaml does not name.
func TestModules(t *testing.T) {
	t.Parallel()
	catalogue, err := modules.Bundled()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range exampleCases() {
		t.Run(tc.module, func(t *testing.T) {
			t.Parallel()
			module, err := catalogue.Get(tc.module, "")
			if err != nil {
				t.Fatal(err)
			}
			ns := newNamespace(t)
			infra := exampleOf(t, module, ns, tc.variables)
			infra.Spec.ProviderConfig = ownProviderConfig(t, ns)
			if err := stage.Client.Create(t.Context(), infra); err != nil {
				t.Fatal(err)
			}
			ready := func() {}
			if tc.uses != nil {
				ready = tc.uses(t, infra)
			}
			waitReady(t, infra, databaseTimeout)
			ready()
			if log := groundwork(t, "logs", infra.Name, "-n", ns); log.code != 0 || strings.Contains(log.out, "without a proxy") {
				t.Errorf("exit code %d; want a run whose providers have a proxy:\n%s%s", log.code, log.out, log.notes)
			}
			if len(resourcesOf(t, ns)) == 0 {
				t.Error("it is Ready, and nothing is in the account")
			}
			wantNoChanges(t, infra)
			remove(t, infra, databaseTimeout)
			if left := resourcesOf(t, ns); len(left) != 0 {
				t.Errorf("left in the account: %+v", left)
			}
			wantPermitted(t, module, ns)
		})
	}
}

// TestModules_catalogue takes what the catalogue in the cluster says for a right object:
// each module's example is one, for the API server and the webhook.
func TestModules_catalogue(t *testing.T) {
	t.Parallel()
	ns := newNamespace(t)
	var catalogue v1alpha1.ModuleList
	if err := stage.Client.List(t.Context(), &catalogue); err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, module := range catalogue.Items {
		if module.Spec.Schema == nil {
			t.Errorf("module %s has no schema", module.Name)
		}
		if module.Spec.Example == "" {
			continue // of the test bundle
		}
		examples++
		infra := &v1alpha1.Infrastructure{}
		if err := yaml.UnmarshalStrict([]byte(module.Spec.Example), infra); err != nil {
			t.Errorf("the example of %s: %v", module.Name, err)
			continue
		}
		infra.Namespace, infra.Spec.ProviderConfig = ns, ""
		if err := stage.Client.Create(t.Context(), infra, client.DryRunAll); err != nil {
			t.Errorf("the example of %s is refused: %v", module.Name, err)
		}
	}
	if examples < 16 {
		t.Errorf("%d modules have an example, want those of the library", examples)
	}
}

// exampleOf is the module's example in another namespace, under a name that nothing else
// in the account has.
func exampleOf(t *testing.T, module *modules.Module, namespace string, variables map[string]any) *v1alpha1.Infrastructure {
	t.Helper()
	infra := &v1alpha1.Infrastructure{}
	if err := yaml.UnmarshalStrict([]byte(module.Example), infra); err != nil {
		t.Fatal(err)
	}
	var name string
	if err := yaml.Unmarshal(infra.Spec.Variables["name"].Raw, &name); err != nil {
		t.Fatal(err)
	}
	infra.Namespace = namespace
	for variable, value := range values(t, variables) {
		infra.Spec.Variables[variable] = value
	}
	infra.Spec.Variables["name"] = values(t, map[string]any{"name": name + "-" + namespace})["name"]
	return infra
}

// ownProviderConfig makes a ProviderConfig for one namespace, with an access key that is
// called like the namespace, as is a tag on everything that takes tags.
func ownProviderConfig(t *testing.T, namespace string) string {
	t.Helper()
	config := &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: devenv.ProviderConfig}}
	get(t, config)
	config = &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "own-" + namespace}, Spec: config.Spec}
	config.Spec.Default = false
	config.Spec.NamespaceSelector = metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: namespace}}
	config.Spec.Credentials = v1alpha1.Credentials{SecretName: config.Name}
	config.Spec.AWS.DefaultTags = map[string]string{"test": namespace}
	credentials := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: devenv.Namespace, Name: config.Name},
		StringData: map[string]string{"AWS_ACCESS_KEY_ID": namespace, "AWS_SECRET_ACCESS_KEY": "emulated-secret-key"},
	}
	for _, obj := range []client.Object{credentials, config} {
		if err := stage.Client.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := stage.Client.Delete(context.Background(), obj); client.IgnoreNotFound(err) != nil {
				t.Error(err)
			}
		})
	}
	return config.Name
}

// resourcesOf lists what the AWS account has of a namespace: by the tag, or by the name
// of what takes no tags.
func resourcesOf(t *testing.T, namespace string) []devenv.Resource {
	t.Helper()
	all, err := stage.AWS.Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(r devenv.Resource) bool {
		return r.Tags["test"] != namespace && !strings.Contains(r.ID, namespace)
	})
}

// wantNoChanges asks for a run, which has to find everything as it should be.
func wantNoChanges(t *testing.T, infra *v1alpha1.Infrastructure) {
	t.Helper()
	request := time.Now().Format(time.RFC3339Nano)
	update(t, infra, func(infra *v1alpha1.Infrastructure) {
		metav1.SetMetaDataAnnotation(&infra.ObjectMeta, v1alpha1.AnnotationReconcile, request)
	})
	eventually(t, awsTimeout, "the second run of "+infra.Name+" has succeeded", func(context.Context) (bool, string) {
		for _, run := range runs(t, infra) {
			if run.Spec.ReconcileRequest != request || !run.Status.Phase.Finished() {
				continue
			}
			if run.Status.Phase == v1alpha1.RunFailed || run.Status.Plan == nil || run.Status.Plan.Total() > 0 {
				t.Fatalf("want a plan without changes, got %+v: %s", run.Status.Plan, run.Status.Message)
			}
			return true, ""
		}
		return false, "no such run"
	})
	waitReady(t, infra, time.Minute)
}

// wantPermitted compares what was called with an access key with what module.yaml asks
// for.
func wantPermitted(t *testing.T, module *modules.Module, accessKey string) {
	t.Helper()
	called, err := stage.AWS.Calls(t.Context(), accessKey)
	if err != nil {
		t.Fatal(err)
	}
	if len(called) == 0 {
		t.Fatal("nothing was called with the access key")
	}
	var permitted []string
	for _, permission := range module.Permissions {
		permitted = append(permitted, permission.Actions...)
	}
	without := func(list, other []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(action string) bool { return slices.Contains(other, action) })
	}
	if missing := without(called, permitted); len(missing) > 0 {
		t.Errorf("module.yaml lacks permissions that were needed:\n  %s", strings.Join(missing, "\n  "))
	}
	if unused := without(permitted, called); len(unused) > 0 {
		t.Logf("permitted in module.yaml, and not needed here:\n  %s", strings.Join(unused, "\n  "))
	}
}

// logsInToPostgres logs in with the connection strings in the output Secret. The endpoint
// appends something to the database's name where another instance has it already.
func logsInToPostgres(t *testing.T, infra *v1alpha1.Infrastructure) (ready func()) {
	return func() {
		t.Helper()
		for _, key := range []string{"DATABASE_URL", "READER_URL"} {
			psql := exec.CommandContext(t.Context(), "psql", outputs(t, infra)[key], "--no-align", "--tuples-only", "--command", "SELECT current_database()")
			if answer, err := psql.CombinedOutput(); err != nil || !strings.HasPrefix(string(answer), "orders") {
				t.Errorf("%s: %v: %s", key, err, answer)
			}
		}
	}
}

// logsInToMySQL logs in with what the output Secret says, over TLS.
func logsInToMySQL(t *testing.T, infra *v1alpha1.Infrastructure) (ready func()) {
	return func() {
		t.Helper()
		output := outputs(t, infra)
		if want := "jdbc:mysql://" + output["host"] + ":" + output["port"] + "/orders?sslMode=REQUIRED"; output["DATABASE_URL"] != want {
			t.Errorf("DATABASE_URL: got %q, want %q", output["DATABASE_URL"], want)
		}
		login := func(tls string) (string, error) {
			mariadb := exec.CommandContext(t.Context(), "mariadb", "--no-defaults", tls, "--host", output["host"], "--port", output["port"],
				"--user", output["username"], "--skip-column-names", "--execute", "SELECT current_user(); SHOW STATUS LIKE 'Ssl_cipher'", output["database"])
			mariadb.Env = append(os.Environ(), "MYSQL_PWD="+output["password"])
			answer, err := mariadb.CombinedOutput()
			return string(answer), err
		}
		answer, err := login("--ssl")
		if fields := strings.Fields(answer); err != nil || len(fields) != 3 { // without a cipher there is no third
			t.Errorf("over TLS: %v: %s", err, answer)
		}
		if answer, err := login("--skip-ssl"); err == nil {
			t.Errorf("logged in without TLS: %s", answer)
		}
	}
}
