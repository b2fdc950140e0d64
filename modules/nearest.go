package modules

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// instead says what can be written instead of an unknown name: the nearest one,
// and all of them; or that there are none.
func instead(name, intro, none string, known []string) string {
	if len(known) == 0 {
		return none
	}
	all := intro + " " + strings.Join(known, ", ")
	if n := nearest(name, known); n != "" {
		return fmt.Sprintf("did you mean %q? %s", n, all)
	}
	return all
}

// nearest returns the known name that is most likely meant; empty when none is
// near.
func nearest(name string, known []string) string {
	best, bestDistance := "", 1+max(2, len(name)/4)
	for _, k := range known {
		d := levenshtein.Distance(name, k, nil)
		if strings.HasSuffix(k, "-"+name) || strings.HasPrefix(k, name+"-") {
			d = min(d, 1) // "s3-bucket" for "aws-s3-bucket"
		}
		if d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}
