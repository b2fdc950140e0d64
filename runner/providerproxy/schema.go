package providerproxy

import (
	"google.golang.org/protobuf/encoding/protowire"
	"k8s.io/apimachinery/pkg/util/sets"
)

// Numbers of fields in the provider protocol, the same in its versions 5 and 6.
// Source: https://github.com/hashicorp/terraform/tree/v1.14.0/docs/plugin-protocol
var (
	// schemaMaps are those of GetProviderSchema.Response that map a type's name to its
	// schema: of resources, data sources, ephemeral resources and list resources.
	schemaMaps = sets.New[protowire.Number](2, 3, 8, 9)
	// identityMaps is that of GetResourceIdentitySchemas.Response.
	identityMaps = sets.New[protowire.Number](1)
)

const (
	serverCapabilities = 6 // of GetProviderSchema.Response
	schemaIsOptional   = 2 // of ServerCapabilities
)

// prune returns a message without the entries of maps whose keys are not in keep.
func prune(message []byte, maps sets.Set[protowire.Number], keep sets.Set[string]) ([]byte, error) {
	var kept []byte
	err := eachField(message, func(number protowire.Number, whole, value []byte) error {
		if maps.Has(number) {
			name, err := entryKey(value)
			if err != nil || !keep.Has(name) {
				return err
			}
		}
		kept = append(kept, whole...)
		return nil
	})
	return kept, err
}

// entryKey is the key of a map's entry: field 1.
func entryKey(entry []byte) (string, error) {
	key := ""
	err := eachField(entry, func(number protowire.Number, _, value []byte) error {
		if number == 1 {
			key = string(value)
		}
		return nil
	})
	return key, err
}

// schemaOptional tells whether a provider works without having been asked for its schemas.
func schemaOptional(response []byte) (optional bool, err error) {
	err = eachField(response, func(number protowire.Number, _, value []byte) error {
		if number != serverCapabilities {
			return nil
		}
		return eachField(value, func(number protowire.Number, whole, _ []byte) error {
			if number == schemaIsOptional {
				_, _, n := protowire.ConsumeTag(whole)
				v, _ := protowire.ConsumeVarint(whole[n:])
				optional = v == 1
			}
			return nil
		})
	})
	return optional, err
}

// eachField calls f with the fields of a message: each as a whole, and what is in it when
// it is of variable length.
func eachField(message []byte, f func(number protowire.Number, whole, value []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeField(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		whole := message[:n]
		message = message[n:]
		var value []byte
		if kind == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(whole)
			value, _ = protowire.ConsumeBytes(whole[tag:])
		}
		if err := f(number, whole, value); err != nil {
			return err
		}
	}
	return nil
}
