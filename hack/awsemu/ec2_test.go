package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newGroup makes a security group and returns its id.
func newGroup(t *testing.T, c *testClient, name string) string {
	t.Helper()
	return c.mustQuery("ec2", "CreateSecurityGroup", "GroupName", name, "GroupDescription", "d", "VpcId", defaultVPCID).element(t, "groupId")
}

// https is an ingress rule for a network, as parameters.
func https(group, cidr string) []string {
	return []string{
		"GroupId", group, "IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", "443", "IpPermissions.1.ToPort", "443",
		"IpPermissions.1.IpRanges.1.CidrIp", cidr, "IpPermissions.1.IpRanges.1.Description", "https",
	}
}

func TestEC2_describeSecurityGroups(t *testing.T) {
	c := newTestClient(t)
	group := newGroup(t, c, "web")
	c.mustQuery("ec2", "AuthorizeSecurityGroupIngress", https(group, "10.0.0.0/8")...)
	c.mustQuery("ec2", "AuthorizeSecurityGroupIngress", https(group, "10.1.0.0/16")...)
	c.mustQuery("ec2", "AuthorizeSecurityGroupIngress",
		"GroupId", group, "IpPermissions.1.IpProtocol", "-1", "IpPermissions.1.Groups.1.GroupId", group, "IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "::/0")

	body := c.mustQuery("ec2", "DescribeSecurityGroups", "GroupId.1", group).body
	// Rules with the same ports are one entry; a rule for all protocols has no ports; every new group lets everything out.
	want := `<ipPermissions>` +
		`<item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort><groups></groups>` +
		`<ipRanges><item><cidrIp>10.0.0.0/8</cidrIp><description>https</description></item>` +
		`<item><cidrIp>10.1.0.0/16</cidrIp><description>https</description></item></ipRanges><ipv6Ranges></ipv6Ranges><prefixListIds></prefixListIds></item>` +
		`<item><ipProtocol>-1</ipProtocol><groups><item><userId>123456789012</userId><groupId>` + group + `</groupId></item></groups>` +
		`<ipRanges></ipRanges><ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges><prefixListIds></prefixListIds></item>` +
		`</ipPermissions><ipPermissionsEgress>` +
		`<item><ipProtocol>-1</ipProtocol><groups></groups><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges><ipv6Ranges></ipv6Ranges>` +
		`<prefixListIds></prefixListIds></item></ipPermissionsEgress>`
	if !strings.Contains(body, want) {
		t.Errorf("got\n%s\nwant in it\n%s", body, want)
	}
}

func TestEC2_filters(t *testing.T) {
	c := newTestClient(t)
	web, db := newGroup(t, c, "web"), newGroup(t, c, "db")
	c.mustQuery("ec2", "CreateTags", "ResourceId.1", web, "Tag.1.Key", "team", "Tag.1.Value", "shop")
	cases := map[string]struct {
		params   []string
		want     []string
		wantCode string
	}{
		"By name.":                       {[]string{"Filter.1.Name", "group-name", "Filter.1.Value.1", "web"}, []string{"web"}, ""},
		"By one of several values.":      {[]string{"Filter.1.Name", "group-id", "Filter.1.Value.1", web, "Filter.1.Value.2", db}, []string{"db", "web"}, ""},
		"By a tag's value.":              {[]string{"Filter.1.Name", "tag:team", "Filter.1.Value.1", "shop"}, []string{"web"}, ""},
		"By a tag's key.":                {[]string{"Filter.1.Name", "tag-key", "Filter.1.Value.1", "team"}, []string{"web"}, ""},
		"All filters have to match.":     {[]string{"Filter.1.Name", "group-name", "Filter.1.Value.1", "db", "Filter.2.Name", "tag-key", "Filter.2.Value.1", "team"}, []string{}, ""},
		"The default group is there.":    {[]string{"Filter.1.Name", "group-name", "Filter.1.Value.1", "default"}, []string{"default"}, ""},
		"A filter that is not known.":    {[]string{"Filter.1.Name", "ip-permission.cidr", "Filter.1.Value.1", "x"}, []string{}, "InvalidParameterValue"},
		"An id that does not exist.":     {[]string{"GroupId.1", "sg-1"}, []string{}, "InvalidGroup.NotFound"},
		"Another VPC than the only one.": {[]string{"Filter.1.Name", "vpc-id", "Filter.1.Value.1", "vpc-1"}, []string{}, ""},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got := c.query("ec2", "DescribeSecurityGroups", test.params...)
			names := got.elements("groupName")
			if len(names) == 2 && names[0] > names[1] { // sorted by their random ids
				names[0], names[1] = names[1], names[0]
			}
			if diff := cmp.Diff(test.want, names); diff != "" || got.code() != test.wantCode {
				t.Errorf("code %q, want %q\n%s", got.code(), test.wantCode, diff)
			}
		})
	}
}

