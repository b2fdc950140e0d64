package providerproxy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/sets"
)

func TestConfigTypes(t *testing.T) {
	cases := map[string]struct {
		reason  string
		files   map[string]string
		want    []string
		wantErr bool
	}{
		"blocks": {
			"Resources, data sources and ephemeral resources have schemas; providers and variables have none by name.",
			map[string]string{"main.tf": `
provider "aws" {}
variable "name" { type = string }
resource "aws_s3_bucket" "a" { bucket = var.name }
resource "aws_s3_bucket" "b" {}
data "aws_region" "now" {}
ephemeral "aws_secretsmanager_secret_version" "password" { secret_id = "s" }
`},
			[]string{"aws_region", "aws_s3_bucket", "aws_secretsmanager_secret_version"}, false,
		},
		"check": {
			"A check may have a data source of its own.",
			map[string]string{"main.tf": `
check "reachable" {
  data "aws_vpc" "this" {}
  assert {
    condition     = data.aws_vpc.this.id != ""
    error_message = "no VPC"
  }
}`},
			[]string{"aws_vpc"}, false,
		},
		"child modules": {
			"Those of child modules count, wherever they are.",
			map[string]string{
				"main.tf":                 `module "queue" { source = "./modules/queue" }`,
				"modules/queue/main.tf":   `resource "aws_sqs_queue" "this" {}`,
				".terraform/modules/x.tf": `data "aws_caller_identity" "me" {}`,
			},
			[]string{"aws_caller_identity", "aws_sqs_queue"}, false,
		},
		"JSON": {
			"Terraform reads JSON, too.",
			map[string]string{
				"main.tf.json": `{"resource": {"aws_sns_topic": {"a": {}, "b": {}}}, "data": [{"aws_vpc": {"this": {}}}]}`,
				"vars.json":    `{"resource": {"not": {"read": {}}}}`,
			},
			[]string{"aws_sns_topic", "aws_vpc"}, false,
		},
		"OpenTofu": {
			"OpenTofu has files of its own.",
			map[string]string{"main.tofu": `resource "aws_sns_topic" "a" {}`},
			[]string{"aws_sns_topic"}, false,
		},
		"broken": {"What cannot be read may use anything.", map[string]string{"main.tf": `resource "aws_s3_bucket" {`}, nil, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range tc.files {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := ConfigTypes(dir)
			if (err != nil) != tc.wantErr {
				t.Fatalf("%s\nerror %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, sets.List(got)); err == nil && diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestStateTypes(t *testing.T) {
	cases := map[string]struct {
		reason, state string
		want          []string
		wantErr       bool
	}{
		"resources": {"A type counts once.", `{"version": 4, "resources": [{"type": "aws_s3_bucket"}, {"type": "aws_s3_bucket"}, {"type": "aws_vpc", "mode": "data"}]}`, []string{"aws_s3_bucket", "aws_vpc"}, false},
		"none":      {"There may be no state.", "", []string{}, false},
		"garbage":   {"What is not a state may hold anything.", "PK", nil, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := StateTypes([]byte(tc.state))
			if (err != nil) != tc.wantErr {
				t.Fatalf("%s\nerror %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, sets.List(got)); err == nil && diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}
