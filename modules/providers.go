package modules

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

const (
	defaultRegistry = "registry.terraform.io"
	// openTofuRegistry is the one that OpenTofu has in its place.
	openTofuRegistry = "registry.opentofu.org"
	// awsProvider is the one that a ProviderConfig configures.
	awsProvider = defaultRegistry + "/hashicorp/aws"
	// builtinProvider is part of Terraform itself and has terraform_data.
	builtinProvider = "terraform.io/builtin/terraform"
)

// requiredProviders reads the terraform blocks: the sources of the providers by
// local name. They are in use, whether or not a resource names them.
// Source: https://developer.hashicorp.com/terraform/language/providers/requirements
func (r *configReader) requiredProviders(blocks hcl.Blocks) map[string]string {
	sources := map[string]string{}
	for _, block := range blocks {
		if block.Type != "terraform" {
			continue
		}
		settings := r.blocks(block.Body,
			hcl.BlockHeaderSchema{Type: "required_providers"},
			hcl.BlockHeaderSchema{Type: "backend", LabelNames: []string{"type"}},
			hcl.BlockHeaderSchema{Type: "cloud"},
		)
		for _, s := range settings {
			if s.Type != "required_providers" {
				r.faults.at(s.DefRange, "a module has no %s block: where the state is kept is up to the run", s.Type)
				continue
			}
			attrs, diags := s.Body.JustAttributes()
			r.faults.diagnostics(diags)
			for name, attr := range attrs {
				sources[name] = r.providerSource(name, attr)
				r.use(sources, name)
			}
		}
	}
	return sources
}

// providerSource returns the full source of an entry of required_providers: a
// version, or an object with source, version and configuration_aliases.
func (r *configReader) providerSource(name string, attr *hcl.Attribute) string {
	pairs, diags := hcl.ExprMap(attr.Expr)
	if diags.HasErrors() {
		return fullSource(name) // a version alone, the old form
	}
	for _, pair := range pairs {
		key, diags := pair.Key.Value(nil)
		r.faults.diagnostics(diags)
		if diags.HasErrors() || !key.RawEquals(cty.StringVal("source")) {
			continue
		}
		var source string
		r.decode(&hcl.Attribute{Expr: pair.Value}, &source)
		return fullSource(source)
	}
	return fullSource(name)
}

// fullSource returns a provider's source with host and namespace.
func fullSource(source string) string {
	switch strings.Count(source, "/") {
	case 0:
		return defaultRegistry + "/hashicorp/" + source
	case 1:
		return defaultRegistry + "/" + source
	default:
		return source
	}
}

// providerOf returns the local name of the provider of a resource: what its
// provider argument names, else the first word of its type.
func (r *configReader) providerOf(block *hcl.Block) string {
	if attr := r.attributes(block, "provider")["provider"]; attr != nil {
		traversal, diags := hcl.AbsTraversalForExpr(attr.Expr)
		r.faults.diagnostics(diags)
		if !diags.HasErrors() {
			return traversal.RootName()
		}
	}
	name, _, _ := strings.Cut(block.Labels[0], "_")
	return name
}

// configuredProvider reads a provider block.
func (r *configReader) configuredProvider(sources map[string]string, block *hcl.Block) {
	name := block.Labels[0]
	r.use(sources, name)
	if r.source(sources, name) == awsProvider && r.attributes(block, "alias")["alias"] == nil {
		r.faults.at(block.DefRange, "a module has no provider %q block: its ProviderConfig configures the provider", name)
	}
}

// source returns the source of the provider with that local name.
func (r *configReader) source(sources map[string]string, name string) string {
	if source, ok := sources[name]; ok {
		return source
	}
	if name == "terraform" {
		return builtinProvider
	}
	return fullSource(name)
}

// use notes that the provider with that local name is in use.
func (r *configReader) use(sources map[string]string, name string) {
	if source := r.source(sources, name); source != builtinProvider {
		r.providers[source] = true
	}
}
