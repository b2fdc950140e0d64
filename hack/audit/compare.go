package audit

import (
	"fmt"
	"slices"
)

// Compare returns what is wrong, sorted: requests that were refused, grants that no
// request used though their comment does not say so, and grants that were used
// though it does. A request is put down to the narrowest grant that allows it: one in
// its namespace before one that holds everywhere.
func Compare(grants []Grant, uses []Use) []string {
	used := map[Grant]bool{}
	var faults []string
	for _, u := range uses {
		if u.Forbidden {
			faults = append(faults, "refused: "+u.String())
			continue
		}
		if i := narrowest(grants, u); i >= 0 {
			used[grants[i]] = true
		}
	}
	for _, g := range grants {
		switch {
		case !used[g] && !g.Unused:
			faults = append(faults, fmt.Sprintf("never used, and its comment does not say why it is there: %s", g))
		case used[g] && g.Unused:
			faults = append(faults, fmt.Sprintf("used, but its comment says that it is not: %s", g))
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}

func narrowest(grants []Grant, u Use) int {
	everywhere := -1
	for i, g := range grants {
		if !g.allows(u) {
			continue
		}
		if g.Namespace != "" {
			return i
		}
		everywhere = i
	}
	return everywhere
}

// Unnamed returns the user's requests for resources outside a namespace that were
// not for one object by its name.
func Unnamed(uses []Use, user, except string, resources ...string) []string {
	var faults []string
	for _, u := range uses {
		if u.User == user && u.Group == "" && slices.Contains(resources, u.Resource) && u.Namespace != except && !u.Named {
			faults = append(faults, "not by name: "+u.String())
		}
	}
	return faults
}
