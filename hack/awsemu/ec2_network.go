package main

import (
	"slices"
)

// The default VPC, which every account has in every region. Its ids are constants, so that nothing has to be stored for it.
const (
	defaultVPCID           = "vpc-0d5e6f00000000001"
	defaultRouteTableID    = "rtb-0d5e6f00000000001"
	defaultSecurityGroupID = "sg-0d5e6f00000000001"
	defaultVPCCIDR         = "172.31.0.0/16"
)

type subnet struct {
	ID                  string   `xml:"subnetId"`
	ARN                 string   `xml:"subnetArn"`
	State               string   `xml:"state"`
	VPCID               string   `xml:"vpcId"`
	OwnerID             string   `xml:"ownerId"`
	CIDR                string   `xml:"cidrBlock"`
	Addresses           int      `xml:"availableIpAddressCount"`
	Zone                string   `xml:"availabilityZone"`
	ZoneID              string   `xml:"availabilityZoneId"`
	DefaultForAZ        bool     `xml:"defaultForAz"`
	MapPublicIPOnLaunch bool     `xml:"mapPublicIpOnLaunch"`
	AssignIPv6          bool     `xml:"assignIpv6AddressOnCreation"`
	Tags                []ec2Tag `xml:"tagSet>item"`
}

// defaultSubnets returns the default VPC's subnets, one in each availability zone of the region.
func defaultSubnets(region string) []subnet {
	newSubnet := func(id, zone, zoneID, cidr string) subnet {
		return subnet{
			ID: id, ARN: ec2ARN(region, "subnet", id), State: "available", VPCID: defaultVPCID, OwnerID: account,
			CIDR: cidr, Addresses: 4091, Zone: region + zone, ZoneID: zoneID, DefaultForAZ: true, MapPublicIPOnLaunch: true,
		}
	}
	return []subnet{
		newSubnet("subnet-0d5e6f00000000001", "a", "az1", "172.31.0.0/20"),
		newSubnet("subnet-0d5e6f00000000002", "b", "az2", "172.31.16.0/20"),
		newSubnet("subnet-0d5e6f00000000003", "c", "az3", "172.31.32.0/20"),
	}
}

func (e ec2) describeSubnets(c *call) (any, error) {
	ids := listParam(c.Form, "SubnetId")
	all := defaultSubnets(c.region)
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(s subnet) bool { return s.ID == id }) {
			return nil, badRequest("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
		}
	}
	var found []subnet
	err := e.store.read(func(st *state) error {
		for _, s := range all {
			ok, err := matches(c.Form, attributes{
				"availability-zone": s.Zone, "availability-zone-id": s.ZoneID, "cidr-block": s.CIDR, "default-for-az": "true", "defaultForAz": "true",
				"map-public-ip-on-launch": "true", "owner-id": account, "state": s.State, "subnet-arn": s.ARN, "subnet-id": s.ID, "vpc-id": s.VPCID,
			}, st.EC2Tags[s.ID])
			if err != nil {
				return err
			}
			if ok && (len(ids) == 0 || slices.Contains(ids, s.ID)) {
				s.Tags = ec2TagSet(st.EC2Tags[s.ID])
				found = append(found, s)
			}
		}
		return nil
	})
	return struct {
		Subnets []subnet `xml:"subnetSet>item"`
	}{found}, err
}

func (e ec2) describeVPCs(c *call) (any, error) {
	type association struct {
		ID    string `xml:"associationId"`
		CIDR  string `xml:"cidrBlock"`
		State string `xml:"cidrBlockState>state"`
	}
	type vpc struct {
		ID           string        `xml:"vpcId"`
		OwnerID      string        `xml:"ownerId"`
		State        string        `xml:"state"`
		CIDR         string        `xml:"cidrBlock"`
		Associations []association `xml:"cidrBlockAssociationSet>item"`
		DHCPOptions  string        `xml:"dhcpOptionsId"`
		Tenancy      string        `xml:"instanceTenancy"`
		IsDefault    bool          `xml:"isDefault"`
		Tags         []ec2Tag      `xml:"tagSet>item"`
	}
	var result struct {
		VPCs []vpc `xml:"vpcSet>item"`
	}
	if err := onlyDefaultVPC(listParam(c.Form, "VpcId")...); err != nil {
		return nil, err
	}
	err := e.store.read(func(st *state) error {
		ok, err := matches(c.Form, attributes{
			"cidr": defaultVPCCIDR, "isDefault": "true", "is-default": "true", "owner-id": account, "state": "available", "vpc-id": defaultVPCID,
		}, st.EC2Tags[defaultVPCID])
		if !ok {
			return err
		}
		result.VPCs = []vpc{{
			ID: defaultVPCID, OwnerID: account, State: "available", CIDR: defaultVPCCIDR, DHCPOptions: "dopt-0d5e6f00000000001",
			Associations: []association{{"vpc-cidr-assoc-0d5e6f00000000001", defaultVPCCIDR, "associated"}},
			Tenancy:      "default", IsDefault: true, Tags: ec2TagSet(st.EC2Tags[defaultVPCID]),
		}}
		return nil
	})
	return result, err
}

