package main

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// dbParameterGroup is a parameter group, of instances or of clusters.
type dbParameterGroup struct {
	Name        string
	ARN         string
	Family      string
	Description string
	Parameters  map[string]dbParameter // those that were set, by name
}

type dbParameter struct {
	Value       string
	ApplyMethod string
}

// parameterGroups are the groups of one kind.
type parameterGroups struct {
	r       *rds
	element string // what one is called in parameters and answers
	arn     string // what it is called in ARNs
	groups  func(st *state) map[string]*dbParameterGroup
	users   func(st *state, name string) []string // the ids of what uses a group
}

func (r *rds) instanceParameterGroups() parameterGroups {
	return parameterGroups{
		r, "DBParameterGroup", "pg", func(st *state) map[string]*dbParameterGroup { return st.DBParameterGroups },
		func(st *state, name string) []string {
			var ids []string
			for id, instance := range st.DBInstances {
				if instance.ParameterGroup == name {
					ids = append(ids, id)
				}
			}
			return ids
		},
	}
}

func (r *rds) clusterParameterGroups() parameterGroups {
	return parameterGroups{
		r, "DBClusterParameterGroup", "cluster-pg", func(st *state) map[string]*dbParameterGroup { return st.DBClusterParameterGroups },
		func(st *state, name string) []string {
			var ids []string
			for id, cluster := range st.DBClusters {
				if cluster.ParameterGroup == name {
					ids = append(ids, id)
				}
			}
			return ids
		},
	}
}

// table are the actions of this kind of groups.
func (p parameterGroups) table() map[string]queryAction {
	parameters := strings.TrimSuffix(p.element, "Group") + "s"
	return map[string]queryAction{
		"Create" + p.element:         p.create,
		"Delete" + p.element:         p.delete,
		"Describe" + p.element + "s": p.describe,
		"Describe" + parameters:      p.describeParameters,
		"Modify" + p.element:         p.modify,
		"Reset" + p.element:          p.reset,
	}
}

// find finds a group, also a default one, which every family has and nobody makes.
func (p parameterGroups) find(st *state, name, region string) (*dbParameterGroup, error) {
	if group := p.groups(st)[name]; group != nil {
		return group, nil
	}
	if family, ok := strings.CutPrefix(name, "default."); ok && slices.Contains(families(), family) {
		return &dbParameterGroup{Name: name, ARN: rdsARN(region, p.arn, name), Family: family, Description: "Default parameter group for " + family}, nil
	}
	return nil, notFound("DBParameterGroupNotFound", "%s not found: %s", p.element, name)
}

// checkUse checks that a group is there and fits the engine. No name stands for the default group.
func (p parameterGroups) checkUse(st *state, name string, s settings) error {
	if name == "" {
		return nil
	}
	group, err := p.find(st, name, "")
	if err == nil && group.Family != s.family() {
		err = badRequest("InvalidParameterCombination", "The parameter group %s with family %s can't be used with %s", name, group.Family, s.family())
	}
	return err
}

// groupOf is the name of the group that is used.
func groupOf(name string, s settings) string {
	if name == "" {
		return "default." + s.family()
	}
	return name
}

func (p parameterGroups) name(c *call) string { return strings.ToLower(c.Form.Get(p.element + "Name")) }

func (p parameterGroups) create(c *call) (any, error) {
	name := p.name(c)
	group := &dbParameterGroup{
		Name: name, ARN: rdsARN(c.region, p.arn, name), Family: c.Form.Get("DBParameterGroupFamily"), Description: c.Form.Get("Description"),
		Parameters: map[string]dbParameter{},
	}
	if !slices.Contains(families(), group.Family) {
		return nil, badRequest("InvalidParameterValue", "ParameterGroupFamily %s is not a valid parameter group family", group.Family)
	}
	err := p.r.store.write(func(st *state) error {
		if p.groups(st)[name] != nil || strings.HasPrefix(name, "default.") || name == "" {
			return badRequest("DBParameterGroupAlreadyExists", "Parameter group %s already exists", name)
		}
		p.groups(st)[name] = group
		st.RDSTags[group.ARN] = tagParams(c.Form, "Tags.Tag")
		return nil
	})
	return elements{{p.element, p.xml(group)}}, err
}

