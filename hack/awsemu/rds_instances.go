package main

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dbInstance is a DB instance: its record here, and a database with its owner on the PostgreSQL server.
type dbInstance struct {
	ID               string
	ARN              string
	ResourceID       string
	Region           string
	Settings         settings
	Waiting          settings // changes that wait for the maintenance window, which never comes
	SubnetGroup      string
	SecurityGroupIDs []string
	LogExports       []string
	Login            login // on the PostgreSQL server
	CreatedAt        time.Time
	AvailableAt      time.Time
}

func (s *state) instance(id string) (*dbInstance, error) {
	if instance := s.DBInstances[id]; instance != nil {
		return instance, nil
	}
	return nil, notFound("DBInstanceNotFound", "DBInstance %s not found.", id)
}

// status is what a client sees; a new instance is "creating" for a while although its database is already there.
func (d *dbInstance) status(now time.Time) string {
	if now.Before(d.AvailableAt) {
		return "creating"
	}
	return "available"
}

// user is the name that clients know the owner of the instance's database by.
func (d *dbInstance) user() string { return d.Settings["MasterUsername"] }

// database is the name that clients know the database by. One without a name is called as PostgreSQL's own.
func (d *dbInstance) database() string {
	if name := d.Settings["DBName"]; name != "" {
		return name
	}
	return "postgres"
}

// instanceParams are the parameters of CreateDBInstance and ModifyDBInstance that are read one by one, beside the
// table of settings. Any other parameter is refused: a client that set it would find it ignored.
func instanceParams() []string {
	return []string{
		"Action", "AllowMajorVersionUpgrade", "ApplyImmediately", "CloudwatchLogsExportConfiguration", "DBInstanceIdentifier", "DBPortNumber",
		"DBSubnetGroupName", "EnableCloudwatchLogsExports", "MasterUserPassword", "NewDBInstanceIdentifier", "Port", "Tags", "Version",
		"VpcSecurityGroupIds",
	}
}

func checkInstanceParams(form url.Values) error {
	known := instanceParams()
	for _, s := range instanceSettings() {
		known = append(known, s.param)
	}
	for key := range form {
		name, _, _ := strings.Cut(key, ".")
		if !slices.Contains(known, name) {
			return badRequest("InvalidParameterValue", "awsemu does not have the parameter %s", name)
		}
	}
	return nil
}

func (r *rds) createInstance(c *call) (any, error) {
	instance, err := r.newInstance(c)
	if err != nil {
		return nil, err
	}
	r.instances.Lock()
	defer r.instances.Unlock()
	err = r.store.read(func(st *state) error { return st.checkNewInstance(instance) })
	if err != nil {
		return nil, err
	}
	password := c.Form.Get("MasterUserPassword")
	if err := r.checkDistinct(c.Context(), instance, password); err != nil {
		return nil, err
	}
	ctx := context.WithoutCancel(c.Context()) // a client that gives up must not leave half a database
	if instance.Login, err = r.databases.create(ctx, instance.user(), password, instance.database()); err != nil {
		return nil, err
	}
	var result instanceResult
	err = r.store.write(func(st *state) error {
		st.DBInstances[instance.ID] = instance
		st.RDSTags[instance.ARN] = tagParams(c.Form, "Tags.Tag")
		result = r.result(st, instance)
		return nil
	})
	return result, err
}

// newInstance reads a CreateDBInstance call.
func (r *rds) newInstance(c *call) (*dbInstance, error) {
	if err := checkInstanceParams(c.Form); err != nil {
		return nil, err
	}
	id := strings.ToLower(c.Form.Get("DBInstanceIdentifier"))
	now := r.now().UTC()
	instance := &dbInstance{
		ID: id, ARN: rdsARN(c.region, "db", id), ResourceID: "db-" + strings.ToUpper(randomHex(26)), Region: c.region, Waiting: settings{},
		SubnetGroup:      strings.ToLower(c.Form.Get("DBSubnetGroupName")),
		SecurityGroupIDs: listParam(c.Form, "VpcSecurityGroupIds.VpcSecurityGroupId"),
		LogExports:       listParam(c.Form, "EnableCloudwatchLogsExports.member"),
		CreatedAt:        now, AvailableAt: now.Add(r.createDelay),
	}
	if len(instance.SecurityGroupIDs) == 0 {
		instance.SecurityGroupIDs = []string{defaultSecurityGroupID}
	}
	var err error
	if instance.Settings, err = newSettings(c.Form, c.region); err != nil {
		return nil, err
	}
	if err := r.checkPort(c.Form.Get("Port")); err != nil {
		return nil, err
	}
	return instance, checkMaster(c.Form)
}

