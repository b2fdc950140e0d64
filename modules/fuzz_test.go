package modules

import (
	"testing"
)

// FuzzModule_Inputs gives any bytes to variables of many types. Whatever is
// accepted is accepted again as it was written, unchanged; nothing panics.
func FuzzModule_Inputs(f *testing.F) {
	var all []*Module
	for _, declaration := range declarations() {
		all = append(all, loadModule(f, block("v", declaration)))
	}
	for i, value := range jsonValues() {
		f.Add(uint(i), value, i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, i uint, value string, asText bool) {
		m := all[i%uint(len(all))]
		in := Input{JSON: []byte(value), Source: "s"}
		if asText {
			in = Input{Text: &value, Source: "s"}
		}
		first, err := m.Inputs(map[string]Input{"v": in})
		if err != nil {
			return
		}
		again, err := m.Inputs(map[string]Input{"v": {JSON: only(t, first), Source: "s"}})
		if err != nil {
			t.Fatalf("%s became %s for %s, which is refused: %v", value, first, m.Variables[0].TypeString(), err)
		}
		if string(again) != string(first) {
			t.Fatalf("%s became %s for %s, and that %s", value, first, m.Variables[0].TypeString(), again)
		}
	})
}
