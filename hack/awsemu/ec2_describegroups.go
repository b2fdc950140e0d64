package main

import (
	"slices"
)

// This file holds how EC2 shows security groups: DescribeSecurityGroups groups the rules by protocol and ports,
// DescribeSecurityGroupRules has one entry for each.

type securityGroupXML struct {
	OwnerID     string          `xml:"ownerId"`
	GroupID     string          `xml:"groupId"`
	ARN         string          `xml:"securityGroupArn"`
	Name        string          `xml:"groupName"`
	Description string          `xml:"groupDescription"`
	VPCID       string          `xml:"vpcId"`
	Ingress     []permissionXML `xml:"ipPermissions>item"`
	Egress      []permissionXML `xml:"ipPermissionsEgress>item"`
	Tags        []ec2Tag        `xml:"tagSet>item"`
}

type permissionXML struct {
	Protocol    string          `xml:"ipProtocol"`
	FromPort    *int            `xml:"fromPort"`
	ToPort      *int            `xml:"toPort"`
	Groups      []groupPeerXML  `xml:"groups>item"`
	IPRanges    []ipv4PeerXML   `xml:"ipRanges>item"`
	IPv6Ranges  []ipv6PeerXML   `xml:"ipv6Ranges>item"`
	PrefixLists []prefixPeerXML `xml:"prefixListIds>item"`
}

type groupPeerXML struct {
	UserID      string `xml:"userId"`
	GroupID     string `xml:"groupId"`
	Description string `xml:"description,omitempty"`
}

type ipv4PeerXML struct {
	CIDR        string `xml:"cidrIp"`
	Description string `xml:"description,omitempty"`
}

type ipv6PeerXML struct {
	CIDR        string `xml:"cidrIpv6"`
	Description string `xml:"description,omitempty"`
}

type prefixPeerXML struct {
	ID          string `xml:"prefixListId"`
	Description string `xml:"description,omitempty"`
}

func (e ec2) describeSecurityGroups(c *call) (any, error) {
	var result struct {
		Groups []securityGroupXML `xml:"securityGroupInfo>item"`
	}
	ids := listParam(c.Form, "GroupId")
	err := e.store.read(func(st *state) error {
		for _, id := range ids {
			if _, err := st.group(id); err != nil {
				return err
			}
		}
		for _, group := range st.sortedGroups() {
			ok, err := matches(c.Form, attributes{
				"description": group.Description, "group-id": group.ID, "group-name": group.Name, "owner-id": account, "vpc-id": defaultVPCID,
			}, st.EC2Tags[group.ID])
			if err != nil {
				return err
			}
			if ok && (len(ids) == 0 || slices.Contains(ids, group.ID)) {
				result.Groups = append(result.Groups, securityGroupXML{
					OwnerID: account, GroupID: group.ID, ARN: ec2ARN(c.region, "security-group", group.ID), Name: group.Name, Description: group.Description,
					VPCID: defaultVPCID, Ingress: group.permissions(ingress), Egress: group.permissions(egress), Tags: ec2TagSet(st.EC2Tags[group.ID]),
				})
			}
		}
		return nil
	})
	return result, err
}

// permissions returns the rules of one direction, those with the same protocol and ports in one entry.
func (g *securityGroup) permissions(direction bool) []permissionXML {
	type key struct {
		protocol string
		from, to int
	}
	var list []permissionXML
	index := map[key]int{}
	for _, rule := range g.Rules {
		if rule.Egress != direction {
			continue
		}
		k := key{rule.Protocol, rule.FromPort, rule.ToPort}
		if _, ok := index[k]; !ok {
			index[k] = len(list)
			entry := permissionXML{Protocol: rule.Protocol}
			if rule.Protocol != "-1" {
				entry.FromPort, entry.ToPort = &k.from, &k.to
			}
			list = append(list, entry)
		}
		entry := &list[index[k]]
		switch {
		case rule.CIDRv4 != "":
			entry.IPRanges = append(entry.IPRanges, ipv4PeerXML{rule.CIDRv4, rule.Description})
		case rule.CIDRv6 != "":
			entry.IPv6Ranges = append(entry.IPv6Ranges, ipv6PeerXML{rule.CIDRv6, rule.Description})
		case rule.PrefixListID != "":
			entry.PrefixLists = append(entry.PrefixLists, prefixPeerXML{rule.PrefixListID, rule.Description})
		default:
			entry.Groups = append(entry.Groups, groupPeerXML{account, rule.GroupID, rule.Description})
		}
	}
	return list
}

// securityGroupRuleSet is the list of rules in the answers of several actions.
type securityGroupRuleSet struct {
	Rules []securityGroupRuleXML `xml:"securityGroupRuleSet>item"`
}

type securityGroupRuleXML struct {
	ID           string   `xml:"securityGroupRuleId"`
	ARN          string   `xml:"securityGroupRuleArn"`
	GroupID      string   `xml:"groupId"`
	GroupOwner   string   `xml:"groupOwnerId"`
	Egress       bool     `xml:"isEgress"`
	Protocol     string   `xml:"ipProtocol"`
	FromPort     int      `xml:"fromPort"`
	ToPort       int      `xml:"toPort"`
	CIDRv4       string   `xml:"cidrIpv4,omitempty"`
	CIDRv6       string   `xml:"cidrIpv6,omitempty"`
	PrefixListID string   `xml:"prefixListId,omitempty"`
	Peer         *peerXML `xml:"referencedGroupInfo"`
	Description  string   `xml:"description,omitempty"`
	Tags         []ec2Tag `xml:"tagSet>item"`
}

type peerXML struct {
	GroupID string `xml:"groupId"`
	UserID  string `xml:"userId"`
	VPCID   string `xml:"vpcId"`
}

func (s *securityGroupRuleSet) add(st *state, region string, group *securityGroup, rule *securityGroupRule) {
	entry := securityGroupRuleXML{
		ID: rule.ID, ARN: ec2ARN(region, "security-group-rule", rule.ID), GroupID: group.ID, GroupOwner: account, Egress: rule.Egress,
		Protocol: rule.Protocol, FromPort: rule.FromPort, ToPort: rule.ToPort, CIDRv4: rule.CIDRv4, CIDRv6: rule.CIDRv6,
		PrefixListID: rule.PrefixListID, Description: rule.Description, Tags: ec2TagSet(st.EC2Tags[rule.ID]),
	}
	if rule.GroupID != "" {
		entry.Peer = &peerXML{rule.GroupID, account, defaultVPCID}
	}
	s.Rules = append(s.Rules, entry)
}

func (e ec2) describeSecurityGroupRules(c *call) (any, error) {
	var result securityGroupRuleSet
	ids := listParam(c.Form, "SecurityGroupRuleId")
	err := e.store.read(func(st *state) error {
		for _, id := range ids {
			if st.rule(id) == nil {
				return badRequest("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
			}
		}
		for _, group := range st.sortedGroups() {
			for _, rule := range group.Rules {
				ok, err := matches(c.Form, attributes{"group-id": group.ID, "security-group-rule-id": rule.ID}, st.EC2Tags[rule.ID])
				if err != nil {
					return err
				}
				if ok && (len(ids) == 0 || slices.Contains(ids, rule.ID)) {
					result.add(st, c.region, group, rule)
				}
			}
		}
		return nil
	})
	return result, err
}