// checkPort refuses a port where the instance would not answer.
func (r *rds) checkPort(port string) error {
	if port != "" && port != strconv.Itoa(r.gateway.port()) {
		return badRequest("InvalidParameterValue", "awsemu's instances listen on port %d (--postgres-listen), not %s", r.gateway.port(), port)
	}
	return nil
}

// checkMaster applies RDS's rules for the names that an instance starts with.
func checkMaster(form url.Values) error {
	user, database := form.Get("MasterUsername"), form.Get("DBName")
	switch {
	case user == "" || len(user) > 63:
		return badRequest("InvalidParameterValue", "The parameter MasterUsername must have 1 to 63 characters")
	case slices.Contains([]string{"admin", "rdsadmin", "user"}, user) || strings.HasPrefix(user, "pg_"):
		return badRequest("InvalidParameterValue", "MasterUsername %s cannot be used as it is a reserved word used by the engine", user)
	case slices.Contains([]string{"db", "rdsadmin", "template0", "template1"}, database) || len(database) > 63:
		return badRequest("InvalidParameterValue", "Database name %s cannot be used as it is a reserved word used by the engine", database)
	}
	return checkPassword(form.Get("MasterUserPassword"))
}

func checkPassword(password string) error {
	printable := func(r rune) bool { return r > ' ' && r <= '~' && !strings.ContainsRune(`/@"`, r) }
	switch {
	case len(password) < 8 || len(password) > 128:
		return badRequest("InvalidParameterValue", "The parameter MasterUserPassword is not a valid password because it is not 8 to 128 characters long.")
	case strings.ContainsFunc(password, func(r rune) bool { return !printable(r) }):
		return badRequest("InvalidParameterValue",
			"The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.")
	}
	return nil
}

// checkNewInstance checks that the identifier is free and that everything the instance refers to exists.
func (s *state) checkNewInstance(instance *dbInstance) error {
	if s.DBInstances[instance.ID] != nil {
		return badRequest("DBInstanceAlreadyExists", "DB instance already exists")
	}
	if instance.SubnetGroup != "" {
		if _, err := s.subnetGroup(instance.SubnetGroup); err != nil {
			return err
		}
	}
	return s.checkGroups(instance.SecurityGroupIDs)
}

func (s *state) checkGroups(ids []string) error {
	for _, id := range ids {
		if s.SecurityGroups[id] == nil {
			return badRequest("InvalidParameterValue", "The security group '%s' does not exist", id)
		}
	}
	return nil
}

// checkDistinct refuses a password that makes the instance's connections look like another one's: all instances answer
// on one address, and where user and database are the same, too, only the password tells which is meant.
func (r *rds) checkDistinct(ctx context.Context, instance *dbInstance, password string) error {
	var twins []*dbInstance
	_ = r.store.read(func(st *state) error {
		for _, other := range st.DBInstances {
			if other.ID != instance.ID && other.user() == instance.user() && other.database() == instance.database() {
				twins = append(twins, other)
			}
		}
		return nil
	})
	for _, twin := range twins {
		if r.databases.accepts(ctx, twin.Login, password) {
			return badRequest("InvalidParameterCombination",
				"awsemu cannot tell the instances %s and %s apart: give them different master usernames, databases or passwords", instance.ID, twin.ID)
		}
	}
	return nil
}

func (r *rds) modifyInstance(c *call) (any, error) {
	if err := checkInstanceParams(c.Form); err != nil {
		return nil, err
	}
	r.instances.Lock()
	defer r.instances.Unlock()
	id := strings.ToLower(c.Form.Get("DBInstanceIdentifier"))
	var changed dbInstance
	err := r.store.read(func(st *state) error {
		current, err := st.instance(id)
		if err != nil {
			return err
		}
		if status := current.status(r.now()); status != "available" {
			return badRequest("InvalidDBInstanceState", "Database instance is not in available state: %s is %s", id, status)
		}
		changed, err = r.changed(st, current, c.Form)
		return err
	})
	if err != nil {
		return nil, err
	}
	if password := c.Form.Get("MasterUserPassword"); password != "" {
		if err := r.changePassword(c.Context(), &changed, password); err != nil {
			return nil, err
		}
	}
	var result instanceResult
	err = r.store.write(func(st *state) error {
		before := st.DBInstances[id]
		t := st.RDSTags[before.ARN]
		delete(st.DBInstances, id)
		delete(st.RDSTags, before.ARN)
		st.DBInstances[changed.ID] = &changed
		st.RDSTags[changed.ARN] = t
		result = r.result(st, &changed)
		return nil
	})
	return result, err
}

