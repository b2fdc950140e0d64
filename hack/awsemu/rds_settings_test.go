package main

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// form makes parameters out of a query string.
func form(t *testing.T, query string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// errorCode returns the code of an API error, empty when there is none.
func errorCode(err error) string {
	if api, ok := errors.AsType[*apiError](err); ok {
		return api.Code
	}
	return ""
}

const smallInstance = "Engine=postgres&DBInstanceClass=db.t4g.micro&AllocatedStorage=20"

func Test_newSettings(t *testing.T) {
	cases := map[string]struct {
		params   string
		want     settings // some of the settings
		wantCode string
	}{
		"What is not given has RDS's default.": {smallInstance, settings{
			"EngineVersion": "17.4", "StorageType": "gp2", "AvailabilityZone": "eu-central-1a", "BackupRetentionPeriod": "1", "DeletionProtection": "false", "KmsKeyId": "", "Iops": "",
		}, ""},
		"A major version stands for its latest minor one.": {smallInstance + "&EngineVersion=16", settings{"EngineVersion": "16.8"}, ""},
		"A minor version is taken as it is.":               {smallInstance + "&EngineVersion=16.3", settings{"EngineVersion": "16.3"}, ""},
		"A version that is not there.":                     {smallInstance + "&EngineVersion=9.6", nil, "InvalidParameterCombination"},
		"gp3 has a baseline.":                              {smallInstance + "&StorageType=gp3", settings{"Iops": "3000", "StorageThroughput": "125"}, ""},
		"Encryption has a key.": {
			smallInstance + "&StorageEncrypted=true",
			settings{"KmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/0d5e6f00-0000-4000-8000-000000000001"}, "",
		},
		"Another engine.": {"Engine=oracle-ee&DBInstanceClass=db.t4g.micro&AllocatedStorage=20", nil, "InvalidParameterValue"},
		"A series of MySQL has two parts.": {
			"Engine=mysql&DBInstanceClass=db.t4g.micro&AllocatedStorage=20&EngineVersion=8.0", settings{"EngineVersion": "8.0.42", "LicenseModel": "general-public-license"}, "",
		},
		"A class that is none.":          {"Engine=postgres&DBInstanceClass=t4g.micro&AllocatedStorage=20", nil, "InvalidParameterValue"},
		"Too little storage.":            {"Engine=postgres&DBInstanceClass=db.t4g.micro&AllocatedStorage=19", nil, "InvalidParameterValue"},
		"Less is enough on old storage.": {"Engine=postgres&DBInstanceClass=db.t4g.micro&AllocatedStorage=5&StorageType=standard", settings{"AllocatedStorage": "5"}, ""},
		"Too much storage.":              {"Engine=postgres&DBInstanceClass=db.t4g.micro&AllocatedStorage=65537", nil, "InvalidParameterValue"},
		"No storage.":                    {"Engine=postgres&DBInstanceClass=db.t4g.micro", nil, "InvalidParameterValue"},
		"A storage type that is none.":   {smallInstance + "&StorageType=floppy", nil, "InvalidParameterValue"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := newSettings(form(t, test.params), "eu-central-1", instanceSettings())
			if errorCode(err) != test.wantCode {
				t.Fatalf("got error %v, want %q", err, test.wantCode)
			}
			for param, want := range test.want {
				if got[param] != want {
					t.Errorf("%s is %q, want %q", param, got[param], want)
				}
			}
		})
	}
}

