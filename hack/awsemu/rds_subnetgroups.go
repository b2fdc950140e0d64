package main

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// dbSubnetGroup is a choice of the default VPC's subnets.
type dbSubnetGroup struct {
	Name        string
	ARN         string
	Description string
	SubnetIDs   []string
}

// defaultSubnetGroup is the group of instances that name none: the whole default VPC.
func defaultSubnetGroup(region string) *dbSubnetGroup {
	group := &dbSubnetGroup{Name: "default", ARN: rdsARN(region, "subgrp", "default"), Description: "default"}
	for _, s := range defaultSubnets(region) {
		group.SubnetIDs = append(group.SubnetIDs, s.ID)
	}
	return group
}

func (r *rds) createSubnetGroup(c *call) (any, error) {
	name := strings.ToLower(c.Form.Get("DBSubnetGroupName"))
	group := &dbSubnetGroup{Name: name, ARN: rdsARN(c.region, "subgrp", name), Description: c.Form.Get("DBSubnetGroupDescription")}
	var err error
	if group.SubnetIDs, err = subnetParams(c.Form); err != nil {
		return nil, err
	}
	err = r.store.write(func(st *state) error {
		if st.DBSubnetGroups[name] != nil {
			return badRequest("DBSubnetGroupAlreadyExists", "The DB subnet group '%s' already exists.", name)
		}
		st.DBSubnetGroups[name] = group
		st.RDSTags[group.ARN] = tagParams(c.Form, "Tags.Tag")
		return nil
	})
	return subnetGroupResult{newSubnetGroupXML(group, c.region)}, err
}

func (r *rds) modifySubnetGroup(c *call) (any, error) {
	name := strings.ToLower(c.Form.Get("DBSubnetGroupName"))
	subnets, err := subnetParams(c.Form)
	if err != nil {
		return nil, err
	}
	var result subnetGroupResult
	err = r.store.write(func(st *state) error {
		group, err := st.subnetGroup(name)
		if err != nil {
			return err
		}
		group.SubnetIDs = subnets
		if c.Form.Has("DBSubnetGroupDescription") {
			group.Description = c.Form.Get("DBSubnetGroupDescription")
		}
		result.Group = newSubnetGroupXML(group, c.region)
		return nil
	})
	return result, err
}

func (r *rds) deleteSubnetGroup(c *call) (any, error) {
	name := strings.ToLower(c.Form.Get("DBSubnetGroupName"))
	return struct{}{}, r.store.write(func(st *state) error {
		group, err := st.subnetGroup(name)
		if err != nil {
			return err
		}
		for _, instance := range st.DBInstances {
			if instance.SubnetGroup == name {
				return badRequest("InvalidDBSubnetGroupStateFault", "Cannot delete the subnet group '%s' because at least one database instance: %s is still using it.",
					name, instance.ID)
			}
		}
		for _, cluster := range st.DBClusters {
			if cluster.SubnetGroup == name {
				return badRequest("InvalidDBSubnetGroupStateFault", "Cannot delete the subnet group '%s' because at least one database cluster: %s is still using it.",
					name, cluster.ID)
			}
		}
		delete(st.RDSTags, group.ARN)
		delete(st.DBSubnetGroups, name)
		return nil
	})
}

func (r *rds) describeSubnetGroups(c *call) (any, error) {
	name := strings.ToLower(c.Form.Get("DBSubnetGroupName"))
	var result struct {
		Groups []subnetGroupXML `xml:"DBSubnetGroups>DBSubnetGroup"`
	}
	err := r.store.read(func(st *state) error {
		if name != "" {
			group, err := st.subnetGroup(name)
			if err != nil {
				return err
			}
			result.Groups = []subnetGroupXML{newSubnetGroupXML(group, c.region)}
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(st.DBSubnetGroups)) {
			result.Groups = append(result.Groups, newSubnetGroupXML(st.DBSubnetGroups[name], c.region))
		}
		return nil
	})
	return result, err
}

func (s *state) subnetGroup(name string) (*dbSubnetGroup, error) {
	if group := s.DBSubnetGroups[name]; group != nil {
		return group, nil
	}
	return nil, notFound("DBSubnetGroupNotFoundFault", "DB subnet group '%s' not found.", name)
}

// subnetParams reads the group's subnets, which must be in two zones or more.
func subnetParams(form url.Values) ([]string, error) {
	ids := listParam(form, "SubnetIds.SubnetIdentifier")
	for _, id := range ids {
		if !slices.ContainsFunc(defaultSubnets(""), func(s subnet) bool { return s.ID == id }) {
			return nil, badRequest("InvalidSubnet", "The requested subnet %s does not exist", id)
		}
	}
	if len(ids) < 2 { // the default VPC has one subnet a zone
		return nil, badRequest("DBSubnetGroupDoesNotCoverEnoughAZs",
			"The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Add subnets to cover at least 2 AZs.")
	}
	return ids, nil
}

type subnetGroupResult struct {
	Group subnetGroupXML `xml:"DBSubnetGroup"`
}

type subnetGroupXML struct {
	Name         string      `xml:"DBSubnetGroupName"`
	ARN          string      `xml:"DBSubnetGroupArn"`
	Description  string      `xml:"DBSubnetGroupDescription"`
	Status       string      `xml:"SubnetGroupStatus"`
	VPCID        string      `xml:"VpcId"`
	NetworkTypes []string    `xml:"SupportedNetworkTypes>member"`
	Subnets      []subnetXML `xml:"Subnets>Subnet"`
}

type subnetXML struct {
	ID     string `xml:"SubnetIdentifier"`
	Status string `xml:"SubnetStatus"`
	Zone   string `xml:"SubnetAvailabilityZone>Name"`
}

func newSubnetGroupXML(group *dbSubnetGroup, region string) subnetGroupXML {
	answer := subnetGroupXML{
		Name: group.Name, ARN: group.ARN, Description: group.Description, Status: "Complete", VPCID: defaultVPCID, NetworkTypes: []string{"IPV4"},
	}
	for _, s := range defaultSubnets(region) {
		if slices.Contains(group.SubnetIDs, s.ID) {
			answer.Subnets = append(answer.Subnets, subnetXML{s.ID, "Active", s.Zone})
		}
	}
	return answer
}