// changed returns the instance as a ModifyDBInstance call wants it, except for the password.
func (r *rds) changed(st *state, current *dbInstance, form url.Values) (dbInstance, error) {
	next := *current
	var err error
	if next.Settings, next.Waiting, err = current.Settings.change(form, current.Waiting); err != nil {
		return next, err
	}
	if groups := listParam(form, "VpcSecurityGroupIds.VpcSecurityGroupId"); len(groups) > 0 {
		next.SecurityGroupIDs = groups
	}
	if group := strings.ToLower(form.Get("DBSubnetGroupName")); group != "" && group != current.SubnetGroup {
		return next, badRequest("InvalidVPCNetworkStateFault", "The specified DB instance is already in the target DB subnet group's VPC.")
	}
	if id := strings.ToLower(form.Get("NewDBInstanceIdentifier")); id != "" && id != current.ID {
		if st.DBInstances[id] != nil {
			return next, badRequest("DBInstanceAlreadyExists", "DB instance already exists")
		}
		next.ID, next.ARN = id, rdsARN(current.Region, "db", id)
	}
	disabled := listParam(form, "CloudwatchLogsExportConfiguration.DisableLogTypes.member")
	next.LogExports = slices.DeleteFunc(slices.Clone(current.LogExports), func(log string) bool { return slices.Contains(disabled, log) })
	next.LogExports = append(next.LogExports, listParam(form, "CloudwatchLogsExportConfiguration.EnableLogTypes.member")...)
	if err := r.checkPort(form.Get("DBPortNumber")); err != nil {
		return next, err
	}
	return next, st.checkGroups(next.SecurityGroupIDs)
}

func (r *rds) changePassword(ctx context.Context, instance *dbInstance, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	if err := r.checkDistinct(ctx, instance, password); err != nil {
		return err
	}
	return r.databases.setPassword(ctx, instance.Login, password)
}

func (r *rds) deleteInstance(c *call) (any, error) {
	r.instances.Lock()
	defer r.instances.Unlock()
	id := strings.ToLower(c.Form.Get("DBInstanceIdentifier"))
	var instance *dbInstance
	var snapshot *dbSnapshot
	err := r.store.read(func(st *state) (err error) {
		if instance, err = st.instance(id); err != nil {
			return err
		}
		if instance.Settings["DeletionProtection"] == "true" {
			return badRequest("InvalidParameterCombination", "Cannot delete protected DB Instance, please disable deletion protection and try again.")
		}
		snapshot, err = r.finalSnapshot(st, instance, c.Form)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := r.databases.drop(context.WithoutCancel(c.Context()), instance.Login); err != nil {
		return nil, err
	}
	var result instanceResult
	err = r.store.write(func(st *state) error {
		result = r.result(st, instance)
		result.Instance.Status = "deleting"
		if snapshot != nil {
			st.DBSnapshots[snapshot.ID] = snapshot
			st.RDSTags[snapshot.ARN] = tags{}
			if instance.Settings["CopyTagsToSnapshot"] == "true" {
				st.RDSTags[snapshot.ARN] = st.RDSTags[instance.ARN]
			}
		}
		delete(st.RDSTags, instance.ARN)
		delete(st.DBInstances, id)
		return nil
	})
	return result, err
}

// finalSnapshot returns the snapshot that a DeleteDBInstance call asks for, nil when it skips it.
func (r *rds) finalSnapshot(st *state, instance *dbInstance, form url.Values) (*dbSnapshot, error) {
	id, skip := strings.ToLower(form.Get("FinalDBSnapshotIdentifier")), form.Get("SkipFinalSnapshot") == "true"
	switch {
	case skip && id == "":
		return nil, nil
	case skip:
		return nil, badRequest("InvalidParameterCombination", "FinalDBSnapshotIdentifier can not be specified when deleting an instance with SkipFinalSnapshot")
	case id == "":
		return nil, badRequest("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
	case st.DBSnapshots[id] != nil:
		return nil, badRequest("DBSnapshotAlreadyExists", "Cannot create the snapshot because a snapshot with the identifier %s already exists.", id)
	}
	return &dbSnapshot{
		ID: id, ARN: rdsARN(instance.Region, "snapshot", id), InstanceID: instance.ID, Settings: instance.Settings, Port: r.gateway.port(), CreatedAt: r.now().UTC(),
	}, nil
}
