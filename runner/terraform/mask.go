package terraform

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/groundwork-dev/groundwork/runner"
)

// masked replaces a secret.
const masked = "(sensitive)"

const (
	// minSensitive is the shortest value of a sensitive variable that is masked;
	// a shorter one would blot out ordinary text and keeps no secret anyway.
	minSensitive = 3
	// minCredential is the same for an environment variable's value.
	minCredential = 6
)

// mask blots out secrets in everything that the runner says.
type mask struct{ replacer *strings.Replacer }

// newMask masks the values of the request's sensitive variables, nested ones
// too, and the values of all environment variables that could come from the
// credentials; a nil request has no variables. earlier are requests of which the state may
// still have values.
func newMask(req *runner.Request, environ []string, earlier ...*runner.Request) mask {
	var secrets []string
	for _, r := range append(earlier, req) {
		if r != nil {
			secrets = append(secrets, sensitiveValues(r)...)
		}
	}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if len(value) >= minCredential && !publicEnvironment(name) {
			secrets = append(secrets, value)
		}
	}
	var forms []string
	for _, s := range secrets {
		forms = append(forms, spellings(s)...)
	}
	slices.SortFunc(forms, func(a, b string) int {
		// The longest first: a secret may be part of another.
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	var pairs []string
	for _, f := range slices.Compact(forms) {
		pairs = append(pairs, f, masked)
	}
	return mask{strings.NewReplacer(pairs...)}
}

func (m mask) apply(s string) string { return m.replacer.Replace(s) }

// spellings returns a secret as it may appear in a log: as it is, its lines, and
// as the common encodings write it.
func spellings(s string) []string {
	forms := []string{
		s,
		jsonEscaped(s, true),
		jsonEscaped(s, false),
		// JSON in a string of JSON.
		jsonEscaped(jsonEscaped(s, true), true),
		jsonEscaped(jsonEscaped(s, false), false),
		hclEscaped(s),
		strings.Trim(strconv.Quote(s), `"`),
		url.QueryEscape(s),
		url.PathEscape(s),
		base64.StdEncoding.EncodeToString([]byte(s)),
	}
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); len(line) >= minCredential {
			forms = append(forms, line)
		}
	}
	return forms
}

func jsonEscaped(s string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if err := enc.Encode(s); err != nil {
		return s
	}
	quoted := strings.TrimSpace(b.String())
	return quoted[1 : len(quoted)-1]
}

// hclEscaped writes s as it stands in a Terraform string.
// Source: https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences
func hclEscaped(s string) string {
	return strings.NewReplacer(
		`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{",
	).Replace(s)
}

// sensitiveValues returns all strings and numbers in the sensitive variables.
func sensitiveValues(req *runner.Request) []string {
	var variables map[string]json.RawMessage
	if err := json.Unmarshal(req.Variables, &variables); err != nil {
		return nil
	}
	var values []string
	for _, name := range req.Sensitive {
		dec := json.NewDecoder(bytes.NewReader(variables[name]))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err == nil {
			values = appendLeaves(values, v)
		}
	}
	return values
}

func appendLeaves(values []string, v any) []string {
	switch v := v.(type) {
	case string:
		if len(v) >= minSensitive {
			values = append(values, v)
		}
		// A string may itself be a JSON document with secrets in it.
		var inner any
		if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
			if err := json.Unmarshal([]byte(v), &inner); err == nil {
				values = appendLeaves(values, inner)
			}
		}
	case json.Number:
		if len(v) >= minSensitive {
			values = append(values, v.String())
		}
	case []any:
		for _, e := range v {
			values = appendLeaves(values, e)
		}
	case map[string]any:
		for _, e := range v {
			values = appendLeaves(values, e)
		}
	}
	return values
}

// publicEnvironment tells the variables that are set by the container runtime,
// Kubernetes, the contract or a cloud's workload identity, and hold no secret.
// Whatever else is in the environment may come from the credentials Secret.
func publicEnvironment(name string) bool {
	for _, prefix := range []string{"GROUNDWORK_", "KUBERNETES_", "AWS_ENDPOINT_URL"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	switch name {
	case "PATH", "HOME", "HOSTNAME", "PWD", "USER", "LANG", "TERM", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"GOGC", "GOMEMLIMIT", "GOMAXPROCS", "NO_PROXY", "no_proxy",
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CA_BUNDLE":
		return true
	}
	return false
}
