package state

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// kinds names the errors of this package that err is.
func kinds(err error) []string {
	var is []string
	for name, kind := range map[string]error{
		"absent": ErrAbsent, "forbidden": ErrForbidden, "unreadable": ErrUnreadable,
		"locked": ErrLocked, "has resources": ErrHasResources,
	} {
		if errors.Is(err, kind) {
			is = append(is, name)
		}
	}
	if err != nil && is == nil {
		is = []string{"plain"}
	}
	return is
}

func values(t *testing.T) cmp.Option {
	t.Helper()
	return cmp.Comparer(func(a, b cty.Value) bool { return a.RawEquals(b) })
}

func forbidden(resource, name string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, name, errors.New("no role"))
}

func TestStore_Read(t *testing.T) {
	listFails := func(err error) interceptor.Funcs {
		return interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return err }}
	}
	getFails := func(err error) interceptor.Funcs {
		return interceptor.Funcs{Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return err
		}}
	}
	outputs := `{"version":4,"terraform_version":"1.11.4","serial":12,"lineage":"l","outputs":{
		"n":{"value":100000000000000000001,"type":"number"},
		"s":{"value":"<&>","type":"string","sensitive":true},
		"o":{"value":{"a":[true]},"type":["object",{"a":["list","bool"]}]},
		"null":{"value":null,"type":"dynamic"}},
		"resources":[
		{"mode":"managed","instances":[{"index_key":0},{"index_key":1},{"index_key":1,"deposed":"00000001"}]},
		{"mode":"data","instances":[{}]},
		{"mode":"managed","module":"module.x","instances":[{}]}]}`
	want := &State{Serial: 12, Lineage: "l", TerraformVersion: "1.11.4", Resources: 4, Outputs: map[string]Output{
		"n":    {Value: cty.MustParseNumberVal("100000000000000000001")},
		"s":    {Value: cty.StringVal("<&>"), Sensitive: true},
		"o":    {Value: cty.ObjectVal(map[string]cty.Value{"a": cty.ListVal([]cty.Value{cty.True})})},
		"null": {Value: cty.NullVal(cty.DynamicPseudoType)},
	}}
	empty := &State{Serial: 3, Lineage: "l", TerraformVersion: "1.11.4", Outputs: map[string]Output{}}

	cases := map[string]struct {
		objects []client.Object
		funcs   interceptor.Funcs
		want    *State
		err     string
	}{
		"Outputs have the exact type and digits, and managed instances are counted, deposed ones too.": {
			objects: []client.Object{stateSecret(holding(pack(outputs)))}, want: want,
		},
		"A state in three parts is joined.": {
			objects: stateParts(outputs, 3), want: want,
		},
		"More than ten parts are joined in the order of their numbers.": {
			objects: stateParts(outputs, 12), want: want,
		},
		"A part of an older, larger state that was not deleted is ignored.": {
			objects: []client.Object{stateSecret(), stateSecret(named(partName(testKey, 1)), holding([]byte("old")))}, want: empty,
		},
		"Without a Secret the state is absent.": {
			err: "absent",
		},
		"The state of another key is not read.": {
			objects: []client.Object{stateSecret(named("tfstate-default-other"), func(s *corev1.Secret) { s.Labels = labels("other") })}, err: "absent",
		},
		"A Secret that lost a label is not absent: Terraform would overwrite it.": {
			objects: []client.Object{stateSecret(unlabelled)}, err: "unreadable",
		},
		"A missing part in the middle is unreadable.": {
			objects: append(stateParts(outputs, 3)[:1], stateParts(outputs, 3)[2]), err: "unreadable",
		},
		"A missing first part is unreadable.": {
			objects: stateParts(outputs, 3)[1:], err: "unreadable",
		},
		"A later part alone is unreadable, not absent.": {
			objects: stateParts(outputs, 2)[1:], err: "unreadable",
		},
		"A missing last part is unreadable.": {
			objects: stateParts(outputs, 3)[:2], err: "unreadable",
		},
		"A part that lost a label is unreadable.": {
			objects: append(stateParts(outputs, 2)[:1], stateSecret(named(partName(testKey, 1)), unlabelled)), err: "unreadable",
		},
		"Parts of two states are unreadable.": {
			objects: append(stateParts(largeState(5000), 2)[:1], stateParts(largeState(6000), 2)[1]), err: "unreadable",
		},
		"A Secret with the state's labels under another name is unreadable.": {
			objects: []client.Object{stateSecret(), stateSecret(named("copy-of-the-state"))}, err: "unreadable",
		},
		"A part number that is written otherwise is a foreign Secret.": {
			objects: []client.Object{stateSecret(), stateSecret(named(SecretName(testKey) + "-part-01"))}, err: "unreadable",
		},
		"A Secret that the backend had no time to write to is absent while no run has changed resources.": {
			objects: []client.Object{stateSecret(holding(nil))}, err: "absent",
		},
		"An emptied Secret is unreadable once a run has changed resources.": {
			objects: []client.Object{stateSecret(holding(nil)), snapshot()}, err: "unreadable",
		},
		"An empty part is unreadable.": {
			objects: []client.Object{stateSecret(), stateSecret(named(partName(testKey, 1)), holding(nil))}, err: "unreadable",
		},
		"What is not gzipped is unreadable.": {
			objects: []client.Object{stateSecret(holding([]byte(emptyState)))}, err: "unreadable",
		},
		"What is not JSON is unreadable.": {
			objects: []client.Object{stateSecret(holding(pack("secret")))}, err: "unreadable",
		},
		"An encrypted state is unreadable.": {
			objects: []client.Object{stateSecret(holding(pack(`{"serial":1,"lineage":"l","encrypted_data":"c2VjcmV0"}`)))}, err: "unreadable",
		},
		"An output of an unknown type is unreadable.": {
			objects: []client.Object{stateSecret(holding(pack(`{"version":4,"outputs":{"x":{"value":1,"type":"secret"}}}`)))}, err: "unreadable",
		},
		"An output that is not of its type is unreadable.": {
			objects: []client.Object{stateSecret(holding(pack(`{"version":4,"outputs":{"x":{"value":"secret","type":"number"}}}`)))}, err: "unreadable",
		},
		"A refused list is forbidden.": {
			funcs: listFails(forbidden("secrets", "")), err: "forbidden",
		},
		"A refused get is forbidden, not absent.": {
			funcs: getFails(forbidden("secrets", SecretName(testKey))), err: "forbidden",
		},
		"An API server that is away is a plain error, not absence.": {
			funcs: listFails(apierrors.NewServiceUnavailable("starting")), err: "plain",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store, _ := newStore(c.funcs, c.objects...)
			got, err := store.Read(t.Context(), testKey)
			checkError(t, c.err, err)
			if diff := cmp.Diff(c.want, got, values(t)); diff != "" {
				t.Errorf("Read() (-want +got):\n%s", diff)
			}
		})
	}
}