func (p parameterGroups) delete(c *call) (any, error) {
	name := p.name(c)
	return struct{}{}, p.r.store.write(func(st *state) error {
		group := p.groups(st)[name]
		if group == nil {
			return notFound("DBParameterGroupNotFound", "%s not found: %s", p.element, name)
		}
		if users := p.users(st, name); len(users) > 0 {
			return badRequest("InvalidDBParameterGroupState", "One or more database instances are still members of this parameter group %s, so the group cannot be deleted", name)
		}
		delete(st.RDSTags, group.ARN)
		delete(p.groups(st), name)
		return nil
	})
}

func (p parameterGroups) describe(c *call) (any, error) {
	name := p.name(c)
	list := elements{}
	err := p.r.store.read(func(st *state) error {
		if name != "" {
			group, err := p.find(st, name, c.region)
			if err == nil {
				list = append(list, element{p.element, p.xml(group)})
			}
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(p.groups(st))) {
			list = append(list, element{p.element, p.xml(p.groups(st)[name])})
		}
		return nil
	})
	return elements{{p.element + "s", list}}, err
}

// describeParameters answers with those that were set, which are all that awsemu knows.
func (p parameterGroups) describeParameters(c *call) (any, error) {
	var result struct {
		Parameters []parameterXML `xml:"Parameters>Parameter"`
	}
	err := p.r.store.read(func(st *state) error {
		group, err := p.find(st, p.name(c), c.region)
		if err != nil {
			return err
		}
		if source := c.Form.Get("Source"); source != "" && source != "user" {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(group.Parameters)) {
			set := group.Parameters[name]
			result.Parameters = append(result.Parameters, parameterXML{name, set.Value, set.ApplyMethod, "user", "dynamic", "string", true})
		}
		return nil
	})
	return result, err
}

func (p parameterGroups) modify(c *call) (any, error) {
	return p.change(c, func(group *dbParameterGroup, params []url.Values) {
		for _, param := range params {
			group.Parameters[param.Get("ParameterName")] = dbParameter{param.Get("ParameterValue"), param.Get("ApplyMethod")}
		}
	})
}

func (p parameterGroups) reset(c *call) (any, error) {
	return p.change(c, func(group *dbParameterGroup, params []url.Values) {
		if c.Form.Get("ResetAllParameters") == "true" {
			clear(group.Parameters)
		}
		for _, param := range params {
			delete(group.Parameters, param.Get("ParameterName"))
		}
	})
}

// change changes the parameters of a group, and those of the servers that use it: awsemu has no reboots to wait for.
func (p parameterGroups) change(c *call, fn func(group *dbParameterGroup, params []url.Values)) (any, error) {
	name := p.name(c)
	var params []url.Values
	for _, list := range []string{"Parameters.Parameter", "Parameters.member"} {
		params = append(params, structParams(c.Form, list)...)
	}
	p.r.instances.Lock()
	defer p.r.instances.Unlock()
	err := p.r.store.write(func(st *state) error {
		group := p.groups(st)[name]
		if group == nil {
			return notFound("DBParameterGroupNotFound", "%s not found: %s", p.element, name)
		}
		fn(group, params)
		return nil
	})
	if err == nil {
		err = p.r.configureMySQL(c.Context())
	}
	return struct {
		Name string `xml:"DBParameterGroupName"`
	}{name}, err
}

type parameterXML struct {
	Name         string `xml:"ParameterName"`
	Value        string `xml:"ParameterValue"`
	ApplyMethod  string
	Source       string
	ApplyType    string
	DataType     string
	IsModifiable bool
}

// xml is a group in an answer, where the kind of it is a part of the names.
func (p parameterGroups) xml(group *dbParameterGroup) elements {
	return elements{
		{p.element + "Name", group.Name}, {p.element + "Arn", group.ARN}, {"DBParameterGroupFamily", group.Family}, {"Description", group.Description},
	}
}
