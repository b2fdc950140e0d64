package main

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

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
	if err == nil {
		err = r.configureMySQL(c.Context())
	}
	return result, err
}

// changed returns the instance as a ModifyDBInstance call wants it, except for the password.
func (r *rds) changed(st *state, current *dbInstance, form url.Values) (dbInstance, error) {
	next := *current
	var err error
	if next.Settings, next.Waiting, err = current.Settings.change(form, current.Waiting, instanceSettings()); err != nil {
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
	next.LogExports = changedLogs(current.LogExports, form)
	if port := form.Get("DBPortNumber"); port != "" && port != strconv.Itoa(r.port(current)) {
		return next, badRequest("InvalidParameterValue", "awsemu's instances keep their port, which is %d", r.port(current))
	}
	if form.Has("DBParameterGroupName") {
		next.ParameterGroup = strings.ToLower(form.Get("DBParameterGroupName"))
	}
	if err := r.instanceParameterGroups().checkUse(st, next.ParameterGroup, next.Settings); err != nil {
		return next, err
	}
	return next, st.checkGroups(next.SecurityGroupIDs)
}

// changedLogs are the exported logs after a call that changes them.
func changedLogs(logs []string, form url.Values) []string {
	disabled := listParam(form, "CloudwatchLogsExportConfiguration.DisableLogTypes.member")
	logs = slices.DeleteFunc(slices.Clone(logs), func(log string) bool { return slices.Contains(disabled, log) })
	return append(logs, listParam(form, "CloudwatchLogsExportConfiguration.EnableLogTypes.member")...)
}

func (r *rds) changePassword(ctx context.Context, instance *dbInstance, password string) error {
	switch {
	case instance.ClusterID != "":
		return badRequest("InvalidParameterCombination", "The password of %s is that of its cluster", instance.ID)
	case instance.isMySQL():
		if err := checkPassword(password, 41); err != nil {
			return err
		}
		return r.mysql.setPassword(ctx, instance.Port, instance.user(), password)
	}
	return r.changeLogin(ctx, tenant{instance.ID, instance.user(), instance.database(), instance.Login}, password)
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
	if err := r.dropDatabase(context.WithoutCancel(c.Context()), instance); err != nil {
		return nil, err
	}
	var result instanceResult
	err = r.store.write(func(st *state) error {
		result = r.result(st, instance)
		result.Instance.Status = "deleting"
		if snapshot != nil {
			st.DBSnapshots[snapshot.ID] = snapshot
			st.keepTags(instance.ARN, snapshot.ARN, instance.Settings)
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
	case skip && id == "", instance.ClusterID != "":
		return nil, nil // the data of a cluster's instance is the cluster's
	case skip:
		return nil, badRequest("InvalidParameterCombination", "FinalDBSnapshotIdentifier can not be specified when deleting an instance with SkipFinalSnapshot")
	case id == "":
		return nil, badRequest("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
	case st.DBSnapshots[id] != nil:
		return nil, badRequest("DBSnapshotAlreadyExists", "Cannot create the snapshot because a snapshot with the identifier %s already exists.", id)
	}
	return &dbSnapshot{
		ID: id, ARN: rdsARN(instance.Region, "snapshot", id), InstanceID: instance.ID, Settings: instance.Settings, Port: r.port(instance), CreatedAt: r.now().UTC(),
	}, nil
}
