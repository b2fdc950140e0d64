package status

import "testing"

func TestPlace(t *testing.T) {
	for place, want := range map[int]string{
		1: "1st of 200", 2: "2nd of 200", 3: "3rd of 200", 4: "4th of 200", 10: "10th of 200", 11: "11th of 200", 12: "12th of 200", 13: "13th of 200",
		21: "21st of 200", 100: "100th of 200", 101: "101st of 200", 111: "111th of 200", 122: "122nd of 200",
	} {
		if got := Place(place, 200); got != want {
			t.Errorf("place %d: got %q, want %q", place, got, want)
		}
	}
}
