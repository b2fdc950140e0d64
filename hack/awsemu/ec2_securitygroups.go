package main

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// securityGroup is a group in the default VPC.
type securityGroup struct {
	ID          string
	Name        string
	Description string
	Rules       []*securityGroupRule // in the order of their creation
}

// Directions of a rule, as the EC2 API's isEgress has them.
const (
	ingress = false
	egress  = true
)

// securityGroupRule allows one peer, in one direction. Exactly one of the four peers is set.
type securityGroupRule struct {
	ID          string
	Description string
	permission
}

// permission is what makes a rule unique in its group.
type permission struct {
	Egress       bool
	Protocol     string // a name, a number, or -1 for all
	FromPort     int    // -1 for all
	ToPort       int
	CIDRv4       string
	CIDRv6       string
	PrefixListID string
	GroupID      string // the peer's security group
}

// newDefaultSecurityGroup is the VPC's own group, which RDS instances without a group belong to.
func newDefaultSecurityGroup() *securityGroup {
	return &securityGroup{
		ID: defaultSecurityGroupID, Name: "default", Description: "default VPC security group",
		Rules: []*securityGroupRule{
			{ID: "sgr-0d5e6f00000000001", permission: permission{Egress: ingress, Protocol: "-1", FromPort: -1, ToPort: -1, GroupID: defaultSecurityGroupID}},
			{ID: "sgr-0d5e6f00000000002", permission: allEgress()},
		},
	}
}

func newRule(p permission, description string) *securityGroupRule {
	return &securityGroupRule{ID: "sgr-" + randomHex(17), Description: description, permission: p}
}

// allEgress is the rule that EC2 gives to every new group.
func allEgress() permission {
	return permission{Egress: egress, Protocol: "-1", FromPort: -1, ToPort: -1, CIDRv4: "0.0.0.0/0"}
}

// rule returns the rule with this id, nil when there is none.
func (s *state) rule(id string) *securityGroupRule {
	for _, group := range s.SecurityGroups {
		for _, rule := range group.Rules {
			if rule.ID == id {
				return rule
			}
		}
	}
	return nil
}

