package main

import (
	"cmp"
	"context"
	"slices"
)

// tenant is an instance or a cluster with a database on the PostgreSQL server that all of them share, under the names that
// its clients know.
type tenant struct {
	id, user, database string
	login              login
}

func (s *state) tenants() []tenant {
	var list []tenant
	for _, instance := range s.DBInstances {
		if instance.ClusterID == "" && !instance.isMySQL() {
			list = append(list, tenant{instance.ID, instance.user(), instance.database(), instance.Login})
		}
	}
	for _, cluster := range s.DBClusters {
		list = append(list, cluster.tenant())
	}
	slices.SortFunc(list, func(a, b tenant) int { return cmp.Compare(a.id, b.id) })
	return list
}

// makeLogin makes the database and the owner of a new tenant.
func (r *rds) makeLogin(ctx context.Context, t tenant, password string) (login, error) {
	if err := r.checkDistinct(ctx, t, password); err != nil {
		return login{}, err
	}
	return r.databases.create(ctx, t.user, password, t.database)
}

func (r *rds) changeLogin(ctx context.Context, t tenant, password string) error {
	if err := checkPassword(password, 128); err != nil {
		return err
	}
	if err := r.checkDistinct(ctx, t, password); err != nil {
		return err
	}
	return r.databases.setPassword(ctx, t.login, password)
}

// checkDistinct refuses a password that makes the tenant's connections look like another one's: all of them answer on one
// address, and where user and database are the same, too, only the password tells which is meant.
func (r *rds) checkDistinct(ctx context.Context, t tenant, password string) error {
	var all []tenant
	_ = r.store.read(func(st *state) error {
		all = st.tenants()
		return nil
	})
	for _, twin := range all {
		if twin.id != t.id && twin.user == t.user && twin.database == t.database && r.databases.accepts(ctx, twin.login, password) {
			return badRequest("InvalidParameterCombination",
				"awsemu cannot tell the instances %s and %s apart: give them different master usernames, databases or passwords", t.id, twin.id)
		}
	}
	return nil
}

// targets returns where a client of the gateway may be meant to get: to every tenant whose master is this user, first to
// those whose own database it asks for. Other users, made with SQL, have the names that they have on the server; but the
// server's administrator, whom it may trust without a password, is nobody here.
func (r *rds) targets(user, database string) []login {
	var own, other []login
	_ = r.store.read(func(st *state) error {
		for _, t := range st.tenants() {
			switch {
			case t.user != user:
			case t.database == database:
				own = append(own, t.login)
			default:
				other = append(other, login{Role: t.login.Role, Database: database})
			}
		}
		return nil
	})
	if len(own)+len(other) == 0 && user != r.databases.admin.User {
		return []login{{Role: user, Database: database}}
	}
	return append(own, other...)
}
