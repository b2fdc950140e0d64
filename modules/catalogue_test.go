package modules

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCatalogue_Get(t *testing.T) {
	const empty = `terraform {}`
	c, err := Load(folder(map[string]string{
		"aws-s3-bucket/module.yaml":      testManifest,
		"aws-s3-bucket/main.tf":          empty,
		"aws-sqs-queue/module.yaml":      testManifest,
		"aws-sqs-queue/main.tf":          empty,
		"aws-rds-postgres/module.yaml":   "version: 2.0.0-rc.1\nsummary: s\n",
		"aws-rds-postgres/main.tf":       empty,
		"not-a-module/README.md":         "text",
		"a-file":                         "text",
		"not-a-module/below/module.yaml": testManifest,
	}))
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"aws-rds-postgres", "aws-s3-bucket", "aws-sqs-queue"}
	cases := map[string]struct {
		name, constraint string
		want             string
		err              error
		message          string
	}{
		"Without a constraint any version is fine.":  {name: "aws-s3-bucket", want: "1.2.3"},
		"An empty constraint is none.":               {name: "aws-s3-bucket", constraint: " ", want: "1.2.3"},
		"A constraint that is met gives the module.": {name: "aws-s3-bucket", constraint: "~> 1.2", want: "1.2.3"},
		"All parts of a constraint have to be met.":  {name: "aws-s3-bucket", constraint: ">= 1.0, < 2.0", want: "1.2.3"},
		"A pre-release is had by its exact version.": {name: "aws-rds-postgres", constraint: "2.0.0-rc.1", want: "2.0.0-rc.1"},
		"A pre-release is not had by a range.":       {name: "aws-rds-postgres", constraint: ">= 1.0", err: &VersionError{"aws-rds-postgres", ">= 1.0", []string{"2.0.0-rc.1"}}, message: `module aws-rds-postgres is there in version 2.0.0-rc.1, which does not meet the constraint ">= 1.0"`},
		"A constraint that is not met says so.":      {name: "aws-s3-bucket", constraint: "~> 2.0", err: &VersionError{"aws-s3-bucket", "~> 2.0", []string{"1.2.3"}}, message: `module aws-s3-bucket is there in version 1.2.3, which does not meet the constraint "~> 2.0"`},
		"A constraint that does not parse says how.": {name: "aws-s3-bucket", constraint: "latest", err: &ConstraintError{"latest"}, message: `"latest" is not a version constraint; write it as Terraform does, such as "~> 1.2" or ">= 1.0, < 2.0"`},
		"A misspelt name suggests the nearest.":      {name: "aws-s3-bukcet", err: &UnknownModuleError{"aws-s3-bukcet", known}, message: `there is no module "aws-s3-bukcet"; did you mean "aws-s3-bucket"? the modules are aws-rds-postgres, aws-s3-bucket, aws-sqs-queue`},
		"A name without its prefix suggests it.":     {name: "sqs-queue", err: &UnknownModuleError{"sqs-queue", known}, message: `there is no module "sqs-queue"; did you mean "aws-sqs-queue"? the modules are aws-rds-postgres, aws-s3-bucket, aws-sqs-queue`},
		"A name that is near none lists what is.":    {name: "kafka", err: &UnknownModuleError{"kafka", known}, message: `there is no module "kafka"; the modules are aws-rds-postgres, aws-s3-bucket, aws-sqs-queue`},
		"A folder without module.yaml is no module.": {name: "not-a-module", err: &UnknownModuleError{"not-a-module", known}, message: `there is no module "not-a-module"; the modules are aws-rds-postgres, aws-s3-bucket, aws-sqs-queue`},
		"A module further down is no module.":        {name: "below", err: &UnknownModuleError{"below", known}, message: `there is no module "below"; the modules are aws-rds-postgres, aws-s3-bucket, aws-sqs-queue`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			m, err := c.Get(test.name, test.constraint)
			if diff := cmp.Diff(test.err, err); diff != "" {
				t.Fatalf("error (-want +got):\n%s", diff)
			}
			if err != nil {
				if diff := cmp.Diff(test.message, err.Error()); diff != "" {
					t.Errorf("message (-want +got):\n%s", diff)
				}
				return
			}
			if m.Name != test.name || m.Version != test.want {
				t.Errorf("Get() = %s %s, want %s %s", m.Name, m.Version, test.name, test.want)
			}
		})
	}
}

func TestCatalogue_Get_empty(t *testing.T) {
	c, err := Load(folder(nil))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Get("x", "")
	var unknown *UnknownModuleError
	if !errors.As(err, &unknown) {
		t.Fatalf("Get() of an empty catalogue: %v", err)
	}
	if diff := cmp.Diff(`there is no module "x"; the library is empty`, err.Error()); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}
