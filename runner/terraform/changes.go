package terraform

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/groundwork-dev/groundwork/api/v1alpha1"
)

// Bounds of the API on a plan's changes.
const (
	maxChanges    = 20
	maxAttributes = 10
	maxAddress    = 1024
)

// change is the planned change of one managed resource.
type change struct {
	address string
	kind    string
	action  v1alpha1.ChangeAction
	// attributes are the paths that force a replacement, or the names of the
	// attributes that are updated, sorted.
	attributes []string
	// reason is Terraform's, for what no attribute is the reason of.
	reason string
	// stateful says that the module declares the type stateful.
	stateful bool
	// content is what decides whether two plans do the same: it may hold secrets.
	content changeContent
}

// changeContent is all of a change but what was there before: that may differ
// from one look to the next without a difference to what is done.
type changeContent struct {
	Address, PreviousAddress, Deposed string
	Actions                           tfjson.Actions
	ReplacePaths                      []any
	// Values are the attributes that change, as they are to be.
	Values map[string]any
	// Unknown are those of which that is known after the apply only.
	Unknown map[string]any
}

// destructive tells whether the change loses a resource that keeps something.
func (c change) destructive() bool {
	switch c.action {
	case v1alpha1.ChangeReplace, v1alpha1.ChangeDelete, v1alpha1.ChangeForget:
		return c.stateful
	}
	return false
}

// changesOf returns the changes of managed resources in a plan, those that are
// destructive first.
func changesOf(plan *tfjson.Plan, statefulTypes []string) []change {
	var changes []change
	for _, rc := range plan.ResourceChanges {
		action, ok := actionOf(rc.Change)
		if !ok || rc.Mode != tfjson.ManagedResourceMode {
			continue
		}
		values, unknown := changedValues(rc.Change)
		c := change{
			address: rc.Address, kind: rc.Type, action: action,
			reason:   reasonText(rc.ActionReason),
			stateful: slices.Contains(statefulTypes, rc.Type),
			content: changeContent{
				Address: rc.Address, PreviousAddress: rc.PreviousAddress, Deposed: rc.DeposedKey,
				Actions: rc.Change.Actions, ReplacePaths: rc.Change.ReplacePaths, Values: values, Unknown: unknown,
			},
		}
		switch action {
		case v1alpha1.ChangeReplace:
			c.attributes = pathNames(rc.Change.ReplacePaths)
		case v1alpha1.ChangeUpdate:
			c.attributes = slices.Compact(slices.Sorted(maps.Keys(merge(values, unknown))))
		}
		changes = append(changes, c)
	}
	slices.SortStableFunc(changes, func(a, b change) int {
		if a.destructive() != b.destructive() {
			if a.destructive() {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.address, b.address)
	})
	return changes
}

// actionOf names what a change does; ok is false when that is nothing.
func actionOf(c *tfjson.Change) (action v1alpha1.ChangeAction, ok bool) {
	switch {
	case c == nil || c.Actions.NoOp() || c.Actions.Read():
		return "", false
	case c.Actions.Create():
		return v1alpha1.ChangeCreate, true
	case c.Actions.Update():
		return v1alpha1.ChangeUpdate, true
	case c.Actions.Delete():
		return v1alpha1.ChangeDelete, true
	case slices.Contains(c.Actions, tfjson.ActionForget):
		return v1alpha1.ChangeForget, true
	default:
		return v1alpha1.ChangeReplace, true
	}
}

// changedValues returns the attributes that a change sets to something else, and
// those whose value is known after the apply only.
func changedValues(c *tfjson.Change) (values, unknown map[string]any) {
	before, _ := c.Before.(map[string]any)
	after, _ := c.After.(map[string]any)
	unknown, _ = c.AfterUnknown.(map[string]any)
	values = map[string]any{}
	for name, value := range after {
		if old, had := before[name]; !had || !reflect.DeepEqual(old, value) {
			values[name] = value
		}
	}
	return values, withoutKnown(unknown)
}

// withoutKnown drops attributes in which nothing is unknown: Terraform lists the
// nested ones of every block.
func withoutKnown(unknown map[string]any) map[string]any {
	kept := map[string]any{}
	for name, value := range unknown {
		if hasTrue(value) {
			kept[name] = value
		}
	}
	return kept
}

func hasTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case []any:
		return slices.ContainsFunc(v, hasTrue)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), hasTrue)
	}
	return false
}

func merge(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// pathNames writes paths into a resource as Terraform does: engine, rule[0].port.
func pathNames(paths []any) []string {
	var names []string
	for _, path := range paths {
		steps, _ := path.([]any)
		var name strings.Builder
		for i, step := range steps {
			switch step := step.(type) {
			case string:
				if i > 0 {
					name.WriteString(".")
				}
				name.WriteString(step)
			default:
				fmt.Fprintf(&name, "[%v]", step)
			}
		}
		names = append(names, name.String())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// reasonText says in words why Terraform deletes or replaces a resource; empty
// when an attribute forces it.
// Source: https://developer.hashicorp.com/terraform/internals/json-format#plan-representation (action_reason)
func reasonText(reason tfjson.ActionReason) string {
	switch reason {
	case "", "replace_because_cannot_update":
		return ""
	case "replace_because_tainted":
		return "an earlier run left it half-made"
	case "replace_by_triggers":
		return "replace_triggered_by"
	case "delete_because_no_resource_config":
		return "the module no longer has it"
	}
	return strings.ReplaceAll(string(reason), "_", " ")
}

// planID identifies what a plan does, from what inputs and on top of what. It
// does not tell what is in them.
func planID(base, inputsDigest string, changes []change) (string, error) {
	contents := make([]changeContent, len(changes))
	for i, c := range changes {
		contents[i] = c.content
	}
	b, err := json.Marshal([]any{base, inputsDigest, contents})
	if err != nil {
		return "", fmt.Errorf("identify the plan: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6]), nil
}

// summaryOf is what a status shows of a plan.
func summaryOf(id string, changes []change, m mask) *v1alpha1.PlanSummary {
	summary := &v1alpha1.PlanSummary{ID: id}
	for _, c := range changes {
		switch c.action {
		case v1alpha1.ChangeCreate:
			summary.Create++
		case v1alpha1.ChangeUpdate:
			summary.Update++
		case v1alpha1.ChangeReplace:
			summary.Replace++
		case v1alpha1.ChangeDelete:
			summary.Delete++
		}
		if len(summary.Changes) == maxChanges {
			continue
		}
		attributes := c.attributes[:min(len(c.attributes), maxAttributes)]
		shown := v1alpha1.ResourceChange{
			Address: cut(m.apply(c.address), maxAddress), Action: c.action, Reason: c.reason, Destructive: c.destructive(),
		}
		for _, name := range attributes {
			shown.Attributes = append(shown.Attributes, m.apply(name))
		}
		summary.Changes = append(summary.Changes, shown)
	}
	return summary
}
