package providerproxy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"k8s.io/apimachinery/pkg/util/sets"
)

// field is one field of a message, of variable length.
func field(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

func entry(of protowire.Number, key string) []byte {
	return field(of, append(field(1, []byte(key)), field(2, []byte("the schema of "+key))...))
}

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestPrune(t *testing.T) {
	provider := field(1, []byte("the provider's own schema"))
	function := entry(7, "arn_parse")
	cases := map[string]struct {
		reason        string
		message, want []byte
		wantErr       bool
	}{
		"types": {
			"Of each map of types, what is used stays.",
			join(provider, entry(2, "a"), entry(2, "b"), entry(3, "a"), entry(3, "c"), entry(8, "b"), entry(9, "b")),
			join(provider, entry(2, "a"), entry(3, "a")), false,
		},
		"functions": {"Functions are no types.", join(function, entry(2, "b")), function, false},
		"unknown":   {"What a later protocol brings stays.", join(entry(2, "b"), entry(99, "b")), entry(99, "b"), false},
		"cut":       {"A message that ends too early is none.", entry(2, "a")[:5], nil, true},
		"cut entry": {"Nor is one with such an entry.", field(2, []byte{0x0a, 0x7f}), nil, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := prune(tc.message, schemaMaps, sets.New("a"))
			if (err != nil) != tc.wantErr {
				t.Fatalf("%s\nerror %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); err == nil && diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSchemaOptional(t *testing.T) {
	capability := func(number protowire.Number, v uint64) []byte {
		return field(6, protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), v))
	}
	cases := map[string]struct {
		reason   string
		response []byte
		want     bool
	}{
		"yes":   {"The provider says so.", join(entry(2, "a"), capability(2, 1)), true},
		"no":    {"It says no.", capability(2, 0), false},
		"other": {"It says another thing.", capability(1, 1), false},
		"none":  {"It says nothing, as old ones do.", entry(2, "a"), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got, err := schemaOptional(tc.response); err != nil || got != tc.want {
				t.Errorf("%s\ngot %t, %v", tc.reason, got, err)
			}
		})
	}
}
