package bundle

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestReadTerraform(t *testing.T) {
	for product, version := range map[Product]string{ProductTerraform: "1.11.4", ProductOpenTofu: "1.10.2"} {
		got, err := ReadTerraform(t.Context(), writeBinary(t, product, version))
		if err != nil {
			t.Fatal(err)
		}
		if got.Product != product || got.Version != version {
			t.Errorf("want %s %s, got %s %s", product, version, got.Product, got.Version)
		}
	}
	other := filepath.Join(t.TempDir(), "other")
	mustWrite(t, other, "not a program", 0o755)
	if _, err := ReadTerraform(t.Context(), other); err == nil || !strings.Contains(err.Error(), "ask "+other+" for its version") {
		t.Errorf("a file that does not run: %v", err)
	}
}
