package status

import "fmt"

// Place says where something stands in a line: "17th of 42".
func Place(place, of int) string {
	suffix := "th"
	if tens := place / 10 % 10; tens != 1 {
		switch place % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s of %d", place, suffix, of)
}
