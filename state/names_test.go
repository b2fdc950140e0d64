package state

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"
)

func TestKey(t *testing.T) {
	cases := map[string]struct{ namespace, name, want string }{
		"The key can be read.":                   {"shop", "orders-db", "shop-orders-db-KEY"},
		"Dots become hyphens.":                   {"shop", "orders.db", "shop-orders-db-KEY"},
		"A long name is cut.":                    {"shop", strings.Repeat("a", 253), "shop-" + strings.Repeat("a", 26) + "-KEY"},
		"A cut leaves no double hyphen.":         {"shop", strings.Repeat("a", 25) + "-b", "shop-" + strings.Repeat("a", 25) + "-KEY"},
		"A longest namespace leaves the hash.":   {strings.Repeat("n", 63), "x", strings.Repeat("n", 31) + "-KEY"},
		"A name that ends in digits is no part.": {"shop", "orders-12", "shop-orders-12-KEY"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := Key(c.namespace, c.name)
			if problems := validation.IsDNS1123Label(got); problems != nil {
				t.Errorf("Key(%q, %q) = %q is no DNS label: %v", c.namespace, c.name, got, problems)
			}
			if len(got) > 48 {
				t.Errorf("Key(%q, %q) = %q has %d characters, want at most 48", c.namespace, c.name, got, len(got))
			}
			hash := got[strings.LastIndex(got, "-")+1:]
			if strings.Trim(hash, "abcdefghijklmnopqrstuvwxyz") != "" || len(hash) != 16 {
				t.Errorf("Key(%q, %q) = %q does not end in 16 letters", c.namespace, c.name, got)
			}
			if diff := cmp.Diff(c.want, strings.TrimSuffix(got, hash)+"KEY"); diff != "" {
				t.Errorf("Key(%q, %q) (-want +got):\n%s", c.namespace, c.name, diff)
			}
		})
	}
}

// A preview's run has a name of its own, that of no key.
func TestPreviewName(t *testing.T) {
	key := Key(strings.Repeat("n", 63), "orders")
	name := PreviewName(key, "5f0c6d0e")
	if problems := validation.IsDNS1123Label(name); problems != nil {
		t.Errorf("%q is no DNS label: %v", name, problems)
	}
	if before := name[:strings.LastIndex(name, "-")]; before != key+"-preview" {
		t.Errorf("%q has %q before its last hyphen, want what is no key", name, before)
	}
	if PreviewName(key, "5f0c6d0e") != name || PreviewName(key, "5f0c6d0f") == name {
		t.Errorf("%q is not of its UID", name)
	}
}

// TestKey_stable pins a key: another one would lose every state there is.
func TestKey_stable(t *testing.T) {
	if got, want := Key("shop", "orders-db"), "shop-orders-db-fpghkjfxwspjeqnx"; got != want {
		t.Errorf("Key() = %q, want %q", got, want)
	}
}

func TestKey_distinct(t *testing.T) {
	cases := map[string][2][2]string{
		"The hyphen between namespace and name counts.": {{"a", "b-c"}, {"a-b", "c"}},
		"A dot is not a hyphen.":                        {{"a", "b.c"}, {"a", "b-c"}},
		"What is cut off counts.":                       {{"a", strings.Repeat("x", 60) + "1"}, {"a", strings.Repeat("x", 60) + "2"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a, b := Key(c[0][0], c[0][1]), Key(c[1][0], c[1][1])
			if a == b {
				t.Errorf("Key(%q) and Key(%q) are both %q", c[0], c[1], a)
			}
		})
	}
}

func TestBackend(t *testing.T) {
	want := `{"terraform":{"backend":{"kubernetes":{"in_cluster_config":true,"namespace":"groundwork-system","secret_suffix":"k"}}}}`
	if diff := cmp.Diff(want, string(Backend("groundwork-system", "k"))); diff != "" {
		t.Errorf("Backend() (-want +got):\n%s", diff)
	}
}
