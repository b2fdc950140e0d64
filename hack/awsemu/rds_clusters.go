package main

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// dbCluster is an Aurora cluster: its record here, and a database with its owner on the PostgreSQL server.
type dbCluster struct {
	ID               string
	ARN              string
	ResourceID       string
	Region           string
	Settings         settings
	Waiting          settings // changes that wait for the maintenance window, which never comes
	ParameterGroup   string   // empty: the default one
	SubnetGroup      string   // empty: the default one
	SecurityGroupIDs []string
	LogExports       []string
	Serverless       serverless
	Login            login
	CreatedAt        time.Time
	AvailableAt      time.Time
}

// serverless is how far a cluster's capacity goes, in ACUs; all empty when it has no such instances.
type serverless struct {
	MinCapacity           string `xml:",omitempty"`
	MaxCapacity           string `xml:",omitempty"`
	SecondsUntilAutoPause string `xml:",omitempty"`
}

func (s *state) cluster(id string) (*dbCluster, error) {
	if cluster := s.DBClusters[id]; cluster != nil {
		return cluster, nil
	}
	return nil, notFound("DBClusterNotFoundFault", "DBCluster %s not found.", id)
}

func (d *dbCluster) status(now time.Time) string {
	if now.Before(d.AvailableAt) {
		return "creating"
	}
	return "available"
}

// tenant is the cluster's part of the PostgreSQL server. A database without a name is called as PostgreSQL's own.
func (d *dbCluster) tenant() tenant {
	t := tenant{d.ID, d.Settings["MasterUsername"], d.Settings["DatabaseName"], d.Login}
	if t.database == "" {
		t.database = "postgres"
	}
	return t
}

// join makes a new instance a part of its cluster.
func (s *state) join(instance *dbInstance) error {
	cluster, err := s.cluster(instance.ClusterID)
	switch {
	case err != nil:
		return err
	case cluster.Settings["Engine"] != instance.Settings["Engine"]:
		return badRequest("InvalidParameterCombination", "The engine name requested for your DB instance (%s) doesn't match the engine name of your DB cluster (%s).",
			instance.Settings["Engine"], cluster.Settings["Engine"])
	case instance.SubnetGroup != "" && instance.SubnetGroup != cluster.SubnetGroup:
		return badRequest("InvalidParameterCombination", "The DB subnet group of %s is not that of its cluster", instance.ID)
	}
	instance.SubnetGroup, instance.SecurityGroupIDs = cluster.SubnetGroup, cluster.SecurityGroupIDs
	return nil
}

// settingsOf returns an instance's settings, of which some are its cluster's.
func (s *state) settingsOf(instance *dbInstance) settings {
	cluster := s.DBClusters[instance.ClusterID]
	if cluster == nil {
		return instance.Settings
	}
	all := maps.Clone(instance.Settings)
	for _, name := range []string{"BackupRetentionPeriod", "EngineVersion", "KmsKeyId", "MasterUsername", "PreferredBackupWindow", "StorageEncrypted"} {
		all[name] = cluster.Settings[name]
	}
	all["AllocatedStorage"], all["StorageType"], all["DBName"] = "1", "aurora", cluster.Settings["DatabaseName"]
	return all
}

// members are the ids of the cluster's instances, the writer first: the one that was there first.
func (s *state) members(cluster string) []string {
	var list []*dbInstance
	for _, id := range slices.Sorted(maps.Keys(s.DBInstances)) {
		if s.DBInstances[id].ClusterID == cluster {
			list = append(list, s.DBInstances[id])
		}
	}
	slices.SortStableFunc(list, func(a, b *dbInstance) int { return a.CreatedAt.Compare(b.CreatedAt) })
	ids := make([]string, len(list))
	for i, instance := range list {
		ids[i] = instance.ID
	}
	return ids
}

