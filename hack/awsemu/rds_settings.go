package main

import (
	"encoding/xml"
	"maps"
	"net/url"
	"strconv"
	"strings"
)

// settings are an instance's settings that are one value each, by the name of the parameter that sets them.
type settings map[string]string

// setting describes one of them.
type setting struct {
	param    string // in CreateDBInstance and ModifyDBInstance
	element  string // in the answers, where it has another name there
	value    string // the default; none: left out of answers
	deferred bool   // a change waits for the maintenance window unless it is to be applied immediately
}

// instanceSettings is the table of what an instance remembers. Which changes wait is documented in
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html
func instanceSettings() []setting {
	return []setting{
		{param: "AllocatedStorage", deferred: true},
		{param: "AutoMinorVersionUpgrade", value: "true"},
		{param: "AvailabilityZone"},
		{param: "BackupRetentionPeriod", value: "1", deferred: true},
		{param: "BackupTarget", value: "region"},
		{param: "CACertificateIdentifier", value: "rds-ca-rsa2048-g1"},
		{param: "CopyTagsToSnapshot", value: "false"},
		{param: "DBInstanceClass", deferred: true},
		{param: "DBName"},
		{param: "DatabaseInsightsMode", value: "standard"},
		{param: "DedicatedLogVolume", value: "false", deferred: true},
		{param: "DeletionProtection", value: "false"},
		{param: "EnableCustomerOwnedIp", element: "CustomerOwnedIpEnabled", value: "false"},
		{param: "EnableIAMDatabaseAuthentication", element: "IAMDatabaseAuthenticationEnabled", value: "false", deferred: true},
		{param: "EnablePerformanceInsights", element: "PerformanceInsightsEnabled", value: "false"},
		{param: "Engine"},
		{param: "EngineLifecycleSupport", value: "open-source-rds-extended-support"},
		{param: "EngineVersion", deferred: true},
		{param: "Iops", deferred: true},
		{param: "KmsKeyId"},
		{param: "LicenseModel"},
		{param: "MasterUsername"},
		{param: "MaxAllocatedStorage"},
		{param: "MonitoringInterval", value: "0"},
		{param: "MonitoringRoleArn"},
		{param: "MultiAZ", value: "false", deferred: true},
		{param: "NetworkType", value: "IPV4"},
		{param: "PerformanceInsightsKMSKeyId"},
		{param: "PerformanceInsightsRetentionPeriod"},
		{param: "PreferredBackupWindow", value: "03:00-03:30"},
		{param: "PreferredMaintenanceWindow", value: "sun:04:00-sun:04:30"},
		{param: "PromotionTier"}, // of instances of clusters
		{param: "PubliclyAccessible", value: "false"},
		{param: "StorageEncrypted", value: "false"},
		{param: "StorageThroughput", deferred: true},
		{param: "StorageType", value: "gp2", deferred: true},
	}
}

// clusterSettingTable is the same of clusters. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Modifying.html
func clusterSettingTable() []setting {
	return []setting{
		{param: "AllocatedStorage", value: "1"},
		{param: "BackupRetentionPeriod", value: "1"},
		{param: "CopyTagsToSnapshot", value: "false"},
		{param: "DatabaseInsightsMode", value: "standard"},
		{param: "DatabaseName"},
		{param: "DeletionProtection", value: "false"},
		{param: "EnableHttpEndpoint", element: "HttpEndpointEnabled", value: "false"},
		{param: "EnableIAMDatabaseAuthentication", element: "IAMDatabaseAuthenticationEnabled", value: "false", deferred: true},
		{param: "Engine"},
		{param: "EngineLifecycleSupport", value: "open-source-rds-extended-support"},
		{param: "EngineMode", value: "provisioned"},
		{param: "EngineVersion", deferred: true},
		{param: "KmsKeyId"},
		{param: "MasterUsername"},
		{param: "NetworkType", value: "IPV4"},
		{param: "PreferredBackupWindow", value: "03:00-03:30"},
		{param: "PreferredMaintenanceWindow", value: "sun:04:00-sun:04:30"},
		{param: "StorageEncrypted", value: "false"},
		{param: "StorageType"},
	}
}

// write writes the settings of a table as elements of the answer that they are part of, without an element around them.
func (s settings) write(enc *xml.Encoder, table []setting) error {
	for _, known := range table {
		value, ok := s[known.param]
		if !ok {
			continue
		}
		name := known.param
		if known.element != "" {
			name = known.element
		}
		if err := enc.EncodeElement(value, xml.StartElement{Name: xml.Name{Local: name}}); err != nil {
			return err
		}
	}
	return nil
}

