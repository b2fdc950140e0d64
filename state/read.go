package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// fileVersion is the version of the state file's format.
// Source: https://github.com/hashicorp/terraform/blob/v1.11.4/internal/states/statefile/version4.go
const fileVersion = 4

// State is what the controller needs of a Terraform state.
type State struct {
	// Serial grows with every change.
	Serial int64
	// Lineage is the same for all states that follow from one another.
	Lineage string
	// TerraformVersion is the version that wrote it.
	TerraformVersion string
	// Outputs are the root module's outputs by name.
	Outputs map[string]Output
	// Resources is the number of managed resource instances, deposed ones
	// included: all that a destroy still has to destroy.
	Resources int
}

// Output is the value of an output.
type Output struct {
	// Value has the exact type and digits that Terraform wrote.
	Value cty.Value
	// Sensitive says that the value is never shown.
	Sensitive bool
}

// Read returns the state. It fails with ErrAbsent when there is none, with
// ErrForbidden, and with ErrUnreadable when it is incomplete, encrypted, or not
// what Terraform writes. The error never quotes the state.
func (s *Store) Read(ctx context.Context, key string) (*State, error) {
	state, _, err := s.read(ctx, key)
	return state, err
}

// read returns the state and the Secrets that it is made of.
func (s *Store) read(ctx context.Context, key string) (*State, []corev1.Secret, error) {
	content, parts, err := s.load(ctx, key)
	if err != nil {
		return nil, parts, err
	}
	state, err := parse(content)
	if err != nil {
		return nil, parts, s.object("Secret", parts[0].Name).unreadable("%v", err)
	}
	return state, parts, nil
}

// load returns the state file and the Secrets that it is made of.
func (s *Store) load(ctx context.Context, key string) ([]byte, []corev1.Secret, error) {
	parts, err := s.parts(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	for n, part := range parts {
		if len(part.Data[dataKey]) == 0 {
			return nil, parts, s.emptyPart(ctx, key, n, len(parts))
		}
	}
	content, err := s.unpack(key, parts)
	return content, parts, err
}

// emptyPart says what a Secret without data means. The backend makes a Secret
// empty before it writes to it, so a run that was killed right between leaves
// one behind; when no run has ever changed resources, the state is absent.
func (s *Store) emptyPart(ctx context.Context, key string, n, of int) error {
	o := s.object("Secret", partName(key, n))
	if of == 1 {
		_, err := s.Snapshot(ctx, key)
		if errors.Is(err, ErrAbsent) {
			return fmt.Errorf("%s is empty, and no run has changed resources: %w", o, ErrAbsent)
		}
		if err != nil {
			return err
		}
	}
	return o.unreadable("it has no data in its key %q: it was emptied, or its writer was killed; restore it from a backup", dataKey)
}

// file is the part of a state file that is read.
type file struct {
	Version          int    `json:"version"`
	TerraformVersion string `json:"terraform_version"`
	Serial           int64  `json:"serial"`
	Lineage          string `json:"lineage"`
	Outputs          map[string]struct {
		Value     json.RawMessage `json:"value"`
		Type      json.RawMessage `json:"type"`
		Sensitive bool            `json:"sensitive"`
	} `json:"outputs"`
	Resources []struct {
		Mode      string     `json:"mode"`
		Instances []struct{} `json:"instances"`
	} `json:"resources"`
}

// parse reads a state file. Its errors quote nothing of the file: outputs are
// often secret.
func parse(b []byte) (*State, error) {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, errors.New("the state is not JSON of the form that Terraform writes; restore it from a backup")
	}
	if err := checkVersion(f.Version); err != nil {
		return nil, err
	}
	state := &State{
		Serial:           f.Serial,
		Lineage:          f.Lineage,
		TerraformVersion: f.TerraformVersion,
		Outputs:          make(map[string]Output, len(f.Outputs)),
	}
	for name, output := range f.Outputs {
		ty, err := ctyjson.UnmarshalType(output.Type)
		if err != nil {
			return nil, fmt.Errorf("output %q has a type that is not known", name)
		}
		value, err := ctyjson.Unmarshal(output.Value, ty)
		if err != nil {
			return nil, fmt.Errorf("the value of output %q is not of the type recorded with it, %s", name, ty.FriendlyName())
		}
		state.Outputs[name] = Output{Value: value, Sensitive: output.Sensitive}
	}
	for _, resource := range f.Resources {
		if resource.Mode == "managed" {
			state.Resources += len(resource.Instances)
		}
	}
	return state, nil
}

// checkVersion fails for a state file of another version.
func checkVersion(version int) error {
	if version != fileVersion {
		return fmt.Errorf("the state file has version %d, want %d; an encrypted state cannot be read", version, fileVersion)
	}
	return nil
}
