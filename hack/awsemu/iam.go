package main

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// iam is Identity and Access Management: roles with their policies, and identity providers. Nothing here is enforced.
type iam struct {
	store *store
	now   func() time.Time
}

func newIAM(store *store, now func() time.Time) *queryService {
	i := iam{store, now}
	return &queryService{
		namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		table: map[string]queryAction{
			"AddClientIDToOpenIDConnectProvider":      i.addClientID,
			"AttachRolePolicy":                        i.attachPolicy,
			"CreateOpenIDConnectProvider":             i.createProvider,
			"CreateRole":                              i.createRole,
			"DeleteOpenIDConnectProvider":             i.deleteProvider,
			"DeleteRole":                              i.deleteRole,
			"DeleteRolePermissionsBoundary":           i.deleteBoundary,
			"DeleteRolePolicy":                        i.deletePolicy,
			"DetachRolePolicy":                        i.detachPolicy,
			"GetOpenIDConnectProvider":                i.getProvider,
			"GetRole":                                 i.getRole,
			"GetRolePolicy":                           i.getPolicy,
			"ListAttachedRolePolicies":                i.listAttached,
			"ListInstanceProfilesForRole":             i.listInstanceProfiles,
			"ListOpenIDConnectProviders":              i.listProviders,
			"ListRolePolicies":                        i.listPolicies,
			"ListRoleTags":                            i.listRoleTags,
			"PutRolePermissionsBoundary":              i.putBoundary,
			"PutRolePolicy":                           i.putPolicy,
			"RemoveClientIDFromOpenIDConnectProvider": i.removeClientID,
			"TagOpenIDConnectProvider":                i.tagProvider,
			"TagRole":                                 i.tagRole,
			"UntagOpenIDConnectProvider":              i.untagProvider,
			"UntagRole":                               i.untagRole,
			"UpdateAssumeRolePolicy":                  i.updateTrust,
			"UpdateOpenIDConnectProviderThumbprint":   i.updateThumbprints,
			"UpdateRole":                              i.updateRole,
		},
	}
}

// role is an IAM role.
type role struct {
	Name            string
	Path            string
	ID              string
	Description     string
	Trust           string            // the policy that says who may take it
	Boundary        string            // ARN of a policy; empty: none
	SessionDuration string            // seconds
	Policies        map[string]string // inline ones, by name
	Attached        []string          // ARNs of managed policies
	Tags            tags
	CreatedAt       time.Time
}

func (r *role) arn() string { return "arn:aws:iam::" + account + ":role" + r.Path + r.Name }

func (s *state) role(name string) (*role, error) {
	if r := s.Roles[name]; r != nil {
		return r, nil
	}
	return nil, notFound("NoSuchEntity", "The role with name %s cannot be found.", name)
}

// changeRole runs fn on the role that the call names, under the store's lock.
func (i iam) changeRole(c *call, fn func(r *role) error) (any, error) {
	return struct{}{}, i.store.write(func(st *state) error {
		r, err := st.role(c.Form.Get("RoleName"))
		if err != nil {
			return err
		}
		return fn(r)
	})
}

func (i iam) readRole(c *call, fn func(r *role) error) error {
	return i.store.read(func(st *state) error {
		r, err := st.role(c.Form.Get("RoleName"))
		if err != nil {
			return err
		}
		return fn(r)
	})
}

func (i iam) createRole(c *call) (any, error) {
	made := &role{
		Name: c.Form.Get("RoleName"), Path: "/", ID: "AROA" + strings.ToUpper(randomHex(17)), Description: c.Form.Get("Description"),
		Trust: c.Form.Get("AssumeRolePolicyDocument"), Boundary: c.Form.Get("PermissionsBoundary"), SessionDuration: "3600",
		Policies: map[string]string{}, Tags: tagParams(c.Form, "Tags.member"), CreatedAt: i.now().UTC(),
	}
	if path := c.Form.Get("Path"); path != "" {
		made.Path = path
	}
	if duration := c.Form.Get("MaxSessionDuration"); duration != "" {
		made.SessionDuration = duration
	}
	if len(made.Name) < 1 || len(made.Name) > 64 {
		return nil, badRequest("ValidationError", "roleName must have 1 to 64 characters")
	}
	if err := checkDocument(made.Trust); err != nil {
		return nil, err
	}
	err := i.store.write(func(st *state) error {
		if st.Roles[made.Name] != nil {
			return conflict("EntityAlreadyExists", "Role with name "+made.Name+" already exists.")
		}
		st.Roles[made.Name] = made
		return nil
	})
	return roleResult{newRoleXML(made)}, err
}

func checkDocument(document string) error {
	if !strings.HasPrefix(strings.TrimSpace(document), "{") || !json.Valid([]byte(document)) {
		return badRequest("MalformedPolicyDocument", "This policy contains invalid Json")
	}
	return nil
}

type roleResult struct {
	Role roleXML
}

