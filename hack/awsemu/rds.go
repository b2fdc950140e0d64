package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// rds is RDS for PostgreSQL and MySQL, and Aurora PostgreSQL: instances, clusters, parameter and subnet groups, snapshots
// (without data) and tags.
type rds struct {
	store       *store
	databases   *databases
	gateway     *gateway
	mysql       *mysqlServers
	host        string        // advertised as the address of every instance
	createDelay time.Duration // how long a new instance is "creating"
	now         func() time.Time

	// instances serialises the changes of instances, which are made in two places: the state and the PostgreSQL server.
	instances sync.Mutex
}

func newRDS(r *rds) *queryService {
	table := map[string]queryAction{
		"AddTagsToResource":          r.addTags,
		"CreateDBCluster":            r.createCluster,
		"CreateDBInstance":           r.createInstance,
		"CreateDBSubnetGroup":        r.createSubnetGroup,
		"DeleteDBCluster":            r.deleteCluster,
		"DeleteDBClusterSnapshot":    r.deleteClusterSnapshot,
		"DeleteDBInstance":           r.deleteInstance,
		"DeleteDBSnapshot":           r.deleteSnapshot,
		"DeleteDBSubnetGroup":        r.deleteSubnetGroup,
		"DescribeDBClusterSnapshots": r.describeClusterSnapshots,
		"DescribeDBClusters":         r.describeClusters,
		"DescribeDBInstances":        r.describeInstances,
		"DescribeDBSnapshots":        r.describeSnapshots,
		"DescribeDBSubnetGroups":     r.describeSubnetGroups,
		"DescribeGlobalClusters":     r.describeGlobalClusters,
		"ListTagsForResource":        r.listTags,
		"ModifyDBCluster":            r.modifyCluster,
		"ModifyDBInstance":           r.modifyInstance,
		"ModifyDBSubnetGroup":        r.modifySubnetGroup,
		"RemoveTagsFromResource":     r.removeTags,
	}
	maps.Copy(table, r.instanceParameterGroups().table())
	maps.Copy(table, r.clusterParameterGroups().table())
	return &queryService{namespace: "http://rds.amazonaws.com/doc/2014-10-31/", table: table}
}

func rdsARN(region, kind, name string) string {
	return fmt.Sprintf("arn:aws:rds:%s:%s:%s:%s", region, account, kind, name)
}

func (r *rds) addTags(c *call) (any, error) {
	arn := c.Form.Get("ResourceName")
	return struct{}{}, r.store.write(func(st *state) error {
		if err := st.checkRDSResource(arn); err != nil {
			return err
		}
		maps.Copy(st.RDSTags[arn], tagParams(c.Form, "Tags.Tag"))
		return nil
	})
}

func (r *rds) removeTags(c *call) (any, error) {
	arn := c.Form.Get("ResourceName")
	return struct{}{}, r.store.write(func(st *state) error {
		if err := st.checkRDSResource(arn); err != nil {
			return err
		}
		for _, key := range listParam(c.Form, "TagKeys.member") {
			delete(st.RDSTags[arn], key)
		}
		return nil
	})
}

func (r *rds) listTags(c *call) (any, error) {
	arn := c.Form.Get("ResourceName")
	var result struct {
		Tags []queryTag `xml:"TagList>Tag"`
	}
	err := r.store.read(func(st *state) error {
		result.Tags = queryTagList(st.RDSTags[arn])
		return st.checkRDSResource(arn)
	})
	return result, err
}

// checkRDSResource returns the error of a call about a resource that does not exist; one that exists has an entry for its tags.
func (s *state) checkRDSResource(arn string) error {
	if _, ok := s.RDSTags[arn]; !ok {
		return notFound("DBInstanceNotFound", "awsemu has no RDS resource %s", arn)
	}
	return nil
}

// rdsResources lists what was created, final snapshots included.
func rdsResources(st *state) []resource {
	var list []resource
	add := func(kind, id, arn string) {
		list = append(list, newResource("rds", kind, id, maps.Clone(st.RDSTags[arn])))
	}
	for _, id := range slices.Sorted(maps.Keys(st.DBClusters)) {
		add("db-cluster", id, st.DBClusters[id].ARN)
	}
	for _, name := range slices.Sorted(maps.Keys(st.DBClusterParameterGroups)) {
		add("db-cluster-parameter-group", name, st.DBClusterParameterGroups[name].ARN)
	}
	for _, id := range slices.Sorted(maps.Keys(st.DBClusterSnapshots)) {
		add("db-cluster-snapshot", id, st.DBClusterSnapshots[id].ARN)
	}
	for _, id := range slices.Sorted(maps.Keys(st.DBInstances)) {
		add("db-instance", id, st.DBInstances[id].ARN)
	}
	for _, name := range slices.Sorted(maps.Keys(st.DBParameterGroups)) {
		add("db-parameter-group", name, st.DBParameterGroups[name].ARN)
	}
	for _, id := range slices.Sorted(maps.Keys(st.DBSnapshots)) {
		add("db-snapshot", id, st.DBSnapshots[id].ARN)
	}
	for _, name := range slices.Sorted(maps.Keys(st.DBSubnetGroups)) {
		add("db-subnet-group", name, st.DBSubnetGroups[name].ARN)
	}
	return list
}
