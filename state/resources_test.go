package state

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// stateOf is a state with one resource, of which only the instance is given.
func stateOf(instance string) string {
	return `{"version":4,"resources":[{"mode":"managed","type":"aws_db_instance","name":"this","provider":"p","instances":[` + instance + `]}]}`
}

func TestStore_Resources(t *testing.T) {
	type attributes = map[string]any
	cases := map[string]struct {
		state string
		want  []Resource
	}{
		"None.": {emptyState, nil},
		"Addresses of modules, data sources and instances.": {`{"version":4,"resources":[
			{"module":"module.a[\"x\"]","mode":"managed","type":"t","name":"n","instances":[{"index_key":0},{"index_key":"k\"1"}]},
			{"mode":"data","type":"t","name":"n","instances":[{}]}]}`,
			[]Resource{{Address: `module.a["x"].t.n[0]`}, {Address: `module.a["x"].t.n["k\"1"]`}, {Address: "data.t.n"}}},
		"One that is half made, and one that was replaced.": {
			stateOf(`{"status":"tainted"},{"deposed":"1a2b"}`),
			[]Resource{{Address: "aws_db_instance.this", Tainted: true}, {Address: "aws_db_instance.this", Deposed: "1a2b"}}},
		"Numbers keep their digits.": {
			stateOf(`{"attributes":{"n":12345678901234567890}}`),
			[]Resource{{Address: "aws_db_instance.this", Attributes: attributes{"n": json.Number("12345678901234567890")}}}},
		"A sensitive attribute, and one that is null.": {
			stateOf(`{"attributes":{"password":"s3cret","token":null,"name":"orders"},"sensitive_attributes":[
				[{"type":"get_attr","value":"password"}],[{"type":"get_attr","value":"token"}]]}`),
			[]Resource{{Address: "aws_db_instance.this", Attributes: attributes{"password": Sensitive, "token": nil, "name": "orders"}}}},
		"Sensitive inside of lists and maps.": {
			stateOf(`{"attributes":{"users":[{"name":"a","password":"s3cret"},{"name":"b","password":"s3cret"}],"env":{"A":"1","B":"s3cret"}},"sensitive_attributes":[
				[{"type":"get_attr","value":"users"},{"type":"index","value":{"value":1,"type":"number"}},{"type":"get_attr","value":"password"}],
				[{"type":"get_attr","value":"users"},{"type":"index","value":{"value":0,"type":"number"}},{"type":"get_attr","value":"password"}],
				[{"type":"get_attr","value":"env"},{"type":"index","value":{"value":"B","type":"string"}}]]}`),
			[]Resource{{Address: "aws_db_instance.this", Attributes: attributes{
				"users": []any{attributes{"name": "a", "password": Sensitive}, attributes{"name": "b", "password": Sensitive}},
				"env":   attributes{"A": "1", "B": Sensitive},
			}}}},
		"A path that does not fit hides all from there on.": {
			stateOf(`{"attributes":{"a":"s3cret","b":["s3cret"],"c":["s3cret"],"d":{"k":"s3cret"},"e":["s3cret"],"f":{"k":"s3cret"}},"sensitive_attributes":[
				[{"type":"get_attr","value":"f"},{"type":"get_attr","value":"x"}],
				[{"type":"get_attr","value":"a"},{"type":"get_attr","value":"x"}],
				[{"type":"get_attr","value":"b"},{"type":"get_attr","value":"x"}],
				[{"type":"get_attr","value":"c"},{"type":"index","value":{"value":7,"type":"number"}}],
				[{"type":"get_attr","value":"d"},{"type":"index","value":{"value":1,"type":"number"}}],
				[{"type":"get_attr","value":"e"},{"type":"index","value":"x"}]]}`),
			[]Resource{{Address: "aws_db_instance.this", Attributes: attributes{"a": Sensitive, "b": Sensitive, "c": Sensitive, "d": Sensitive, "e": Sensitive, "f": Sensitive}}}},
		"A value with its type beside it is hidden as a whole.": {
			stateOf(`{"attributes":{"input":{"type":["object",{"type":"string"}],"value":{"type":"s3cret"}}},"sensitive_attributes":[
				[{"type":"get_attr","value":"input"},{"type":"get_attr","value":"type"}]]}`),
			[]Resource{{Address: "aws_db_instance.this", Attributes: attributes{"input": Sensitive}}}},
		"The path of everything hides everything.": {
			stateOf(`{"attributes":{"a":"s3cret"},"sensitive_attributes":[[]]}`),
			[]Resource{{Address: "aws_db_instance.this"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			store, _ := newStore(interceptor.Funcs{}, stateSecret(holding(pack(c.state))))
			got, err := store.Resources(t.Context(), testKey)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStore_Resources_errors(t *testing.T) {
	store, _ := newStore(interceptor.Funcs{})
	if _, err := store.Resources(t.Context(), testKey); !errors.Is(err, ErrAbsent) {
		t.Errorf("without a state: %v, want ErrAbsent", err)
	}
	for _, content := range []string{`{"version":4,"resources":"s3cret"}`, `{"encrypted_data":"s3cret"}`} {
		store, _ = newStore(interceptor.Funcs{}, stateSecret(holding(pack(content))))
		if _, err := store.Resources(t.Context(), testKey); !errors.Is(err, ErrUnreadable) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("of another form: %v, want ErrUnreadable without the content", err)
		}
	}
}