func (s settings) MarshalXML(enc *xml.Encoder, _ xml.StartElement) error {
	return s.write(enc, instanceSettings())
}

// clusterSettings are the settings of a cluster in an answer.
type clusterSettings settings

func (s clusterSettings) MarshalXML(enc *xml.Encoder, _ xml.StartElement) error {
	return settings(s).write(enc, clusterSettingTable())
}

// newSettings reads the settings of a new instance or cluster.
func newSettings(form url.Values, region string, table []setting) (settings, error) {
	s := settings{}
	for _, known := range table {
		s.fill(known.param, form.Get(known.param))
		s.fill(known.param, known.value)
	}
	key := "arn:aws:kms:" + region + ":" + account + ":key/0d5e6f00-0000-4000-8000-000000000001" // the account's aws/rds key
	engine := engines()[s["Engine"]]
	s.fill("AvailabilityZone", region+"a")
	s.fill("EngineVersion", engine.newest)
	s.fill("LicenseModel", engine.license)
	if s["StorageEncrypted"] == "true" {
		s.fill("KmsKeyId", key)
	}
	if s["StorageType"] == "gp3" {
		s.fill("Iops", "3000")
		s.fill("StorageThroughput", "125")
	}
	if s["EnablePerformanceInsights"] == "true" {
		s.fill("PerformanceInsightsRetentionPeriod", "7")
		s.fill("PerformanceInsightsKMSKeyId", key)
	}
	return s, s.finish()
}

// fill sets a setting that has no value yet.
func (s settings) fill(param, value string) {
	if s[param] == "" && value != "" {
		s[param] = value
	}
}

// change applies a ModifyDBInstance or ModifyDBCluster call. What waits for the maintenance window, from before or from this call, is
// returned apart; a call that applies immediately applies that too, as RDS does.
func (s settings) change(form url.Values, waiting settings, table []setting) (next, stillWaiting settings, err error) {
	all := maps.Clone(s)
	maps.Copy(all, waiting)
	for _, known := range table {
		if form.Has(known.param) {
			all[known.param] = form.Get(known.param)
		}
	}
	if err := all.finish(); err != nil {
		return nil, nil, err
	}
	before, after := atoi(s["AllocatedStorage"]), atoi(all["AllocatedStorage"])
	if after != before && after*10 < before*11 {
		return nil, nil, badRequest("InvalidParameterCombination", "Invalid storage size: %d GiB must grow by at least 10 %%, not to %d GiB", before, after)
	}
	if all.series() != s.series() && form.Get("AllowMajorVersionUpgrade") != "true" {
		return nil, nil, badRequest("InvalidParameterCombination", "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
	}
	if form.Get("ApplyImmediately") == "true" {
		return all, settings{}, nil
	}
	next, stillWaiting = maps.Clone(s), settings{}
	for _, known := range table {
		switch value, ok := all[known.param]; {
		case !ok || value == s[known.param]:
		case known.deferred:
			stillWaiting[known.param] = value
		default:
			next[known.param] = value
		}
	}
	return next, stillWaiting, nil
}

// finish makes the engine version exact and checks the settings against RDS's rules.
func (s settings) finish() error {
	engine, ok := engines()[s["Engine"]]
	if !ok {
		return badRequest("InvalidParameterValue", "awsemu does not have the engine '%s'", s["Engine"])
	}
	if err := s.exactVersion(); err != nil || engine.cluster {
		return err // the storage of a cluster grows by itself
	}
	if !strings.HasPrefix(s["DBInstanceClass"], "db.") {
		return badRequest("InvalidParameterValue", "Invalid DB Instance class: %s", s["DBInstanceClass"])
	}
	smallest := map[string]int{"gp2": 20, "gp3": 20, "io1": 100, "io2": 100, "standard": 5}
	least, known := smallest[s["StorageType"]]
	if !known {
		return badRequest("InvalidParameterValue", "Invalid storage type: %s", s["StorageType"])
	}
	if size := atoi(s["AllocatedStorage"]); size < least || size > 65536 {
		return badRequest("InvalidParameterValue", "Invalid storage size for engine name %s and storage type %s: %s", s["Engine"], s["StorageType"], s["AllocatedStorage"])
	}
	return nil
}

// atoi reads a number; what is none counts as 0, which is outside of every range that is checked.
func atoi(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