func (s *state) group(id string) (*securityGroup, error) {
	if group := s.SecurityGroups[id]; group != nil {
		return group, nil
	}
	return nil, badRequest("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
}

func (e ec2) createSecurityGroup(c *call) (any, error) {
	vpc := c.Form.Get("VpcId")
	if vpc == "" {
		vpc = defaultVPCID
	}
	if err := onlyDefaultVPC(vpc); err != nil {
		return nil, err
	}
	group := &securityGroup{
		ID: "sg-" + randomHex(17), Name: c.Form.Get("GroupName"), Description: c.Form.Get("GroupDescription"),
		Rules: []*securityGroupRule{newRule(allEgress(), "")},
	}
	given := newResourceTags(c.Form, "security-group")
	err := e.store.write(func(st *state) error {
		for _, other := range st.SecurityGroups {
			if other.Name == group.Name {
				return badRequest("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", group.Name, vpc)
			}
		}
		st.SecurityGroups[group.ID] = group
		st.addEC2Tags(group.ID, given)
		return nil
	})
	return struct {
		done
		GroupID string   `xml:"groupId"`
		ARN     string   `xml:"securityGroupArn"`
		Tags    []ec2Tag `xml:"tagSet>item"`
	}{done{true}, group.ID, ec2ARN(c.region, "security-group", group.ID), ec2TagSet(given)}, err
}

func (e ec2) deleteSecurityGroup(c *call) (any, error) {
	id := c.Form.Get("GroupId")
	return done{true}, e.store.write(func(st *state) error {
		group, err := st.group(id)
		if err != nil {
			return err
		}
		if id == defaultSecurityGroupID {
			return badRequest("CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", id)
		}
		if st.groupInUse(id) {
			return badRequest("DependencyViolation", "resource %s has a dependent object", id)
		}
		for _, rule := range group.Rules {
			delete(st.EC2Tags, rule.ID)
		}
		delete(st.EC2Tags, id)
		delete(st.SecurityGroups, id)
		return nil
	})
}

// groupInUse tells whether an RDS instance or another group's rule still names the group.
func (s *state) groupInUse(id string) bool {
	for _, instance := range s.DBInstances {
		if slices.Contains(instance.SecurityGroupIDs, id) {
			return true
		}
	}
	for _, group := range s.SecurityGroups {
		if group.ID != id && slices.ContainsFunc(group.Rules, func(r *securityGroupRule) bool { return r.GroupID == id }) {
			return true
		}
	}
	return false
}

// authorize returns the action that adds rules of one direction.
func (e ec2) authorize(direction bool) queryAction {
	return func(c *call) (any, error) {
		wanted, err := permissionParams(c.Form, direction)
		if err != nil {
			return nil, err
		}
		given := newResourceTags(c.Form, "security-group-rule")
		var result securityGroupRuleSet
		err = e.store.write(func(st *state) error {
			group, err := st.group(c.Form.Get("GroupId"))
			if err != nil {
				return err
			}
			for _, rule := range wanted {
				if rule.GroupID != "" && st.SecurityGroups[rule.GroupID] == nil {
					return badRequest("InvalidGroup.NotFound", "The security group '%s' does not exist", rule.GroupID)
				}
				if group.find(rule.permission) != nil {
					return badRequest("InvalidPermission.Duplicate", "the specified rule \"peer: %s, %s, from port: %d, to port: %d, ALLOW\" already exists",
						rule.peer(), rule.Protocol, rule.FromPort, rule.ToPort)
				}
			}
			for _, rule := range wanted {
				group.Rules = append(group.Rules, rule)
				st.addEC2Tags(rule.ID, given)
				result.add(st, c.region, group, rule)
			}
			return nil
		})
		return struct {
			done
			securityGroupRuleSet
		}{done{true}, result}, err
	}
}

// revoke returns the action that removes rules of one direction, which the caller names by id or describes.
func (e ec2) revoke(direction bool) queryAction {
	return func(c *call) (any, error) {
		wanted, err := permissionParams(c.Form, direction)
		if err != nil {
			return nil, err
		}
		return done{true}, e.store.write(func(st *state) error {
			group, err := st.group(c.Form.Get("GroupId"))
			if err != nil {
				return err
			}
			var revoked []*securityGroupRule
			for _, id := range listParam(c.Form, "SecurityGroupRuleId") {
				rule := st.rule(id)
				if rule == nil || rule.Egress != direction || !slices.Contains(group.Rules, rule) {
					return badRequest("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
				}
				revoked = append(revoked, rule)
			}
			for _, w := range wanted {
				rule := group.find(w.permission)
				if rule == nil {
					return badRequest("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
				}
				revoked = append(revoked, rule)
			}
			for _, rule := range revoked {
				delete(st.EC2Tags, rule.ID)
			}
			group.Rules = slices.DeleteFunc(group.Rules, func(r *securityGroupRule) bool { return slices.Contains(revoked, r) })
			return nil
		})
	}
}

func (e ec2) modifySecurityGroupRules(c *call) (any, error) {
	return done{true}, e.store.write(func(st *state) error {
		group, err := st.group(c.Form.Get("GroupId"))
		if err != nil {
			return err
		}
		changed := map[*securityGroupRule]*securityGroupRule{}
		for _, change := range structParams(c.Form, "SecurityGroupRule") {
			id := change.Get("SecurityGroupRuleId")
			rule := st.rule(id)
			if rule == nil || !slices.Contains(group.Rules, rule) {
				return badRequest("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
			}
			field := func(name string) string { return change.Get("SecurityGroupRule." + name) }
			next := permission{
				Egress: rule.Egress, Protocol: protocolName(field("IpProtocol")), CIDRv4: field("CidrIpv4"), CIDRv6: field("CidrIpv6"),
				PrefixListID: field("PrefixListId"), GroupID: field("ReferencedGroupId"),
			}
			if next.FromPort, next.ToPort, err = portRange(next.Protocol, field("FromPort"), field("ToPort")); err != nil {
				return err
			}
			if same := group.find(next); same != nil && same != rule {
				return badRequest("InvalidPermission.Duplicate", "the specified rule already exists as %s", same.ID)
			}
			changed[rule] = &securityGroupRule{ID: id, Description: field("Description"), permission: next}
		}
		for rule, next := range changed {
			*rule = *next
		}
		return nil
	})
}

func (g *securityGroup) find(p permission) *securityGroupRule {
	for _, rule := range g.Rules {
		if rule.permission == p {
			return rule
		}
	}
	return nil
}

func (p permission) peer() string {
	return p.CIDRv4 + p.CIDRv6 + p.PrefixListID + p.GroupID // only one of them is set
}

// permissionParams reads IpPermissions, where one entry lists several peers, as one rule for each peer.
func permissionParams(form url.Values, direction bool) ([]*securityGroupRule, error) {
	var rules []*securityGroupRule
	for _, entry := range structParams(form, "IpPermissions") {
		base := permission{Egress: direction, Protocol: protocolName(entry.Get("IpProtocol"))}
		var err error
		if base.FromPort, base.ToPort, err = portRange(base.Protocol, entry.Get("FromPort"), entry.Get("ToPort")); err != nil {
			return nil, err
		}
		add := func(list, field string, set func(*permission, string)) {
			for _, peer := range structParams(entry, list) {
				p := base
				set(&p, peer.Get(field))
				rules = append(rules, newRule(p, peer.Get("Description")))
			}
		}
		add("IpRanges", "CidrIp", func(p *permission, v string) { p.CIDRv4 = v })
		add("Ipv6Ranges", "CidrIpv6", func(p *permission, v string) { p.CIDRv6 = v })
		add("PrefixListIds", "PrefixListId", func(p *permission, v string) { p.PrefixListID = v })
		add("Groups", "GroupId", func(p *permission, v string) { p.GroupID = v })
	}
	return rules, nil
}

// protocolName gives the protocols that EC2 calls by name their name.
func protocolName(protocol string) string {
	names := map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
	if name, ok := names[protocol]; ok {
		return name
	}
	return protocol
}

// portRange reads the ports of a rule; a rule for all protocols has none.
func portRange(protocol, from, to string) (int, int, error) {
	if protocol == "-1" || (from == "" && to == "") {
		return -1, -1, nil
	}
	first, err := strconv.Atoi(from)
	if err != nil {
		return 0, 0, badRequest("InvalidParameterValue", "Invalid value '%s' for portRange.", from)
	}
	last, err := strconv.Atoi(to)
	if err != nil || ((protocol == "tcp" || protocol == "udp") && (first > last || first < 0 || last > 65535)) {
		return 0, 0, badRequest("InvalidParameterValue", "Invalid TCP range: from port %s, to port %s", from, to)
	}
	return first, last, nil
}

// securityGroups returns the groups sorted by id.
func (s *state) sortedGroups() []*securityGroup {
	var groups []*securityGroup
	for _, id := range slices.Sorted(maps.Keys(s.SecurityGroups)) {
		groups = append(groups, s.SecurityGroups[id])
	}
	return groups
}