func checkClusterParams(form url.Values) error {
	return checkParams(form, []string{
		"Action", "AllowMajorVersionUpgrade", "ApplyImmediately", "AvailabilityZones", "CloudwatchLogsExportConfiguration", "DBClusterIdentifier",
		"DBClusterParameterGroupName", "DBSubnetGroupName", "EnableCloudwatchLogsExports", "MasterUserPassword", "Port",
		"ServerlessV2ScalingConfiguration", "Tags", "Version", "VpcSecurityGroupIds",
	}, clusterSettingTable())
}

// newCluster reads a CreateDBCluster call.
func (r *rds) newCluster(c *call) (*dbCluster, error) {
	if err := checkClusterParams(c.Form); err != nil {
		return nil, err
	}
	id := strings.ToLower(c.Form.Get("DBClusterIdentifier"))
	now := r.now().UTC()
	cluster := &dbCluster{
		ID: id, ARN: rdsARN(c.region, "cluster", id), ResourceID: "cluster-" + strings.ToUpper(randomHex(26)), Region: c.region, Waiting: settings{},
		ParameterGroup: strings.ToLower(c.Form.Get("DBClusterParameterGroupName")), SubnetGroup: strings.ToLower(c.Form.Get("DBSubnetGroupName")),
		SecurityGroupIDs: listParam(c.Form, "VpcSecurityGroupIds.VpcSecurityGroupId"),
		LogExports:       listParam(c.Form, "EnableCloudwatchLogsExports.member"),
		CreatedAt:        now, AvailableAt: now.Add(r.createDelay),
	}
	if len(cluster.SecurityGroupIDs) == 0 {
		cluster.SecurityGroupIDs = []string{defaultSecurityGroupID}
	}
	cluster.Serverless.change(c.Form)
	if _, err := findEngine(c.Form.Get("Engine"), true); err != nil {
		return nil, err
	}
	var err error
	if cluster.Settings, err = newSettings(c.Form, c.region, clusterSettingTable()); err != nil {
		return nil, err
	}
	if err := r.checkPort(c.Form.Get("Port")); err != nil {
		return nil, err
	}
	return cluster, checkMaster(c.Form)
}

func (s *serverless) change(form url.Values) {
	for name, value := range map[string]*string{"MinCapacity": &s.MinCapacity, "MaxCapacity": &s.MaxCapacity, "SecondsUntilAutoPause": &s.SecondsUntilAutoPause} {
		if name = "ServerlessV2ScalingConfiguration." + name; form.Has(name) {
			*value = form.Get(name)
		}
	}
}

func (r *rds) createCluster(c *call) (any, error) {
	cluster, err := r.newCluster(c)
	if err != nil {
		return nil, err
	}
	r.instances.Lock()
	defer r.instances.Unlock()
	err = r.store.read(func(st *state) error {
		if st.DBClusters[cluster.ID] != nil {
			return badRequest("DBClusterAlreadyExistsFault", "DB Cluster already exists")
		}
		if cluster.SubnetGroup != "" {
			if _, err := st.subnetGroup(cluster.SubnetGroup); err != nil {
				return err
			}
		}
		if err := r.clusterParameterGroups().checkUse(st, cluster.ParameterGroup, cluster.Settings); err != nil {
			return err
		}
		return st.checkGroups(cluster.SecurityGroupIDs)
	})
	if err != nil {
		return nil, err
	}
	ctx := context.WithoutCancel(c.Context()) // a client that gives up must not leave half a database
	if cluster.Login, err = r.makeLogin(ctx, cluster.tenant(), c.Form.Get("MasterUserPassword")); err != nil {
		return nil, err
	}
	var result clusterResult
	err = r.store.write(func(st *state) error {
		st.DBClusters[cluster.ID] = cluster
		st.RDSTags[cluster.ARN] = tagParams(c.Form, "Tags.Tag")
		result = r.clusterResult(st, cluster)
		return nil
	})
	return result, err
}

