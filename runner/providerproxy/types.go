package providerproxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"k8s.io/apimachinery/pkg/util/sets"
)

// typed are the blocks whose first label is a type that a provider has a schema of. A check
// may hold data sources.
// Source: https://developer.hashicorp.com/terraform/language/syntax/configuration
var typed = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "ephemeral", LabelNames: []string{"type", "name"}},
	{Type: "check", LabelNames: []string{"name"}},
}}

// ConfigTypes are the types that a configuration uses, its child modules' included: those of
// all Terraform files in a folder and below.
func ConfigTypes(dir string) (sets.Set[string], error) {
	found := sets.New[string]()
	err := filepath.WalkDir(dir, func(file string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var parse func(string) (*hcl.File, hcl.Diagnostics)
		switch name, isJSON := strings.CutSuffix(file, ".json"); {
		case !strings.HasSuffix(name, ".tf") && !strings.HasSuffix(name, ".tofu"):
			return nil
		case isJSON:
			parse = hclparse.NewParser().ParseJSONFile
		default:
			parse = hclparse.NewParser().ParseHCLFile
		}
		parsed, diags := parse(file)
		if !diags.HasErrors() {
			diags = addTypes(found, parsed.Body)
		}
		if diags.HasErrors() {
			return fmt.Errorf("read the resource types of %s: %w", file, diags)
		}
		return nil
	})
	return found, err
}

func addTypes(found sets.Set[string], body hcl.Body) hcl.Diagnostics {
	content, _, diags := body.PartialContent(typed)
	for _, block := range content.Blocks {
		if block.Type == "check" {
			diags = append(diags, addTypes(found, block.Body)...)
		} else {
			found.Insert(block.Labels[0])
		}
	}
	return diags
}

// StateTypes are the types that a state has resources of.
func StateTypes(state []byte) (sets.Set[string], error) {
	var content struct {
		Resources []struct {
			Type string `json:"type"`
		} `json:"resources"`
	}
	found := sets.New[string]()
	if len(state) == 0 {
		return found, nil
	}
	if err := json.Unmarshal(state, &content); err != nil {
		return nil, errors.New("the state is not JSON as Terraform writes it") // the error would quote it
	}
	for _, r := range content.Resources {
		found.Insert(r.Type)
	}
	return found, nil
}
