package modules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestModule_Reference checks what module.yaml adds to the tables.
func TestModule_Reference(t *testing.T) {
	const manifest = testManifest + `
statefulTypes: [aws_a, aws_b]
durations: {create: 10m, destroy: 90s}
permissions:
- actions: [s3:CreateBucket]
  resources: ["arn:aws:s3:::*"]
- actions: [iam:PassRole]
  resources: ["*"]
  conditions: {StringEquals: {"iam:PassedToService": rds.amazonaws.com}}
notes:
  1.2.0: Another default.
  1.10.0: |
    Two
    lines.
`
	c, err := Load(folder(map[string]string{"x/module.yaml": manifest, "x/main.tf": ""}))
	if err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(c.Modules()[0].Reference(), "### Runs\n")
	const want = `
A create usually takes 10m, a destroy 90s. A run is stopped after 30m unless ` + "`timeout`" + ` says otherwise; give a HelmRelease that waits for it no less.

Data, or what others know it by, goes with: ` + "`aws_a`, `aws_b`" + `.

### IAM policy

The least that plan, apply and destroy need:

` + "```json" + `
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "s3:CreateBucket"
      ],
      "Resource": [
        "arn:aws:s3:::*"
      ]
    },
    {
      "Effect": "Allow",
      "Action": [
        "iam:PassRole"
      ],
      "Resource": [
        "*"
      ],
      "Condition": {
        "StringEquals": {
          "iam:PassedToService": "rds.amazonaws.com"
        }
      }
    }
  ]
}
` + "```" + `

### Upgrades

- **1.10.0**: Two lines.
- **1.2.0**: Another default.
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Reference() (-want +got):\n%s", diff)
	}
}

func TestModule_Readme(t *testing.T) {
	m := loadModule(t, `
		variable "name" {
		  description = <<-EOT
		    The name,
		    a|b.
		  EOT
		  type        = string
		}
		variable "size" {
		  type    = object({ gb = optional(number, 20) })
		  default = {}
		}
		variable "note" {
		  type    = string
		  default = null
		}
		variable "password" {
		  type      = string
		  default   = "secret"
		  sensitive = true
		}
		output "host" {
		  value       = "h"
		  description = "The host."
		}
		output "password" {
		  value     = "p"
		  sensitive = true
		}
	`)
	const want = "# x\n\n<!-- BEGIN GENERATED -->\n" +
		"### Variables\n\n" +
		"| Name | Type | Default | Description |\n" +
		"| --- | --- | --- | --- |\n" +
		"| `name` | `string` | required | The name, a\\|b. |\n" +
		"| `note` | `string` | `null` |  |\n" +
		"| `password` | `string` | sensitive |  |\n" +
		"| `size` | `object({gb = optional(number, 20)})` | `{\"gb\":20}` |  |\n" +
		"\n### Outputs\n\n" +
		"| Name | Description | Sensitive |\n" +
		"| --- | --- | --- |\n" +
		"| `host` | The host. | no |\n" +
		"| `password` |  | yes |\n" +
		"<!-- END GENERATED -->\n\nMore.\n"
	cases := map[string]struct {
		text string
		want string
		err  bool
	}{
		"Empty markers are filled.":             {text: "# x\n\n<!-- BEGIN GENERATED -->\n<!-- END GENERATED -->\n\nMore.\n", want: want},
		"Stale tables are replaced.":            {text: "# x\n\n<!-- BEGIN GENERATED -->\nold\n<!-- END GENERATED -->\n\nMore.\n", want: want},
		"Current tables stay as they are.":      {text: want, want: want},
		"A README without markers is an error.": {text: "# x\n", err: true},
		"A README without an end is an error.":  {text: "<!-- BEGIN GENERATED -->\n", err: true},
		"Markers the wrong way are an error.":   {text: "<!-- END GENERATED -->\n<!-- BEGIN GENERATED -->\n", err: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := m.Readme([]byte(c.text))
			if (err != nil) != c.err {
				t.Errorf("Readme() error = %v, want one: %v", err, c.err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("Readme() (-want +got):\n%s", diff)
			}
		})
	}
}
