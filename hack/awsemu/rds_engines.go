package main

import (
	"slices"
	"strings"
)

// engine is a database engine: how its versions are counted, and what it is called in the names of RDS's defaults.
type engine struct {
	license string
	series  int               // how many parts of a version name a release series: 17 of PostgreSQL, 8.4 of MySQL
	latest  map[string]string // the minor version that a series stands for
	newest  string            // the series of an instance that names none
	cluster bool              // its instances belong to clusters
}

func engines() map[string]engine {
	return map[string]engine{
		"aurora-postgresql": {
			license: "postgresql-license", series: 1, newest: "17", cluster: true,
			latest: map[string]string{"13": "13.21", "14": "14.18", "15": "15.13", "16": "16.9", "17": "17.5"},
		},
		"mysql": {
			license: "general-public-license", series: 2, newest: "8.4",
			latest: map[string]string{"8.0": "8.0.42", "8.4": "8.4.5"},
		},
		"postgres": {
			license: "postgresql-license", series: 1, newest: "17",
			latest: map[string]string{"13": "13.20", "14": "14.17", "15": "15.12", "16": "16.8", "17": "17.4"},
		},
	}
}

// findEngine returns the engine that a new instance or cluster asks for, which must be of the right kind.
func findEngine(name string, cluster bool) (engine, error) {
	found, ok := engines()[name]
	if !ok || found.cluster != cluster {
		kind := "instances"
		if cluster {
			kind = "clusters"
		}
		return engine{}, badRequest("InvalidParameterValue", "awsemu does not have %s of the engine '%s'", kind, name)
	}
	return found, nil
}

// seriesOf returns the release series that a version belongs to.
func (e engine) seriesOf(version string) string {
	parts := strings.Split(version, ".")
	return strings.Join(parts[:min(len(parts), e.series)], ".")
}

// series returns the release series of the engine, which the names of RDS's default parameter and option groups end in.
func (s settings) series() string { return engines()[s["Engine"]].seriesOf(s["EngineVersion"]) }

// family is the kind of parameter group that fits.
func (s settings) family() string { return s["Engine"] + s.series() }

// optionGroup is the name of RDS's default option group.
func (s settings) optionGroup() string {
	return "default:" + s["Engine"] + "-" + strings.ReplaceAll(s.series(), ".", "-")
}

// exactVersion puts the latest minor version in the place of a series.
func (s settings) exactVersion() error {
	minor, known := engines()[s["Engine"]].latest[s.series()]
	if !known {
		return badRequest("InvalidParameterCombination", "Cannot find version %s for %s", s["EngineVersion"], s["Engine"])
	}
	if s["EngineVersion"] == s.series() {
		s["EngineVersion"] = minor
	}
	return nil
}

// families are those that a parameter group may be made for.
func families() []string {
	var list []string
	for name, e := range engines() {
		for series := range e.latest {
			list = append(list, name+series)
		}
	}
	slices.Sort(list)
	return list
}
