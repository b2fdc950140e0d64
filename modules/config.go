package modules

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclparse"
)

// configReader reads the Terraform files of one module.
type configReader struct {
	module *Module
	// folder is the module's path in the library, for messages.
	folder string
	files  []sourceFile
	faults *faults
	parser *hclparse.Parser
	// providers are the sources of the providers in use.
	providers map[string]bool
	// seen are the folders inside the module that were read.
	seen map[string]bool
	// declared says where each "variable <name>" and "output <name>" is.
	declared map[string]hcl.Range
}

// readConfig reads variables, outputs and providers from the module's files.
func (m *Module) readConfig(folder string, files []sourceFile, faults *faults) {
	r := &configReader{
		module: m, folder: folder, files: files, faults: faults,
		parser: hclparse.NewParser(), providers: map[string]bool{}, seen: map[string]bool{}, declared: map[string]hcl.Range{},
	}
	if !r.readFolder(".") {
		faults.add(folder, 0, "has no Terraform files")
	}
	slices.SortFunc(m.Variables, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(m.Outputs, func(a, b Output) int { return strings.Compare(a.Name, b.Name) })
	for source := range r.providers {
		m.Providers = append(m.Providers, source)
	}
	slices.Sort(m.Providers)
	slices.Sort(m.ResourceTypes)
	m.ResourceTypes = slices.Compact(m.ResourceTypes)
}

// readFolder reads the module in a folder, "." for the root module; it tells
// whether there is one.
func (r *configReader) readFolder(folder string) bool {
	r.seen[folder] = true
	found := false
	var bodies []hcl.Body
	for _, f := range r.files {
		if path.Dir(f.path) != folder || !isConfig(f.path) {
			continue
		}
		found = true
		if body := r.parse(f); body != nil {
			bodies = append(bodies, body)
		}
	}
	r.readBlocks(folder, bodies)
	return found
}

func isConfig(name string) bool {
	return strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tf.json")
}

// parse returns the body of a Terraform file, nil when it does not parse.
func (r *configReader) parse(f sourceFile) hcl.Body {
	name := path.Join(r.folder, f.path)
	stem := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.path), ".json"), ".tf")
	if stem == "override" || strings.HasSuffix(stem, "_override") {
		r.faults.add(name, 0, "is an override file; change what it overrides instead")
		return nil
	}
	parse := r.parser.ParseHCL
	if strings.HasSuffix(name, ".json") {
		parse = r.parser.ParseJSON
	}
	file, diags := parse(f.content, name)
	r.faults.diagnostics(diags)
	if diags.HasErrors() {
		return nil
	}
	return file.Body
}

// blocks returns the blocks of these types, all others and attributes left out.
func (r *configReader) blocks(body hcl.Body, types ...hcl.BlockHeaderSchema) hcl.Blocks {
	content, _, diags := body.PartialContent(&hcl.BodySchema{Blocks: types})
	r.faults.diagnostics(diags)
	return content.Blocks
}

// readBlocks reads the blocks of a module's files. Only the root module's
// variables and outputs count.
func (r *configReader) readBlocks(folder string, bodies []hcl.Body) {
	var blocks hcl.Blocks
	for _, body := range bodies {
		blocks = append(blocks, r.blocks(body,
			hcl.BlockHeaderSchema{Type: "terraform"},
			hcl.BlockHeaderSchema{Type: "variable", LabelNames: []string{"name"}},
			hcl.BlockHeaderSchema{Type: "output", LabelNames: []string{"name"}},
			hcl.BlockHeaderSchema{Type: "module", LabelNames: []string{"name"}},
			hcl.BlockHeaderSchema{Type: "provider", LabelNames: []string{"name"}},
			hcl.BlockHeaderSchema{Type: "resource", LabelNames: []string{"type", "name"}},
			hcl.BlockHeaderSchema{Type: "data", LabelNames: []string{"type", "name"}},
			hcl.BlockHeaderSchema{Type: "ephemeral", LabelNames: []string{"type", "name"}},
		)...)
	}
	sources := r.requiredProviders(blocks)
	for _, block := range blocks {
		switch block.Type {
		case "variable", "output":
			if folder == "." {
				r.declare(block)
			}
		case "module":
			r.call(folder, block)
		case "provider":
			r.configuredProvider(sources, block)
		case "resource", "data", "ephemeral":
			if block.Type == "resource" {
				r.module.ResourceTypes = append(r.module.ResourceTypes, block.Labels[0])
			}
			r.use(sources, r.providerOf(block))
		}
	}
}

// declare adds a variable or an output to the module.
func (r *configReader) declare(block *hcl.Block) {
	id := block.Type + " " + block.Labels[0]
	if first, ok := r.declared[id]; ok {
		r.faults.at(block.DefRange, "%s is declared twice, first in %s:%d", id, first.Filename, first.Start.Line)
		return
	}
	r.declared[id] = block.DefRange
	if block.Type == "variable" {
		r.module.Variables = append(r.module.Variables, r.variable(block))
		return
	}
	o := Output{Name: block.Labels[0]}
	attrs := r.attributes(block, "description", "sensitive")
	r.decode(attrs["description"], &o.Description)
	r.decode(attrs["sensitive"], &o.Sensitive)
	r.module.Outputs = append(r.module.Outputs, o)
}

// call follows a call of another module, which must be inside this one's folder.
func (r *configReader) call(folder string, block *hcl.Block) {
	var source string
	attr := r.attributes(block, "source")["source"]
	if attr == nil {
		r.faults.at(block.DefRange, "module %q has no source", block.Labels[0])
		return
	}
	r.decode(attr, &source)
	target := path.Join(folder, source)
	local := strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../")
	if !local || target == ".." || strings.HasPrefix(target, "../") {
		r.faults.at(attr.Range, "module source %q is outside the module's folder, and a run downloads nothing; copy it inside, such as ./%s", source, block.Labels[0])
		return
	}
	if !r.seen[target] && !r.readFolder(target) {
		r.faults.at(attr.Range, "module source %q has no Terraform files", source)
	}
}

// attributes returns those attributes of a block that are there.
func (r *configReader) attributes(block *hcl.Block, names ...string) hcl.Attributes {
	schema := &hcl.BodySchema{}
	for _, name := range names {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name})
	}
	content, _, diags := block.Body.PartialContent(schema)
	r.faults.diagnostics(diags)
	return content.Attributes
}

// decode sets *to to the constant that the attribute holds, if it is there.
func (r *configReader) decode(attr *hcl.Attribute, to any) {
	if attr != nil {
		r.faults.diagnostics(gohcl.DecodeExpression(attr.Expr, nil, to))
	}
}
