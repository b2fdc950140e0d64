package certificate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrite(t *testing.T) {
	type data = map[string][]byte
	for _, tc := range []struct {
		name string
		// data is what the Secret holds, one time after the other.
		data []data
		want map[string]string
	}{
		{"An empty Secret writes nothing.", []data{nil}, map[string]string{}},
		{"A key without a certificate is not enough.", []data{{keyFile: []byte("k")}}, map[string]string{}},
		{"A certificate without a key is not enough.", []data{{certFile: []byte("c")}}, map[string]string{}},
		{"Both are written, and nothing else.", []data{{certFile: []byte("c"), keyFile: []byte("k"), "ca.key": []byte("secret")}},
			map[string]string{certFile: "c", keyFile: "k"}},
		{"Others take their place.", []data{{certFile: []byte("c"), keyFile: []byte("k")}, {certFile: []byte("d"), keyFile: []byte("l")}},
			map[string]string{certFile: "d", keyFile: "l"}},
		{"Those that are lost stay until there are others.", []data{{certFile: []byte("c"), keyFile: []byte("k")}, nil},
			map[string]string{certFile: "c", keyFile: "k"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, d := range tc.data {
				if err := write(dir, d); err != nil {
					t.Fatal(err)
				}
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, entry := range entries {
				text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
				if err != nil {
					t.Fatal(err)
				}
				got[entry.Name()] = string(text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("files, -want +got:\n%s", diff)
			}
		})
	}
}
