package terraform

import (
	"testing"

	"github.com/groundwork-dev/groundwork/runner"
)

func TestMask_apply(t *testing.T) {
	req := &runner.Request{
		Variables: []byte(`{"password": "s3cret\"<é>\n$x", "pin": 90210, "open": "shown", "on": true, "short": "ab", "tree": {"a": ["leaf-one"], "b": {"c": "leaf-one-longer"}}}`),
		Sensitive: []string{"password", "pin", "on", "short", "tree", "absent"},
	}
	m := newMask(req, []string{"AWS_SECRET_ACCESS_KEY=abc/def+ghi", "AWS_REGION=eu-central-1", "SHORT=12345", "KUBERNETES_SERVICE_HOST=10.96.0.1", "EMPTY="})
	cases := map[string]struct{ reason, in, want string }{
		"raw":         {"A value as it is.", "got s3cret\"<é>\n$x!", "got (sensitive)!"},
		"json":        {"A value in JSON.", `{"p":"s3cret\"<é>\n$x"}`, `{"p":"(sensitive)"}`},
		"json html":   {"A value in JSON that is safe in HTML.", `{"p":"s3cret\"\u003cé\u003e\n$x"}`, `{"p":"(sensitive)"}`},
		"json twice":  {"JSON in JSON.", `"{\"p\":\"s3cret\\\"<é>\\n$x\"}"`, `"{\"p\":\"(sensitive)\"}"`},
		"number":      {"A number.", "pin=90210", "pin=(sensitive)"},
		"nested":      {"Nested values, the longest first.", "leaf-one-longer leaf-one", "(sensitive) (sensitive)"},
		"environment": {"A credential.", "key abc/def+ghi", "key (sensitive)"},
		"query":       {"A credential in a URL.", "?k=abc%2Fdef%2Bghi", "?k=(sensitive)"},
		"public":      {"What is no secret stays.", "shown true ab eu-central-1 10.96.0.1 12345", "shown true ab eu-central-1 10.96.0.1 12345"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := m.apply(tc.in); got != tc.want {
				t.Errorf("%s\nwant %q, got %q", tc.reason, tc.want, got)
			}
		})
	}
}