func TestEC2_securityGroupRules(t *testing.T) {
	type step struct {
		action string
		params []string
		code   string
	}
	c := newTestClient(t)
	group, other := newGroup(t, c, "web"), newGroup(t, c, "other")
	rule := c.mustQuery("ec2", "AuthorizeSecurityGroupIngress", append(https(group, "10.0.0.0/8"),
		"TagSpecification.1.ResourceType", "security-group-rule", "TagSpecification.1.Tag.1.Key", "team", "TagSpecification.1.Tag.1.Value", "shop")...,
	).element(t, "securityGroupRuleId")
	modify := func(id, cidr string) []string {
		return []string{
			"GroupId", group, "SecurityGroupRule.1.SecurityGroupRuleId", id, "SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "6",
			"SecurityGroupRule.1.SecurityGroupRule.FromPort", "443", "SecurityGroupRule.1.SecurityGroupRule.ToPort", "443",
			"SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", cidr,
		}
	}
	steps := []step{
		{"AuthorizeSecurityGroupIngress", https(group, "10.0.0.0/8"), "InvalidPermission.Duplicate"},
		{"AuthorizeSecurityGroupEgress", https(group, "10.0.0.0/8"), ""},
		{"AuthorizeSecurityGroupIngress", []string{"GroupId", group, "IpPermissions.1.IpProtocol", "-1", "IpPermissions.1.Groups.1.GroupId", "sg-1"}, "InvalidGroup.NotFound"},
		{"AuthorizeSecurityGroupIngress", []string{
			"GroupId", group, "IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", "2", "IpPermissions.1.ToPort", "1", "IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/8",
		}, "InvalidParameterValue"},
		{"ModifySecurityGroupRules", modify("sgr-1", "10.1.0.0/16"), "InvalidSecurityGroupRuleId.NotFound"},
		{"ModifySecurityGroupRules", modify(rule, "10.1.0.0/16"), ""},
		{"AuthorizeSecurityGroupIngress", https(group, "10.1.0.0/16"), "InvalidPermission.Duplicate"}, // tcp is protocol 6
		{"RevokeSecurityGroupIngress", https(group, "10.0.0.0/8"), "InvalidPermission.NotFound"},
		{"RevokeSecurityGroupEgress", []string{"GroupId", group, "SecurityGroupRuleId.1", rule}, "InvalidSecurityGroupRuleId.NotFound"}, // an ingress rule
		{"RevokeSecurityGroupIngress", []string{"GroupId", group, "SecurityGroupRuleId.1", rule}, ""},
		{"DescribeSecurityGroupRules", []string{"SecurityGroupRuleId.1", rule}, "InvalidSecurityGroupRuleId.NotFound"},
		{"AuthorizeSecurityGroupIngress", []string{"GroupId", other, "IpPermissions.1.IpProtocol", "-1", "IpPermissions.1.Groups.1.GroupId", group}, ""},
		{"DeleteSecurityGroup", []string{"GroupId", group}, "DependencyViolation"}, // the other one's rule refers to it
		{"DeleteSecurityGroup", []string{"GroupId", other}, ""},
		{"DeleteSecurityGroup", []string{"GroupId", group}, ""},
		{"DeleteSecurityGroup", []string{"GroupId", group}, "InvalidGroup.NotFound"},
		{"DeleteSecurityGroup", []string{"GroupId", defaultSecurityGroupID}, "CannotDelete"},
	}
	if got := c.mustQuery("ec2", "DescribeSecurityGroupRules", "Filter.1.Name", "tag:team", "Filter.1.Value.1", "shop").element(t, "securityGroupRuleId"); got != rule {
		t.Errorf("found rule %s by its tag, want %s", got, rule)
	}
	for i, s := range steps {
		if got := c.query("ec2", s.action, s.params...); got.code() != s.code {
			t.Fatalf("step %d, %s: got code %q, want %q\n%s", i, s.action, got.code(), s.code, got.body)
		}
	}
	if got := c.do("", "GET", "/_emu/resources", "").body; got != "[]\n" {
		t.Errorf("left over: %s", got)
	}
}

