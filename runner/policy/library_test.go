package policy

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// change is what the tests edit of a resource change.
type change = map[string]any

// readPlan reads a plan that the AWS provider has made, and its resource changes.
func readPlan(t *testing.T) (plan map[string]any, changes []change) {
	t.Helper()
	text, err := os.ReadFile("testdata/aws/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		t.Fatal(err)
	}
	for _, c := range plan["resource_changes"].([]any) {
		changes = append(changes, c.(change))
	}
	return plan, changes
}

// planOnly returns the plan in which one resource changes, and all others stay.
func planOnly(t *testing.T, address string, actions ...string) []byte {
	t.Helper()
	plan, changes := readPlan(t)
	found := false
	for _, c := range changes {
		c["change"].(change)["actions"] = []string{"no-op"}
		if c["address"] != address {
			continue
		}
		found = true
		c["change"].(change)["actions"] = actions
		if len(actions) == 1 && actions[0] == "delete" {
			before := c["change"].(change)
			before["before"], before["after"], before["after_unknown"] = before["after"], nil, false
		}
	}
	if !found {
		t.Fatalf("the plan has no %s", address)
	}
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func defaultSet(t *testing.T) *Policies {
	t.Helper()
	p, err := Load(Library())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestLibrary_everyResource judges each resource of a real plan by itself; its name says
// what has to come out.
func TestLibrary_everyResource(t *testing.T) {
	p := defaultSet(t)
	_, changes := readPlan(t)
	if len(changes) < 50 {
		t.Fatalf("the plan has %d resources; is it the right one?", len(changes))
	}
	for _, c := range changes {
		address, name, resourceType := c["address"].(string), c["name"].(string), c["type"].(string)
		t.Run(address, func(t *testing.T) {
			f, err := p.Evaluate(t.Context(), planOnly(t, address, "create"))
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.HasPrefix(name, "bad"); want != (len(f.Denials) > 0) {
				t.Errorf("denials: want %v, got %v", want, f.Denials)
			}
			if want := strings.HasPrefix(name, "warned"); want != (len(f.Warnings) > 0) {
				t.Errorf("warnings: want %v, got %v", want, f.Warnings)
			}
			for _, found := range append(f.Denials, f.Warnings...) {
				if found.Address != address {
					t.Errorf("address: want %s, got %s", address, found.Address)
				}
			}
			if !strings.HasPrefix(name, "good") && !p.Concern([]string{resourceType}) {
				t.Errorf("%s is in no rule's metadata, and so would not be judged", resourceType)
			}
		})
	}
}

func TestLibrary_messages(t *testing.T) {
	cases := map[string][]Finding{
		"aws_s3_bucket_acl.bad_canned": {{
			"public_bucket", "aws_s3_bucket_acl.bad_canned",
			"the ACL public-read-write opens the bucket to everybody: use private, and grant what is needed with a bucket policy",
		}},
		"aws_s3_bucket_acl.bad_grant": {{
			"public_bucket", "aws_s3_bucket_acl.bad_grant",
			"a grant to the group AllUsers opens the bucket to everybody: grant what is needed with a bucket policy",
		}},
		"aws_s3_bucket_public_access_block.bad_unset": {{
			"public_bucket", "aws_s3_bucket_public_access_block.bad_unset",
			"public access is not blocked: set ignore_public_acls, restrict_public_buckets to true",
		}},
		`module.child["a.b"].aws_efs_file_system.bad_false`: {{
			"unencrypted_store", `module.child["a.b"].aws_efs_file_system.bad_false`,
			"data at rest is not known to be encrypted: set encrypted = true",
		}},
		"aws_opensearch_domain.bad_unset": {{
			"unencrypted_store", "aws_opensearch_domain.bad_unset",
			"data at rest is not known to be encrypted: add encrypt_at_rest { enabled = true }",
		}},
		"aws_vpc_security_group_ingress_rule.bad_all": {
			{"open_admin_port", "aws_vpc_security_group_ingress_rule.bad_all", "::/0 can reach port 22 (SSH): name the networks that need it"},
			{"open_admin_port", "aws_vpc_security_group_ingress_rule.bad_all", "::/0 can reach port 3389 (RDP): name the networks that need it"},
		},
		"aws_security_group_rule.bad_range": {{
			"open_admin_port", "aws_security_group_rule.bad_range", "0.0.0.0/0 can reach port 3389 (RDP): name the networks that need it",
		}},
	}
	p := defaultSet(t)
	for address, want := range cases {
		t.Run(address, func(t *testing.T) {
			f, err := p.Evaluate(t.Context(), planOnly(t, address, "create"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Findings{Denials: want}, f); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

func TestLibrary_actions(t *testing.T) {
	cases := map[string]struct {
		actions []string
		want    bool
	}{
		"A resource to be made is judged.": {[]string{"create"}, true},
		"One to be changed too.":           {[]string{"update"}, true},
		"One to be replaced too.":          {[]string{"delete", "create"}, true},
		"Even before the old one goes.":    {[]string{"create", "delete"}, true},
		"One that goes is not.":            {[]string{"delete"}, false},
		"One that stays is not.":           {[]string{"no-op"}, false},
		"One that is forgotten is not.":    {[]string{"forget"}, false},
	}
	p := defaultSet(t)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, address := range []string{"aws_s3_bucket_acl.bad_canned", "aws_opensearch_domain.bad_unset", "aws_security_group.bad_ssh"} {
				f, err := p.Evaluate(t.Context(), planOnly(t, address, c.actions...))
				if err != nil {
					t.Fatal(err)
				}
				if got := len(f.Denials) > 0; got != c.want {
					t.Errorf("%s: want %v, got %v", address, c.want, f.Denials)
				}
			}
		})
	}
}
