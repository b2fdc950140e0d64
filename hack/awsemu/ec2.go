package main

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// ec2 is as much of EC2 as security groups in the default VPC need.
type ec2 struct{ store *store }

func newEC2(store *store) *queryService {
	e := ec2{store}
	return &queryService{
		namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
		ec2:       true,
		table: map[string]queryAction{
			"AuthorizeSecurityGroupEgress":  e.authorize(egress),
			"AuthorizeSecurityGroupIngress": e.authorize(ingress),
			"CreateSecurityGroup":           e.createSecurityGroup,
			"CreateTags":                    e.createTags,
			"DeleteSecurityGroup":           e.deleteSecurityGroup,
			"DeleteTags":                    e.deleteTags,
			"DescribeAvailabilityZones":     e.describeAvailabilityZones,
			"DescribeNetworkInterfaces":     e.describeNetworkInterfaces,
			"DescribeRouteTables":           e.describeRouteTables,
			"DescribeSecurityGroupRules":    e.describeSecurityGroupRules,
			"DescribeSecurityGroups":        e.describeSecurityGroups,
			"DescribeSubnets":               e.describeSubnets,
			"DescribeVpcAttribute":          e.describeVPCAttribute,
			"DescribeVpcs":                  e.describeVPCs,
			"ModifySecurityGroupRules":      e.modifySecurityGroupRules,
			"RevokeSecurityGroupEgress":     e.revoke(egress),
			"RevokeSecurityGroupIngress":    e.revoke(ingress),
		},
	}
}

// done is the answer of actions that only tell that they succeeded.
type done struct {
	Return bool `xml:"return"`
}

func (e ec2) createTags(c *call) (any, error) {
	added := tagParams(c.Form, "Tag")
	return done{true}, e.store.write(func(st *state) error {
		for _, id := range listParam(c.Form, "ResourceId") {
			if !st.hasEC2Resource(id) {
				return badRequest("InvalidID", "The ID '%s' is not valid", id)
			}
		}
		for _, id := range listParam(c.Form, "ResourceId") {
			st.addEC2Tags(id, added)
		}
		return nil
	})
}

func (e ec2) deleteTags(c *call) (any, error) {
	return done{true}, e.store.write(func(st *state) error {
		for _, id := range listParam(c.Form, "ResourceId") {
			for _, tag := range structParams(c.Form, "Tag") {
				if !tag.Has("Value") || tag.Get("Value") == st.EC2Tags[id][tag.Get("Key")] {
					delete(st.EC2Tags[id], tag.Get("Key"))
				}
			}
		}
		return nil
	})
}

func (s *state) hasEC2Resource(id string) bool {
	return id == defaultVPCID || s.SecurityGroups[id] != nil || s.rule(id) != nil ||
		slices.ContainsFunc(defaultSubnets(""), func(sub subnet) bool { return sub.ID == id })
}

func (s *state) addEC2Tags(id string, added tags) {
	if s.EC2Tags[id] == nil {
		s.EC2Tags[id] = tags{}
	}
	maps.Copy(s.EC2Tags[id], added)
}

// newResourceTags returns the tags that a call gives to the resource that it creates.
func newResourceTags(form url.Values, resourceType string) tags {
	t := tags{}
	for _, spec := range structParams(form, "TagSpecification") {
		if spec.Get("ResourceType") == resourceType {
			maps.Copy(t, tagParams(spec, "Tag"))
		}
	}
	return t
}

type ec2Tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func ec2TagSet(t tags) []ec2Tag {
	set := []ec2Tag{}
	for _, key := range slices.Sorted(maps.Keys(t)) {
		set = append(set, ec2Tag{key, t[key]})
	}
	return set
}

// attributes are what the filters of a Describe call can ask about one resource, by filter name.
type attributes map[string]string

// matches tells whether a resource passes all the filters of a call. An unknown filter is an error: an answer that
// ignored it would be wrong without a trace.
func matches(form url.Values, attrs attributes, t tags) (bool, error) {
	for _, filter := range structParams(form, "Filter") {
		name := filter.Get("Name")
		wanted := listParam(filter, "Value")
		key, isTag := strings.CutPrefix(name, "tag:")
		value, known := attrs[name]
		switch {
		case isTag:
			value, known = t[key]
			if !known {
				return false, nil
			}
		case name == "tag-key":
			if !slices.ContainsFunc(wanted, func(key string) bool { _, ok := t[key]; return ok }) {
				return false, nil
			}
			continue
		case !known:
			return false, badRequest("InvalidParameterValue", "awsemu does not know the filter '%s' of this action", name)
		}
		if !slices.Contains(wanted, value) {
			return false, nil
		}
	}
	return true, nil
}

// ec2Resources lists the security groups and rules that were created, without the default group.
func ec2Resources(st *state) []resource {
	var list []resource
	for _, id := range slices.Sorted(maps.Keys(st.SecurityGroups)) {
		if id == defaultSecurityGroupID {
			continue
		}
		list = append(list, newResource("ec2", "security-group", id, st.EC2Tags[id]))
		for _, rule := range st.SecurityGroups[id].Rules {
			list = append(list, newResource("ec2", "security-group-rule", rule.ID, st.EC2Tags[rule.ID]))
		}
	}
	return list
}

func ec2ARN(region, resourceType, id string) string {
	return fmt.Sprintf("arn:aws:ec2:%s:%s:%s/%s", region, account, resourceType, id)
}