func onlyDefaultVPC(ids ...string) error {
	for _, id := range ids {
		if id != defaultVPCID {
			return badRequest("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
		}
	}
	return nil
}

func (e ec2) describeVPCAttribute(c *call) (any, error) {
	type value struct {
		Value bool `xml:"value"`
	}
	type result struct {
		VPCID        string `xml:"vpcId"`
		DNSSupport   *value `xml:"enableDnsSupport"`
		DNSHostnames *value `xml:"enableDnsHostnames"`
		UsageMetrics *value `xml:"enableNetworkAddressUsageMetrics"`
	}
	if err := onlyDefaultVPC(c.Form.Get("VpcId")); err != nil {
		return nil, err
	}
	switch attribute := c.Form.Get("Attribute"); attribute {
	case "enableDnsSupport":
		return result{VPCID: defaultVPCID, DNSSupport: &value{true}}, nil
	case "enableDnsHostnames":
		return result{VPCID: defaultVPCID, DNSHostnames: &value{true}}, nil
	case "enableNetworkAddressUsageMetrics":
		return result{VPCID: defaultVPCID, UsageMetrics: &value{false}}, nil
	default:
		return nil, badRequest("InvalidParameterValue", "Value (%s) for parameter attribute is invalid", attribute)
	}
}

// describeRouteTables returns the default VPC's main route table, which the provider's aws_vpc data source reads.
func (e ec2) describeRouteTables(c *call) (any, error) {
	type association struct {
		ID    string `xml:"routeTableAssociationId"`
		Table string `xml:"routeTableId"`
		Main  bool   `xml:"main"`
		State string `xml:"associationState>state"`
	}
	type routeTable struct {
		ID           string        `xml:"routeTableId"`
		VPCID        string        `xml:"vpcId"`
		OwnerID      string        `xml:"ownerId"`
		Associations []association `xml:"associationSet>item"`
	}
	var result struct {
		RouteTables []routeTable `xml:"routeTableSet>item"`
	}
	ok, err := matches(c.Form, attributes{
		"association.main": "true", "owner-id": account, "route-table-id": defaultRouteTableID, "vpc-id": defaultVPCID,
	}, nil)
	if ok {
		result.RouteTables = []routeTable{{
			ID: defaultRouteTableID, VPCID: defaultVPCID, OwnerID: account,
			Associations: []association{{"rtbassoc-0d5e6f00000000001", defaultRouteTableID, true, "associated"}},
		}}
	}
	return result, err
}

func (e ec2) describeAvailabilityZones(c *call) (any, error) {
	type zone struct {
		Name        string `xml:"zoneName"`
		ID          string `xml:"zoneId"`
		Type        string `xml:"zoneType"`
		State       string `xml:"zoneState"`
		OptIn       string `xml:"optInStatus"`
		Region      string `xml:"regionName"`
		Group       string `xml:"groupName"`
		BorderGroup string `xml:"networkBorderGroup"`
	}
	var result struct {
		Zones []zone `xml:"availabilityZoneInfo>item"`
	}
	for _, s := range defaultSubnets(c.region) {
		z := zone{s.Zone, s.ZoneID, "availability-zone", "available", "opt-in-not-required", c.region, c.region, c.region}
		ok, err := matches(c.Form, attributes{
			"group-name": z.Group, "opt-in-status": z.OptIn, "region-name": z.Region, "state": z.State, "zone-id": z.ID, "zone-name": z.Name, "zone-type": z.Type,
		}, nil)
		if err != nil {
			return nil, err
		}
		if ok {
			result.Zones = append(result.Zones, z)
		}
	}
	return result, nil
}

// describeNetworkInterfaces finds none, because nothing here has one; the provider asks before it deletes a security group.
func (e ec2) describeNetworkInterfaces(*call) (any, error) {
	return struct {
		Interfaces struct{} `xml:"networkInterfaceSet"`
	}{}, nil
}
