package main

import (
	"maps"
	"slices"
	"strings"
)

func (i iam) putPolicy(c *call) (any, error) {
	return i.changeRole(c, func(r *role) error {
		if err := checkDocument(c.Form.Get("PolicyDocument")); err != nil {
			return err
		}
		r.Policies[c.Form.Get("PolicyName")] = c.Form.Get("PolicyDocument")
		return nil
	})
}

func (i iam) getPolicy(c *call) (any, error) {
	result := struct{ RoleName, PolicyName, PolicyDocument string }{RoleName: c.Form.Get("RoleName"), PolicyName: c.Form.Get("PolicyName")}
	err := i.readRole(c, func(r *role) error {
		document, ok := r.Policies[result.PolicyName]
		if !ok {
			return noSuchPolicy(result.PolicyName)
		}
		result.PolicyDocument = escapeDocument(document)
		return nil
	})
	return result, err
}

func (i iam) deletePolicy(c *call) (any, error) {
	return i.changeRole(c, func(r *role) error {
		name := c.Form.Get("PolicyName")
		if _, ok := r.Policies[name]; !ok {
			return noSuchPolicy(name)
		}
		delete(r.Policies, name)
		return nil
	})
}

func noSuchPolicy(name string) error {
	return notFound("NoSuchEntity", "The role policy with name %s cannot be found.", name)
}

func (i iam) listPolicies(c *call) (any, error) {
	var result struct {
		IsTruncated bool
		Names       []string `xml:"PolicyNames>member"`
	}
	err := i.readRole(c, func(r *role) error {
		result.Names = slices.Sorted(maps.Keys(r.Policies))
		return nil
	})
	return result, err
}

// attachPolicy takes every name for one of AWS's own policies, and knows no policies of the account.
func (i iam) attachPolicy(c *call) (any, error) {
	return i.changeRole(c, func(r *role) error {
		arn := c.Form.Get("PolicyArn")
		if !strings.HasPrefix(arn, "arn:aws:iam::aws:policy/") {
			return notFound("NoSuchEntity", "Policy %s does not exist or is not attachable: awsemu has AWS's own managed policies only.", arn)
		}
		if !slices.Contains(r.Attached, arn) {
			r.Attached = append(r.Attached, arn)
			slices.Sort(r.Attached)
		}
		return nil
	})
}

func (i iam) detachPolicy(c *call) (any, error) {
	return i.changeRole(c, func(r *role) error {
		arn := c.Form.Get("PolicyArn")
		at := slices.Index(r.Attached, arn)
		if at < 0 {
			return notFound("NoSuchEntity", "Policy %s was not found.", arn)
		}
		r.Attached = slices.Delete(r.Attached, at, at+1)
		return nil
	})
}

type attachedXML struct {
	Name string `xml:"PolicyName"`
	ARN  string `xml:"PolicyArn"`
}

func (i iam) listAttached(c *call) (any, error) {
	var result struct {
		IsTruncated bool
		Attached    []attachedXML `xml:"AttachedPolicies>member"`
	}
	err := i.readRole(c, func(r *role) error {
		for _, arn := range r.Attached {
			result.Attached = append(result.Attached, attachedXML{arn[strings.LastIndex(arn, "/")+1:], arn})
		}
		return nil
	})
	return result, err
}