// checkError checks the error's kind, and that it is of one kind only, names the
// object, and quotes nothing secret.
func checkError(t *testing.T, want string, err error) {
	t.Helper()
	var wants []string
	if want != "" {
		wants = []string{want}
	}
	if diff := cmp.Diff(wants, kinds(err)); diff != "" {
		t.Errorf("kind of error (-want +got):\n%s%v", diff, err)
	}
	if err == nil {
		return
	}
	for _, text := range []string{testNamespace, testKey} {
		if !contains(err, text) && !contains(err, "copy-of-the-state") {
			t.Errorf("the error does not name the object: %q lacks %q", err, text)
		}
	}
	if contains(err, `"secret"`) || contains(err, "c2VjcmV0") {
		t.Errorf("the error quotes the state: %q", err)
	}
}

func TestStore_Read_large(t *testing.T) {
	// 1 MiB is the size of the backend's parts; this is beyond two of them.
	store, _ := newStore(interceptor.Funcs{}, stateParts(largeState(5<<20), 4)...)
	got, err := store.Read(t.Context(), testKey)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Outputs["noise"].Value.AsString()); n != 5<<20 {
		t.Errorf("the output has %d bytes, want %d", n, 5<<20)
	}
}

func TestStore_Snapshot(t *testing.T) {
	cases := map[string]struct {
		objects []client.Object
		want    map[string][]byte
		err     string
	}{
		"The snapshot's data is returned.":           {[]client.Object{snapshot()}, snapshot().Data, ""},
		"Before the first apply there is none.":      {nil, nil, "absent"},
		"A state alone does not make it a snapshot.": {[]client.Object{stateSecret()}, nil, "absent"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store, _ := newStore(interceptor.Funcs{}, c.objects...)
			got, err := store.Snapshot(t.Context(), testKey)
			checkError(t, c.err, err)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Snapshot() (-want +got):\n%s", diff)
			}
		})
	}
}
