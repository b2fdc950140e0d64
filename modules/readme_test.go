package modules

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
