package runner

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

func TestParseRequest(t *testing.T) {
	request := &Request{
		Operation:    v1alpha1.OperationApply,
		Module:       v1alpha1.ModuleReference{Name: "m", Version: "1.0.0", Digest: "sha256:0"},
		Files:        []byte{0x1f, 0x8b, 0},
		InputsDigest: "sha256:1",
		Variables:    json.RawMessage(`{"password":"canary"}`),
		Sensitive:    []string{"password"},
		Provider:     json.RawMessage(`{}`),
		Backend:      json.RawMessage(`{}`),
		Snapshot:     "s",
		Labels:       map[string]string{"a": "b"},
		Credentials:  v1alpha1.Credentials{SecretName: "aws"},
	}
	whole, err := request.SecretData()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason  string
		data    map[string][]byte
		want    *Request
		wantErr string
	}{
		"whole":      {"What was written is read.", whole, request, ""},
		"no request": {"A part may not be missing.", map[string][]byte{keyModule: whole[keyModule]}, nil, `no key "request.json"`},
		"no module":  {"Neither may the other.", map[string][]byte{keyRequest: whole[keyRequest]}, nil, `no key "module.tar.gz"`},
		"garbage":    {"What is not a request is not quoted.", map[string][]byte{keyRequest: []byte(`{"variables": canary}`), keyModule: {1}}, nil, "is not the JSON of a request"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseRequest(tc.data)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
			switch {
			case tc.wantErr == "" && err != nil, tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Errorf("%s\nwant the error %q, got %v", tc.reason, tc.wantErr, err)
			case err != nil && strings.Contains(err.Error(), "canary"):
				t.Errorf("%s\nthe error quotes a variable: %v", tc.reason, err)
			}
		})
	}
}