func (r *rds) modifyCluster(c *call) (any, error) {
	if err := checkClusterParams(c.Form); err != nil {
		return nil, err
	}
	r.instances.Lock()
	defer r.instances.Unlock()
	var changed dbCluster
	err := r.store.read(func(st *state) error {
		current, err := st.cluster(strings.ToLower(c.Form.Get("DBClusterIdentifier")))
		if err != nil {
			return err
		}
		if status := current.status(r.now()); status != "available" {
			return badRequest("InvalidDBClusterStateFault", "DB cluster is not in available state: %s is %s", current.ID, status)
		}
		changed, err = r.changedCluster(st, current, c.Form)
		return err
	})
	if err != nil {
		return nil, err
	}
	if password := c.Form.Get("MasterUserPassword"); password != "" {
		if err := r.changeLogin(c.Context(), changed.tenant(), password); err != nil {
			return nil, err
		}
	}
	var result clusterResult
	err = r.store.write(func(st *state) error {
		st.DBClusters[changed.ID] = &changed
		result = r.clusterResult(st, &changed)
		return nil
	})
	return result, err
}

// changedCluster returns the cluster as a ModifyDBCluster call wants it, except for the password.
func (r *rds) changedCluster(st *state, current *dbCluster, form url.Values) (dbCluster, error) {
	next := *current
	var err error
	if next.Settings, next.Waiting, err = current.Settings.change(form, current.Waiting, clusterSettingTable()); err != nil {
		return next, err
	}
	if groups := listParam(form, "VpcSecurityGroupIds.VpcSecurityGroupId"); len(groups) > 0 {
		next.SecurityGroupIDs = groups
	}
	if form.Has("DBClusterParameterGroupName") {
		next.ParameterGroup = strings.ToLower(form.Get("DBClusterParameterGroupName"))
	}
	next.Serverless.change(form)
	next.LogExports = changedLogs(current.LogExports, form)
	if err := r.clusterParameterGroups().checkUse(st, next.ParameterGroup, next.Settings); err != nil {
		return next, err
	}
	if err := r.checkPort(form.Get("Port")); err != nil {
		return next, err
	}
	return next, st.checkGroups(next.SecurityGroupIDs)
}

func (r *rds) deleteCluster(c *call) (any, error) {
	r.instances.Lock()
	defer r.instances.Unlock()
	var cluster *dbCluster
	var snapshot *dbSnapshot
	err := r.store.read(func(st *state) (err error) {
		if cluster, err = st.cluster(strings.ToLower(c.Form.Get("DBClusterIdentifier"))); err != nil {
			return err
		}
		if cluster.Settings["DeletionProtection"] == "true" {
			return badRequest("InvalidParameterCombination", "Cannot delete protected Cluster, please disable deletion protection and try again.")
		}
		if len(st.members(cluster.ID)) > 0 {
			return badRequest("InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances in non-deleting state.")
		}
		snapshot, err = r.finalClusterSnapshot(st, cluster, c.Form)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := r.databases.drop(context.WithoutCancel(c.Context()), cluster.Login); err != nil {
		return nil, err
	}
	var result clusterResult
	err = r.store.write(func(st *state) error {
		result = r.clusterResult(st, cluster)
		result.Cluster.Status = "deleting"
		if snapshot != nil {
			st.DBClusterSnapshots[snapshot.ID] = snapshot
			st.keepTags(cluster.ARN, snapshot.ARN, cluster.Settings)
		}
		delete(st.RDSTags, cluster.ARN)
		delete(st.DBClusters, cluster.ID)
		return nil
	})
	return result, err
}

// keepTags gives a snapshot the tags of what it is of, when the settings say so.
func (s *state) keepTags(from, snapshot string, of settings) {
	s.RDSTags[snapshot] = tags{}
	if of["CopyTagsToSnapshot"] == "true" {
		s.RDSTags[snapshot] = s.RDSTags[from]
	}
}