func TestSettings_change(t *testing.T) {
	cases := map[string]struct {
		waiting      settings
		params       string
		want         settings // what differs afterwards
		stillWaiting settings
		wantCode     string
	}{
		"Nothing asked, nothing changed.":           {settings{}, "", settings{}, settings{}, ""},
		"Applied immediately.":                      {settings{}, "AllocatedStorage=30&ApplyImmediately=true", settings{"AllocatedStorage": "30"}, settings{}, ""},
		"Storage waits for the maintenance window.": {settings{}, "AllocatedStorage=30", settings{}, settings{"AllocatedStorage": "30"}, ""},
		"Deletion protection never waits.":          {settings{}, "DeletionProtection=true", settings{"DeletionProtection": "true"}, settings{}, ""},
		"What waited is kept.":                      {settings{"MultiAZ": "true"}, "AllocatedStorage=30", settings{}, settings{"MultiAZ": "true", "AllocatedStorage": "30"}, ""},
		"What waited is applied along.":             {settings{"MultiAZ": "true"}, "AllocatedStorage=30&ApplyImmediately=true", settings{"MultiAZ": "true", "AllocatedStorage": "30"}, settings{}, ""},
		"What waited can be called off.":            {settings{"AllocatedStorage": "30"}, "AllocatedStorage=20", settings{}, settings{}, ""},
		"Storage grows by a tenth at least.":        {settings{}, "AllocatedStorage=21&ApplyImmediately=true", nil, nil, "InvalidParameterCombination"},
		"Storage never shrinks.":                    {settings{}, "AllocatedStorage=19&StorageType=standard", nil, nil, "InvalidParameterCombination"},
		"A new minor version.":                      {settings{}, "EngineVersion=16.9&ApplyImmediately=true", settings{"EngineVersion": "16.9"}, settings{}, ""},
		"A new major version has to be allowed.":    {settings{}, "EngineVersion=17&ApplyImmediately=true", nil, nil, "InvalidParameterCombination"},
		"A new major version that is allowed.":      {settings{}, "EngineVersion=17&AllowMajorVersionUpgrade=true&ApplyImmediately=true", settings{"EngineVersion": "17.4"}, settings{}, ""},
		"What waits has to be right now.":           {settings{}, "DBInstanceClass=big", nil, nil, "InvalidParameterValue"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			before, err := newSettings(form(t, smallInstance+"&EngineVersion=16"), "eu-central-1", instanceSettings())
			if err != nil {
				t.Fatal(err)
			}
			got, waiting, err := before.change(form(t, test.params), test.waiting, instanceSettings())
			if errorCode(err) != test.wantCode {
				t.Fatalf("got error %v, want %q", err, test.wantCode)
			}
			differs := settings{}
			for param, value := range got {
				if value != before[param] {
					differs[param] = value
				}
			}
			if test.want != nil {
				if diff := cmp.Diff(test.want, differs); diff != "" {
					t.Error(diff)
				}
			}
			if diff := cmp.Diff(test.stillWaiting, waiting); diff != "" {
				t.Errorf("waiting: %s", diff)
			}
		})
	}
}

func Test_instanceSettings(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range instanceSettings() {
		if seen[s.param] {
			t.Errorf("%s is in the table twice", s.param)
		}
		seen[s.param] = true
	}
	for _, param := range instanceParams() {
		if seen[param] {
			t.Errorf("%s is a setting and read by hand", param)
		}
	}
}

func Test_checkMaster(t *testing.T) {
	cases := map[string]struct {
		user, database, password string
		ok                       bool
	}{
		"As modules have it.":              {"app", "app", "0123456789", true},
		"No database.":                     {"app", "", "0123456789", true},
		"No user.":                         {"", "app", "0123456789", false},
		"A reserved user.":                 {"admin", "app", "0123456789", false},
		"A user that PostgreSQL reserves.": {"pg_app", "app", "0123456789", false},
		"A reserved database.":             {"app", "template1", "0123456789", false},
		"A name that is too long.":         {strings.Repeat("a", 64), "app", "0123456789", false},
		"A short password.":                {"app", "app", "0123456", false},
		"A long password.":                 {"app", "app", strings.Repeat("a", 129), false},
		"A character of URLs.":             {"app", "app", "01234567/", false},
		"A blank.":                         {"app", "app", "0123 4567", false},
		"A letter beyond ASCII.":           {"app", "app", "01234567ä", false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			err := checkMaster(url.Values{"MasterUsername": {test.user}, "DBName": {test.database}, "MasterUserPassword": {test.password}})
			if (err == nil) != test.ok {
				t.Errorf("got error %v, want none: %v", err, test.ok)
			}
		})
	}
}
