package main

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dbInstance is a DB instance: its record here, and a database with its owner on the PostgreSQL server, or a MariaDB server
// of its own, or, when it belongs to a cluster, nothing but the record.
type dbInstance struct {
	ID               string
	ARN              string
	ResourceID       string
	Region           string
	Settings         settings
	Waiting          settings // changes that wait for the maintenance window, which never comes
	ClusterID        string   // empty: it belongs to none
	ParameterGroup   string   // empty: the default one
	SubnetGroup      string
	SecurityGroupIDs []string
	LogExports       []string
	Login            login // on the PostgreSQL server
	Port             int   // of its MariaDB server; 0: that of the gateway to PostgreSQL
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
		"Action", "AllowMajorVersionUpgrade", "ApplyImmediately", "CloudwatchLogsExportConfiguration", "DBClusterIdentifier", "DBInstanceIdentifier",
		"DBParameterGroupName", "DBPortNumber", "DBSubnetGroupName", "EnableCloudwatchLogsExports", "MasterUserPassword", "NewDBInstanceIdentifier", "Port", "Tags", "Version",
		"VpcSecurityGroupIds",
	}
}

func checkInstanceParams(form url.Values) error {
	return checkParams(form, instanceParams(), instanceSettings())
}

func checkParams(form url.Values, known []string, table []setting) error {
	for _, s := range table {
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
	if err := r.store.read(func(st *state) error { return r.checkNewInstance(st, instance) }); err != nil {
		return nil, err
	}
	ctx := context.WithoutCancel(c.Context()) // a client that gives up must not leave half a database
	if err := r.makeDatabase(ctx, instance, c.Form.Get("MasterUserPassword"), c.Form.Get("Port")); err != nil {
		return nil, err
	}
	var result instanceResult
	err = r.store.write(func(st *state) error {
		st.DBInstances[instance.ID] = instance
		st.RDSTags[instance.ARN] = tagParams(c.Form, "Tags.Tag")
		result = r.result(st, instance)
		return nil
	})
	if err == nil {
		err = r.configureMySQL(ctx)
	}
	return result, err
}

// makeDatabase makes what the instance is beside its record.
func (r *rds) makeDatabase(ctx context.Context, instance *dbInstance, password, port string) (err error) {
	switch {
	case instance.ClusterID != "":
		return nil
	case instance.isMySQL():
		instance.Port, err = r.mysql.create(ctx, port, instance.user(), password, instance.Settings["DBName"])
		return err
	}
	if err := r.checkPort(port); err != nil {
		return err
	}
	instance.Login, err = r.makeLogin(ctx, tenant{id: instance.ID, user: instance.user(), database: instance.database()}, password)
	return err
}

// dropDatabase removes what makeDatabase made.
func (r *rds) dropDatabase(ctx context.Context, instance *dbInstance) error {
	switch {
	case instance.ClusterID != "":
		return nil
	case instance.isMySQL():
		return r.mysql.drop(instance.Port)
	}
	return r.databases.drop(ctx, instance.Login)
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
		ClusterID:        strings.ToLower(c.Form.Get("DBClusterIdentifier")),
		ParameterGroup:   strings.ToLower(c.Form.Get("DBParameterGroupName")),
		SubnetGroup:      strings.ToLower(c.Form.Get("DBSubnetGroupName")),
		SecurityGroupIDs: listParam(c.Form, "VpcSecurityGroupIds.VpcSecurityGroupId"),
		LogExports:       listParam(c.Form, "EnableCloudwatchLogsExports.member"),
		CreatedAt:        now, AvailableAt: now.Add(r.createDelay),
	}
	if len(instance.SecurityGroupIDs) == 0 {
		instance.SecurityGroupIDs = []string{defaultSecurityGroupID}
	}
	_, err := findEngine(c.Form.Get("Engine"), instance.ClusterID != "")
	if err == nil {
		instance.Settings, err = newSettings(c.Form, c.region, instanceSettings())
	}
	if err != nil || instance.ClusterID != "" {
		return instance, err
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
	if form.Get("Engine") == "mysql" {
		return checkMySQLMaster(user, database, form.Get("MasterUserPassword"))
	}
	if form.Has("DatabaseName") { // of a cluster
		database = form.Get("DatabaseName")
	}
	switch {
	case user == "" || len(user) > 63:
		return badRequest("InvalidParameterValue", "The parameter MasterUsername must have 1 to 63 characters")
	case slices.Contains([]string{"admin", "rdsadmin", "user"}, user) || strings.HasPrefix(user, "pg_"):
		return badRequest("InvalidParameterValue", "MasterUsername %s cannot be used as it is a reserved word used by the engine", user)
	case slices.Contains([]string{"db", "rdsadmin", "template0", "template1"}, database) || len(database) > 63:
		return badRequest("InvalidParameterValue", "Database name %s cannot be used as it is a reserved word used by the engine", database)
	}
	return checkPassword(form.Get("MasterUserPassword"), 128)
}

func checkMySQLMaster(user, database, password string) error {
	switch {
	case user == "" || len(user) > 16:
		return badRequest("InvalidParameterValue", "The parameter MasterUsername must have 1 to 16 characters")
	case slices.Contains([]string{"rdsadmin", "rdsrepladmin", mysqlAdmin()}, user):
		return badRequest("InvalidParameterValue", "MasterUsername %s cannot be used as it is a reserved word used by the engine", user)
	case slices.Contains([]string{"information_schema", "innodb", "mysql", "performance_schema", "sys"}, database) || len(database) > 64:
		return badRequest("InvalidParameterValue", "Database name %s cannot be used as it is a reserved word used by the engine", database)
	}
	return checkPassword(password, 41)
}

func checkPassword(password string, longest int) error {
	printable := func(r rune) bool { return r > ' ' && r <= '~' && !strings.ContainsRune(`/@"`, r) }
	switch {
	case len(password) < 8 || len(password) > longest:
		return badRequest("InvalidParameterValue", "The parameter MasterUserPassword is not a valid password because it is not 8 to %d characters long.", longest)
	case strings.ContainsFunc(password, func(r rune) bool { return !printable(r) }):
		return badRequest("InvalidParameterValue",
			"The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.")
	}
	return nil
}

// checkNewInstance checks that the identifier is free and that everything the instance refers to exists.
func (r *rds) checkNewInstance(st *state, instance *dbInstance) error {
	if st.DBInstances[instance.ID] != nil {
		return badRequest("DBInstanceAlreadyExists", "DB instance already exists")
	}
	if instance.ClusterID != "" {
		if err := st.join(instance); err != nil {
			return err
		}
	}
	if instance.SubnetGroup != "" {
		if _, err := st.subnetGroup(instance.SubnetGroup); err != nil {
			return err
		}
	}
	if err := r.instanceParameterGroups().checkUse(st, instance.ParameterGroup, instance.Settings); err != nil {
		return err
	}
	return st.checkGroups(instance.SecurityGroupIDs)
}

func (s *state) checkGroups(ids []string) error {
	for _, id := range ids {
		if s.SecurityGroups[id] == nil {
			return badRequest("InvalidParameterValue", "The security group '%s' does not exist", id)
		}
	}
	return nil
}
