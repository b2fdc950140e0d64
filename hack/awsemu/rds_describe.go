package main

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

func (r *rds) describeInstances(c *call) (any, error) {
	id := strings.ToLower(c.Form.Get("DBInstanceIdentifier"))
	filters := structParams(c.Form, "Filters.Filter")
	var result struct {
		Instances []instanceXML `xml:"DBInstances>DBInstance"`
	}
	err := r.store.read(func(st *state) error {
		if id != "" {
			if _, err := st.instance(id); err != nil {
				return err
			}
		}
		for _, key := range slices.Sorted(maps.Keys(st.DBInstances)) {
			instance := st.DBInstances[key]
			ok, err := instance.passes(filters)
			if err != nil {
				return err
			}
			if ok && (id == "" || id == instance.ID) {
				result.Instances = append(result.Instances, r.result(st, instance).Instance)
			}
		}
		return nil
	})
	return result, err
}

func (d *dbInstance) passes(filters []url.Values) (bool, error) {
	attrs := attributes{"db-instance-id": d.ID, "dbi-resource-id": d.ResourceID, "engine": d.Settings["Engine"], "db-cluster-id": d.ClusterID}
	for _, filter := range filters {
		value, known := attrs[filter.Get("Name")]
		if !known {
			return false, badRequest("InvalidParameterValue", "awsemu does not know the filter '%s' of DescribeDBInstances", filter.Get("Name"))
		}
		if !slices.Contains(listParam(filter, "Values.Value"), value) {
			return false, nil
		}
	}
	return true, nil
}

type instanceResult struct {
	Instance instanceXML `xml:"DBInstance"`
}

type instanceXML struct {
	ID              string    `xml:"DBInstanceIdentifier"`
	ARN             string    `xml:"DBInstanceArn"`
	ResourceID      string    `xml:"DbiResourceId"`
	ClusterID       string    `xml:"DBClusterIdentifier,omitempty"`
	Status          string    `xml:"DBInstanceStatus"`
	CreatedAt       time.Time `xml:"InstanceCreateTime"`
	Settings        settings
	Waiting         waitingXML          `xml:"PendingModifiedValues"`
	Endpoint        *endpointXML        `xml:"Endpoint"`
	SubnetGroup     subnetGroupXML      `xml:"DBSubnetGroup"`
	SecurityGroups  []groupMemberXML    `xml:"VpcSecurityGroups>VpcSecurityGroupMembership"`
	ParameterGroups []parameterGroupXML `xml:"DBParameterGroups>DBParameterGroup"`
	OptionGroups    []optionGroupXML    `xml:"OptionGroupMemberships>OptionGroupMembership"`
	LogExports      []string            `xml:"EnabledCloudwatchLogsExports>member"`
	Tags            []queryTag          `xml:"TagList>Tag"`
}

// hostedZone is the DNS zone that endpoints are said to be in.
const hostedZone = "Z0D5E6F000001"

// port is where the instance answers.
func (r *rds) port(d *dbInstance) int { return cmp.Or(d.Port, r.gateway.port()) }

type waitingXML struct{ Settings settings }

type endpointXML struct {
	Address      string
	Port         int
	HostedZoneID string `xml:"HostedZoneId"`
}

type groupMemberXML struct {
	ID     string `xml:"VpcSecurityGroupId"`
	Status string `xml:"Status"`
}

type parameterGroupXML struct {
	Name   string `xml:"DBParameterGroupName"`
	Status string `xml:"ParameterApplyStatus"`
}

type optionGroupXML struct {
	Name   string `xml:"OptionGroupName"`
	Status string
}

func (r *rds) result(st *state, d *dbInstance) instanceResult {
	group := st.DBSubnetGroups[d.SubnetGroup]
	if group == nil {
		group = defaultSubnetGroup(d.Region)
	}
	instance := instanceXML{
		ID: d.ID, ARN: d.ARN, ResourceID: d.ResourceID, ClusterID: d.ClusterID, Status: d.status(r.now()), CreatedAt: d.CreatedAt, Settings: st.settingsOf(d),
		Waiting: waitingXML{d.Waiting}, SubnetGroup: newSubnetGroupXML(group, d.Region), LogExports: d.LogExports, Tags: queryTagList(st.RDSTags[d.ARN]),
		ParameterGroups: []parameterGroupXML{{groupOf(d.ParameterGroup, d.Settings), "in-sync"}},
		OptionGroups:    []optionGroupXML{{d.Settings.optionGroup(), "in-sync"}},
	}
	if instance.Status == "available" { // RDS, too, tells the endpoint only then
		instance.Endpoint = &endpointXML{r.host, r.port(d), hostedZone}
	}
	for _, id := range d.SecurityGroupIDs {
		instance.SecurityGroups = append(instance.SecurityGroups, groupMemberXML{id, "active"})
	}
	return instanceResult{instance}
}
