package audit

import (
	"fmt"
	"slices"
)

// Compare returns what is wrong, sorted: requests that were refused though no grant
// covers them, and grants that no request used unless their comment says why. A request
// is put down to the narrowest grant that allows it: one in its namespace before one that
// holds everywhere. One that was refused though a grant covers it was made while the role
// was not there, as during an uninstall.
func Compare(grants []Grant, uses []Use) []string {
	used := map[Grant]bool{}
	var faults []string
	for _, u := range uses {
		switch i := narrowest(grants, u); {
		case i >= 0:
			used[grants[i]] = true
		case u.Forbidden:
			faults = append(faults, "refused: "+u.String())
		}
	}
	for _, g := range grants {
		if !used[g] && !g.Unused {
			faults = append(faults, fmt.Sprintf("never used, and its comment does not say why it is there: %s", g))
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
