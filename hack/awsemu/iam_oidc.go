package main

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// oidcProvider is an identity provider: an OIDC issuer, such as a cluster's, whose tokens roles may trust.
type oidcProvider struct {
	URL         string // without https://
	ClientIDs   []string
	Thumbprints []string
	Tags        tags
	CreatedAt   time.Time
}

// someThumbprint stands for the one that IAM takes from the issuer's certificate when none is given.
const someThumbprint = "0d5e6f0000000000000000000000000000000001"

func (s *state) provider(arn string) (*oidcProvider, error) {
	if p := s.OIDCProviders[arn]; p != nil {
		return p, nil
	}
	return nil, notFound("NoSuchEntity", "OpenIDConnect Provider not found for arn %s", arn)
}

func (i iam) createProvider(c *call) (any, error) {
	host, ok := strings.CutPrefix(c.Form.Get("Url"), "https://")
	if !ok || host == "" {
		return nil, badRequest("ValidationError", "Invalid Open ID Connect Provider URL")
	}
	made := &oidcProvider{
		URL: host, ClientIDs: listParam(c.Form, "ClientIDList.member"), Thumbprints: listParam(c.Form, "ThumbprintList.member"),
		Tags: tagParams(c.Form, "Tags.member"), CreatedAt: i.now().UTC(),
	}
	if len(made.Thumbprints) == 0 {
		made.Thumbprints = []string{someThumbprint}
	}
	arn := "arn:aws:iam::" + account + ":oidc-provider/" + host
	err := i.store.write(func(st *state) error {
		if st.OIDCProviders[arn] != nil {
			return conflict("EntityAlreadyExists", "Provider with url https://"+host+" already exists.")
		}
		st.OIDCProviders[arn] = made
		return nil
	})
	return struct {
		ARN  string     `xml:"OpenIDConnectProviderArn"`
		Tags []queryTag `xml:"Tags>member"`
	}{arn, queryTagList(made.Tags)}, err
}

func (i iam) getProvider(c *call) (any, error) {
	var result struct {
		URL         string     `xml:"Url"`
		ClientIDs   []string   `xml:"ClientIDList>member"`
		Thumbprints []string   `xml:"ThumbprintList>member"`
		CreatedAt   time.Time  `xml:"CreateDate"`
		Tags        []queryTag `xml:"Tags>member"`
	}
	err := i.store.read(func(st *state) error {
		p, err := st.provider(c.Form.Get("OpenIDConnectProviderArn"))
		if err == nil {
			result.URL, result.CreatedAt, result.Tags = p.URL, p.CreatedAt, queryTagList(p.Tags)
			result.ClientIDs, result.Thumbprints = slices.Clone(p.ClientIDs), slices.Clone(p.Thumbprints)
		}
		return err
	})
	return result, err
}

func (i iam) listProviders(*call) (any, error) {
	type entry struct {
		ARN string `xml:"Arn"`
	}
	var result struct {
		Providers []entry `xml:"OpenIDConnectProviderList>member"`
	}
	err := i.store.read(func(st *state) error {
		for _, arn := range slices.Sorted(maps.Keys(st.OIDCProviders)) {
			result.Providers = append(result.Providers, entry{arn})
		}
		return nil
	})
	return result, err
}

func (i iam) deleteProvider(c *call) (any, error) {
	return struct{}{}, i.store.write(func(st *state) error {
		delete(st.OIDCProviders, c.Form.Get("OpenIDConnectProviderArn")) // one that is not there is no error, as in IAM
		return nil
	})
}

// changeProvider runs fn on the provider that the call names, under the store's lock.
func (i iam) changeProvider(c *call, fn func(p *oidcProvider)) (any, error) {
	return struct{}{}, i.store.write(func(st *state) error {
		p, err := st.provider(c.Form.Get("OpenIDConnectProviderArn"))
		if err == nil {
			fn(p)
		}
		return err
	})
}

func (i iam) addClientID(c *call) (any, error) {
	return i.changeProvider(c, func(p *oidcProvider) {
		if id := c.Form.Get("ClientID"); !slices.Contains(p.ClientIDs, id) {
			p.ClientIDs = append(p.ClientIDs, id)
		}
	})
}

func (i iam) removeClientID(c *call) (any, error) {
	return i.changeProvider(c, func(p *oidcProvider) {
		p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(id string) bool { return id == c.Form.Get("ClientID") })
	})
}

func (i iam) updateThumbprints(c *call) (any, error) {
	return i.changeProvider(c, func(p *oidcProvider) { p.Thumbprints = listParam(c.Form, "ThumbprintList.member") })
}

func (i iam) tagProvider(c *call) (any, error) {
	return i.changeProvider(c, func(p *oidcProvider) { maps.Copy(p.Tags, tagParams(c.Form, "Tags.member")) })
}

func (i iam) untagProvider(c *call) (any, error) {
	return i.changeProvider(c, func(p *oidcProvider) {
		for _, key := range listParam(c.Form, "TagKeys.member") {
			delete(p.Tags, key)
		}
	})
}