type roleXML struct {
	Path            string
	Name            string       `xml:"RoleName"`
	ID              string       `xml:"RoleId"`
	ARN             string       `xml:"Arn"`
	CreatedAt       time.Time    `xml:"CreateDate"`
	Trust           string       `xml:"AssumeRolePolicyDocument"`
	Description     string       `xml:",omitempty"`
	SessionDuration string       `xml:"MaxSessionDuration"`
	Boundary        *boundaryXML `xml:"PermissionsBoundary"`
	Tags            []queryTag   `xml:"Tags>member"`
}

type boundaryXML struct {
	Type string `xml:"PermissionsBoundaryType"`
	ARN  string `xml:"PermissionsBoundaryArn"`
}

func newRoleXML(r *role) roleXML {
	answer := roleXML{
		Path: r.Path, Name: r.Name, ID: r.ID, ARN: r.arn(), CreatedAt: r.CreatedAt, Trust: escapeDocument(r.Trust), Description: r.Description,
		SessionDuration: r.SessionDuration, Tags: queryTagList(r.Tags),
	}
	if r.Boundary != "" {
		answer.Boundary = &boundaryXML{"Policy", r.Boundary}
	}
	return answer
}

// escapeDocument writes a policy as IAM has them in its answers: escaped as in a URL, as RFC 3986 says.
func escapeDocument(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

func (i iam) getRole(c *call) (any, error) {
	var result roleResult
	err := i.readRole(c, func(r *role) error {
		result.Role = newRoleXML(r)
		return nil
	})
	return result, err
}

func (i iam) updateRole(c *call) (any, error) {
	return i.changeRole(c, func(r *role) error {
		if c.Form.Has("Description") {
			r.Description = c.Form.Get("Description")
		}
		if c.Form.Has("MaxSessionDuration") {
			r.SessionDuration = c.Form.Get("MaxSessionDuration")
		}
		return nil
	})
}

func (i iam) updateTrust(c *call) (any, error) {
	return i.changeRole(c, func(r *role) error {
		if err := checkDocument(c.Form.Get("PolicyDocument")); err != nil {
			return err
		}
		r.Trust = c.Form.Get("PolicyDocument")
		return nil
	})
}

func (i iam) putBoundary(c *call) (any, error) {
	return i.changeRole(c, func(r *role) error {
		r.Boundary = c.Form.Get("PermissionsBoundary")
		return nil
	})
}

func (i iam) deleteBoundary(c *call) (any, error) {
	return i.changeRole(c, func(r *role) error {
		r.Boundary = ""
		return nil
	})
}

func (i iam) deleteRole(c *call) (any, error) {
	return struct{}{}, i.store.write(func(st *state) error {
		r, err := st.role(c.Form.Get("RoleName"))
		switch {
		case err != nil:
			return err
		case len(r.Policies) > 0:
			return conflict("DeleteConflict", "Cannot delete entity, must delete policies first.")
		case len(r.Attached) > 0:
			return conflict("DeleteConflict", "Cannot delete entity, must detach all policies first.")
		}
		delete(st.Roles, r.Name)
		return nil
	})
}

func (i iam) tagRole(c *call) (any, error) {
	return i.changeRole(c, func(r *role) error {
		maps.Copy(r.Tags, tagParams(c.Form, "Tags.member"))
		return nil
	})
}

func (i iam) untagRole(c *call) (any, error) {
	return i.changeRole(c, func(r *role) error {
		for _, key := range listParam(c.Form, "TagKeys.member") {
			delete(r.Tags, key)
		}
		return nil
	})
}

func (i iam) listRoleTags(c *call) (any, error) {
	var result struct {
		IsTruncated bool
		Tags        []queryTag `xml:"Tags>member"`
	}
	err := i.readRole(c, func(r *role) error {
		result.Tags = queryTagList(r.Tags)
		return nil
	})
	return result, err
}

// listInstanceProfiles answers what is asked before a role is deleted: no instance profile has it, as there are none.
func (i iam) listInstanceProfiles(c *call) (any, error) {
	return struct {
		IsTruncated      bool
		InstanceProfiles struct{}
	}{}, i.readRole(c, func(*role) error { return nil })
}

// iamResources lists roles, with their inline policies and the attachments of managed ones, and identity providers.
func iamResources(st *state) []resource {
	var list []resource
	for _, arn := range slices.Sorted(maps.Keys(st.OIDCProviders)) {
		list = append(list, newResource("iam", "oidc-provider", arn, maps.Clone(st.OIDCProviders[arn].Tags)))
	}
	for _, name := range slices.Sorted(maps.Keys(st.Roles)) {
		r := st.Roles[name]
		list = append(list, newResource("iam", "role", name, maps.Clone(r.Tags)))
		for _, policy := range slices.Sorted(maps.Keys(r.Policies)) {
			list = append(list, newResource("iam", "role-policy", name+":"+policy, nil))
		}
		for _, policy := range r.Attached {
			list = append(list, newResource("iam", "role-policy-attachment", name+":"+policy, nil))
		}
	}
	return list
}