func TestEC2_createSecurityGroup(t *testing.T) {
	c := newTestClient(t)
	newGroup(t, c, "web")
	if got := c.query("ec2", "CreateSecurityGroup", "GroupName", "web", "VpcId", defaultVPCID).code(); got != "InvalidGroup.Duplicate" {
		t.Errorf("a second group with the name: code %q", got)
	}
	if got := c.query("ec2", "CreateSecurityGroup", "GroupName", "db", "VpcId", "vpc-1").code(); got != "InvalidVpcID.NotFound" {
		t.Errorf("a group in another VPC: code %q", got)
	}
}

func TestEC2_tags(t *testing.T) {
	c := newTestClient(t)
	group := newGroup(t, c, "web")
	c.mustQuery("ec2", "CreateTags", "ResourceId.1", group, "ResourceId.2", defaultVPCID, "Tag.1.Key", "a", "Tag.1.Value", "1", "Tag.2.Key", "b", "Tag.2.Value", "2")
	c.mustQuery("ec2", "DeleteTags", "ResourceId.1", group, "Tag.1.Key", "a", "Tag.2.Key", "b", "Tag.2.Value", "another")
	if diff := cmp.Diff([]string{"b"}, c.mustQuery("ec2", "DescribeSecurityGroups", "GroupId.1", group).elements("key")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, c.mustQuery("ec2", "DescribeVpcs").elements("key")); diff != "" {
		t.Error(diff)
	}
	if got := c.query("ec2", "CreateTags", "ResourceId.1", "i-1", "Tag.1.Key", "a").code(); got != "InvalidID" {
		t.Errorf("tags of nothing: code %q", got)
	}
}

func TestEC2_defaultVPC(t *testing.T) {
	c := newTestClient(t)
	cases := map[string]struct {
		action  string
		params  []string
		element string
		want    []string
	}{
		"The default VPC is found as such.": {"DescribeVpcs", []string{"Filter.1.Name", "isDefault", "Filter.1.Value.1", "true"}, "vpcId", []string{defaultVPCID}},
		"There is no other.":                {"DescribeVpcs", []string{"Filter.1.Name", "isDefault", "Filter.1.Value.1", "false"}, "vpcId", []string{}},
		"It has a subnet in each zone.": {
			"DescribeSubnets", []string{"Filter.1.Name", "vpc-id", "Filter.1.Value.1", defaultVPCID}, "availabilityZone", []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"},
		},
		"A subnet is found by its zone.": {
			"DescribeSubnets", []string{"Filter.1.Name", "availability-zone", "Filter.1.Value.1", "eu-central-1b"}, "subnetId", []string{"subnet-0d5e6f00000000002"},
		},
		"A subnet is found by its id.": {"DescribeSubnets", []string{"SubnetId.1", "subnet-0d5e6f00000000003"}, "cidrBlock", []string{"172.31.32.0/20"}},
		"A subnet that is not there.":  {"DescribeSubnets", []string{"SubnetId.1", "subnet-1"}, "Code", []string{"InvalidSubnetID.NotFound"}},
		"The zones are those of the request's region.": {
			"DescribeAvailabilityZones", []string{"Filter.1.Name", "state", "Filter.1.Value.1", "available"}, "zoneName", []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"},
		},
		"It has a main route table.":       {"DescribeRouteTables", []string{"Filter.1.Name", "association.main", "Filter.1.Value.1", "true"}, "main", []string{"true"}},
		"It resolves names.":               {"DescribeVpcAttribute", []string{"VpcId", defaultVPCID, "Attribute", "enableDnsSupport"}, "value", []string{"true"}},
		"An attribute that VPCs have not.": {"DescribeVpcAttribute", []string{"VpcId", defaultVPCID, "Attribute", "color"}, "Code", []string{"InvalidParameterValue"}},
		"An attribute of a VPC not there.": {"DescribeVpcAttribute", []string{"VpcId", "vpc-1", "Attribute", "enableDnsSupport"}, "Code", []string{"InvalidVpcID.NotFound"}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got := c.query("ec2", test.action, test.params...)
			if diff := cmp.Diff(test.want, got.elements(test.element)); diff != "" {
				t.Errorf("%s\n%s", diff, got.body)
			}
		})
	}
}
