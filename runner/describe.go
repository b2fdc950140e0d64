package runner

import (
	"fmt"
	"strings"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// described is the number of changes that a message names.
const described = 5

// Describe names a plan's changes in one line, such as "replace
// aws_db_instance.this (engine), update aws_s3_bucket.a (tags) and 3 more".
func Describe(plan *v1alpha1.PlanSummary) string {
	var lines []string
	for _, c := range plan.Changes[:min(len(plan.Changes), described)] {
		line := strings.ToLower(string(c.Action)) + " " + c.Address
		switch {
		case len(c.Attributes) > 0:
			line += " (" + strings.Join(c.Attributes, ", ") + ")"
		case c.Reason != "":
			line += " (" + c.Reason + ")"
		}
		lines = append(lines, line)
	}
	text := strings.Join(lines, ", ")
	if more := plan.Total() - len(lines); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
