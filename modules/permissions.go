package modules

import "encoding/json"

// Permission is a statement of an AWS IAM policy that allows something.
type Permission struct {
	// Actions are IAM actions by their whole names: s3:CreateBucket.
	Actions []string `json:"actions"`
	// Resources are ARNs, with wildcards.
	Resources []string `json:"resources"`
	// Conditions are a value or several by operator and key.
	Conditions map[string]map[string]any `json:"conditions"`
}

// policyStatement is a statement in IAM's own words.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type policyStatement struct {
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string]any `json:",omitempty"`
}

// Policy returns the module's permissions as an IAM policy document, indented.
func (m *Module) Policy() []byte {
	policy := struct {
		Version   string
		Statement []policyStatement
	}{Version: "2012-10-17"}
	for _, p := range m.Permissions {
		policy.Statement = append(policy.Statement, policyStatement{"Allow", p.Actions, p.Resources, p.Conditions})
	}
	b, err := json.MarshalIndent(policy, "", "  ")
	if err != nil {
		panic(err) // texts, and lists and maps of them
	}
	return b
}
